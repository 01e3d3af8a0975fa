"""Where photos come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

from tigertag.model.photo import Item, Sidecar
from tigertag.model.plugin import Finding
from tigertag.model.words import JSON


class Source(Protocol):
    """Where photos come from. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def identity(self) -> str:
        """`plex:<machineIdentifier>`, `folder:<device>:<root>`; rows hang on this, never on a name or URL.

        May connect. Raises Unreachable or ConfigError.
        """
        ...

    @property
    def label(self) -> str:
        """For people: `Plex "Photos" on nas`, `folder /pictures`."""
        ...

    @property
    def scope(self) -> tuple[str, ...]:
        """The sections that `items` will walk; empty: everything. Items of others are not looked for."""
        ...

    @property
    def skipped(self) -> Mapping[str, int]:
        """After `items`: what was seen and not looked at, by kind (`clips` → 1120)."""
        ...

    def items(self) -> Iterator[Item]:
        """Attributes only, paged, lazy. Raises Unreachable where the listing broke off."""
        ...

    def open(self, item: Item) -> AbstractContextManager[BinaryIO]:
        """The item's bytes. Raises PhotoError, TransientError, Unreachable."""
        ...

    def check(self) -> Iterable[Finding]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Album:
    """All items of a source that name this album, told at once."""

    name: str
    """`Item.album`."""
    memo: JSON
    """What to show the source the next time; None: it cannot tell whether the album stays as it is."""
    size: int
    """Items in it."""
    items: Iterator[Item] | None
    """None: just those of the last time, each with the same stamp."""


@runtime_checkable
class ListsAlbums(Protocol):
    """A source without sections that can tell that an album is as it was, without naming its items."""

    def albums(self, before: Mapping[str, JSON]) -> Iterator[Album]:
        """What `items` gives, by album; `before` are the memos of the last listing. Raises as `items` does."""
        ...


@runtime_checkable
class KeepsSidecars(Protocol):
    """A source in which photos may have sidecars. Their stamps move with these, behind a `;`."""

    def sidecar(self, item: Item) -> Sidecar | None:
        """None where it has none. Raises PhotoError where there is one that cannot be read, TransientError,
        Unreachable."""
        ...

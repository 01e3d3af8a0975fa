"""Where tags are shown and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tigertag.errors import ItemError
from tigertag.model.photo import Item
from tigertag.model.plugin import Finding


class Presence(StrEnum):
    """Whether what a target shows under an item's key is that item."""

    HERE = "here"
    GONE = "gone"
    OTHER = "other"
    """The key now means another photo; nothing may be written."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a target shows on an item at this moment: names in its own spelling."""

    item: Item
    tags: tuple[str, ...] = ()
    presence: Presence = Presence.HERE
    is_stale: bool = False
    """Something of ours stands there that lost its reason; the next write tidies up, also without a change."""
    caption: str | None = None
    """The caption where there is none or it is ours; None where captions are not shown, or are a person's."""
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folded names of ours → the names above each, outermost first, where they lie in a tree; else none."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an item. Additions take effect before removals."""

    item: Item
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    """In the target's spelling, as in `shown`."""
    shown: tuple[str, ...] = ()
    """What was read just before: all but `remove` must be there afterwards."""
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A name of `add` or `move` → the names above it, outermost first, for a target that shows a tree."""
    engines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A name of `add` → the engines that say it, for a target that keeps where a tag comes from."""
    caption: str | None = None
    """A caption for the photo, for a target that shows one; None: it stays as it is."""
    move: tuple[str, ...] = ()
    """Tags of ours that stand there and are to lie as `paths` says; only those that `Shown.paths` names."""


@dataclass(frozen=True, slots=True)
class Written:
    """An item after a change, as the target shows it now, read back."""

    item: Item
    tags: tuple[str, ...]
    restored: tuple[str, ...] = ()
    """Tags of others that went missing in the write and were put back."""
    instead: str = ""
    """Why the tags are not where they were to be, and where they are, for a person. Empty: they are there."""


class Target(Protocol):
    """Shows tags on items. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def identity(self) -> str: ...  # the ledger hangs on this; may connect, as Source.identity
    @property
    def label(self) -> str: ...

    def accepts(self, item: Item) -> bool: ...

    def read(self, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        """One for each item, in any order. Raises Unreachable."""
        ...

    def write(self, changes: Sequence[Change]) -> Iterable[Written | ItemError]:
        """Batched, adds before removes, read back. One outcome for each change. Raises Unreachable."""
        ...

    def check(self) -> Iterable[Finding]: ...
    def close(self) -> None: ...


@runtime_checkable
class WritesIntoFiles(Protocol):
    """A target that changes the files in which photos lie."""

    def was(self, file_hash: str) -> str | None:
        """The content id of the photo whose file has this SHA-256 (hex) since we wrote into it; None: no."""
        ...

"""What an engine must have from elsewhere before it can start, such as a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Fetch:
    """What would be fetched, and how much that is."""

    what: str
    """`the model Xenova/clip-vit-base-patch32`."""
    size: int
    """Bytes that are not here yet."""
    source: str
    folder: str


@runtime_checkable
class Fetches(Protocol):
    """An engine that fetches something once, and then works without it being asked for."""

    @property
    def is_here(self) -> bool:
        """Whether nothing needs to be fetched. Asks nobody."""
        ...

    def to_fetch(self) -> Fetch:
        """What `fetch` would fetch, as its source says. Raises PluginDown."""
        ...

    def fetch(self, tell: Callable[[int], None]) -> None:
        """Fetches it, from where an earlier try was cut off; `tell` hears of so many more bytes.

        Raises PluginDown.
        """
        ...

"""Walking a Plex listing page by page without losing a photo while the library changes under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.etree.ElementTree import Element

from tigertag.errors import Incomplete

PAGE = 500
"""Entries a page; Plex refuses more than 1000, and large answers lock its database."""

Fetch: TypeAlias = Callable[[int, int], Element]
"""Gives the `<MediaContainer>` from a start of at most so many entries."""


@dataclass(slots=True)
class _Round:
    """One walk from the first entry to the last. `shifted`: entries moved under it, so one may be missing."""

    keys: set[str] = field(default_factory=set)
    total: int = 0
    shifted: bool = False

    @property
    def whole(self) -> bool:
        return not self.shifted and len(self.keys) == self.total


def walk(fetch: Fetch, what: str) -> Iterator[Element]:
    """Each entry once, by its ratingKey.

    A listing that did not add up is walked once more for what was not seen. Raises Incomplete, naming `what`,
    where it still does not: then all entries that showed have been given (RELIABILITY P8).
    """
    first, second = _Round(), _Round()
    yield from _entries(fetch, first)
    if first.whole:
        return
    for entry in _entries(fetch, second):
        if entry.get("ratingKey", "") not in first.keys:
            yield entry
    if not second.whole:
        raise Incomplete(
            f"Plex listed {len(second.keys):,} of {second.total:,} entries of {what}, twice. What it left out "
            "is unknown, not gone. Is it scanning just now? Try again when it is done."
        )


def _entries(fetch: Fetch, this: _Round) -> Iterator[Element]:
    """Each entry of a round once.

    Pages overlap by one entry: where that is another one than before, something before it has gone, and the
    entry that moved into its place would never be shown. The total alone does not tell, for something else may
    have come at the end.
    """
    start, last = 0, ""
    while True:
        page = fetch(start, PAGE)
        shown = list(page)
        keys = [entry.get("ratingKey", "") for entry in shown]
        total = total_of(page)
        this.shifted |= total < this.total or bool(last and keys[:1] != [last])
        this.total = total
        for key, entry in zip(keys, shown, strict=True):
            if key not in this.keys:
                this.keys.add(key)
                yield entry
        end = start + len(shown)
        if end >= total or end - 1 <= start:
            return
        start, last = end - 1, keys[-1]


def total_of(page: Element) -> int:
    """How many entries a listing has. `totalSize` is there only when it is paged."""
    said = page.get("totalSize") or page.get("size") or ""
    return int(said) if said.isdigit() else len(page)

"""Sidecars that a target writes: our own write makes no photo due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from tigertag.blocks.beside import digest
from tigertag.errors import ItemError
from tigertag.media.sidecars import read_beside, relisted
from tigertag.model import Change, Item, Target, Written
from tigertag.model.stamp import of_photo
from tigertag.store import listing


@dataclass(slots=True)
class Beside:
    """Writes changes to a target, and knows what the photos' items look like since."""

    _moved: list[tuple[Item, Item]] = field(default_factory=list)
    """An item as it was listed, and as the next listing will tell of it."""

    def write(self, target: Target, changes: Sequence[Change]) -> list[Written | ItemError]:
        """What the target says. Raises what it raises."""
        before = {_key(each.item): _theirs(each.item) for each in changes}
        written = list(target.write(changes))
        for each in written:
            if isinstance(each, Written):
                self._moved += _moved(each.item, before.get(_key(each.item)))
        return written

    def keep(self, session: Session, rows: dict[tuple[str, str], int]) -> None:
        """Takes over how items are listed that need not be opened again. `rows` are ids by source and key."""
        listing.restamp(session, [(rows[_key(was)], was.stamp, now) for was, now in self._moved])


def _key(item: Item) -> tuple[str, str]:
    return item.source, item.key


def _theirs(item: Item) -> str | None:
    """What others wrote beside an item that is as it was listed; None where it is not, or nobody can tell."""
    now = relisted(item)
    return _digest(now) if now is not None and now.stamp == item.stamp else None


def _moved(item: Item, theirs: str | None) -> Iterator[tuple[Item, Item]]:
    """Only where nobody else wrote meanwhile, into the photo or beside it."""
    now = None if theirs is None else relisted(item)
    if now is None or now.stamp == item.stamp or of_photo(now.stamp) != of_photo(item.stamp):
        return
    if _digest(now) == theirs and relisted(item) == replace(item, stamp=now.stamp, facts=now.facts):
        yield item, now


def _digest(item: Item) -> str | None:
    """None where it cannot be told."""
    try:
        content = read_beside(item)
        return "" if content is None else digest(content)
    except (OSError, ValueError):  # the next listing finds the photo changed, and a scan names it
        return None

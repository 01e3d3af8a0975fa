"""What is due: chosen, in order, and small enough to be kept for a library of any size."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tigertag.model import Item
from tigertag.pipeline.choose import Choice, may_see
from tigertag.pipeline.work import OpenEngine, OpenSource
from tigertag.store import due as store
from tigertag.store.database import Database
from tigertag.store.items import chunks

_WINDOW = 200
"""Rows that are loaded together."""


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item to be opened or shown, and where it lies."""

    due: store.Due
    source: OpenSource
    item: Item


@dataclass(frozen=True, slots=True)
class DueItems:
    """The ids of items, in the order in which they are taken up; rows are loaded a window at a time."""

    database: Database
    sources: Mapping[int, OpenSource]
    revisions: Collection[int]
    ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[DueItem]:
        for part in chunks(self.ids, _WINDOW):
            with self.database.reading() as session:
                window = store.load(session, part, self.revisions)
            for each in window:
                yield DueItem(each.due, self.sources[each.source_id], each.item)


def find_due(
    database: Database, sources: Sequence[OpenSource], engines: Sequence[OpenEngine], choice: Choice
) -> DueItems:
    """What waits to be opened or asked, chosen and in order."""
    places = {source.row_id: source for source in sources}
    revisions = {engine.revision_id for engine in engines}
    with database.reading() as session:
        rows = store.due(session, places, revisions, choice.order)
        taken = (row.id for row in rows if choice.takes(row) and _is_for(row, engines))
        ids = array("q", islice(taken, choice.limit))
    return DueItems(database, places, revisions, ids)


def _is_for(due: store.Due, engines: Sequence[OpenEngine]) -> bool:
    return any(
        (due.unread or engine.revision_id in due.revisions) and may_see(engine, due.path) for engine in engines
    )

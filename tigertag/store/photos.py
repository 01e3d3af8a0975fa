"""Photos, and what was found where items were opened: written down for many items at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from tigertag.model import Item
from tigertag.model.stamp import has_moved_beside
from tigertag.store import rows
from tigertag.store.items import FORMER, MOVED, as_item, digest, listed
from tigertag.store.tables import Delivery, Edit, ItemRow, Ledger, PhotoRow, SourceRow, Verdict

_PHOTO, _ITEM, _SOURCE = (rows.table_of(each) for each in (PhotoRow, ItemRow, SourceRow))
_PHOTOS = select(_PHOTO.c.content_id, _PHOTO.c.id).where(_PHOTO.c.content_id.in_(rows.many()))
_BEFORE = select(_ITEM.c.id, _ITEM.c.read_stamp, _ITEM.c.photo_id, _ITEM.c.input, _ITEM.c.problem).where(
    _ITEM.c.id.in_(rows.many())
)
_ITEMS_OF = (
    select(_ITEM, _SOURCE.c.identity)
    .join(_SOURCE, _SOURCE.c.id == _ITEM.c.source_id)
    .where(_ITEM.c.photo_id.in_(rows.many()), _ITEM.c.gone_since.is_(None))
)


@dataclass(frozen=True, slots=True)
class Read:
    """An item that was opened under `stamp`, and the photo that lies there."""

    item_id: int
    stamp: str
    photo_id: int
    input: str = ""
    file_hash: str = ""


def keep(session: Session, sizes: Mapping[str, tuple[int, int]], now: datetime) -> dict[str, int]:
    """The ids of photos by content id, made where there is none. `sizes` are width and height."""
    found = {row.content_id: row.id for row in rows.each(session, _PHOTOS, list(sizes))}
    new = [
        {"content_id": content_id, "width": width, "height": height, "seen": now}
        for content_id, (width, height) in sizes.items()
        if content_id not in found
    ]
    ids = rows.add_with_ids(session, _PHOTO, new)
    return found | {str(row["content_id"]): row_id for row, row_id in zip(new, ids, strict=True)}


def set_read(session: Session, reads: Collection[Read], now: datetime) -> set[int]:
    """These items were opened. Those that are another picture, or have other metadata or another sidecar, than
    before: what a person took out of a sidecar shows nowhere but there.

    Another picture at another path is no edited photo: the source gave its key to another one (RELIABILITY
    P11). Then what is known of the tags of the former stays with the former.
    """
    before = _before(session, [read.item_id for read in reads])
    for read in reads:
        row = before[read.item_id]
        if row.read_stamp == MOVED and row.photo_id not in (None, read.photo_id):
            _leave_behind(session, session.get_one(ItemRow, read.item_id), now)
    values = [
        {
            "row_id": read.item_id,
            "read_stamp": read.stamp,
            "photo_id": read.photo_id,
            "input": read.input,
            "file_hash": read.file_hash,
            "problem": None,
            "needs": None,
        }
        for read in reads
    ]
    rows.change(session, _ITEM, values)
    return {
        read.item_id
        for read in reads
        if (before[read.item_id].photo_id, before[read.item_id].input) != (read.photo_id, read.input)
        or has_moved_beside(before[read.item_id].read_stamp, read.stamp)
    }


def _before(session: Session, item_ids: Collection[int]) -> dict[int, Row[Any]]:
    return {row.id: row for row in rows.each(session, _BEFORE, list(item_ids))}


def _leave_behind(session: Session, row: ItemRow, now: datetime) -> None:
    """Gives the photo that had the key of `row` a gone row of its own, with ledger, journal and verdicts."""
    former = ItemRow.key.startswith(f"{row.key}{FORMER}", autoescape=True)
    count = session.scalar(select(func.count()).where(ItemRow.source_id == row.source_id, former)) or 0
    key = f"{row.key}{FORMER}{count + 1}"
    photo = Item(source="", key=key, path=row.path, stamp=key, section=row.section, facts=row.facts)
    gone = ItemRow(source_id=row.source_id, key=key, key_hash=digest(key), gone_since=now, **listed(photo))
    gone.read_stamp, gone.photo_id, gone.input, gone.file_hash = key, row.photo_id, row.input, row.file_hash
    session.add(gone)
    session.flush()
    for table in (Delivery, Edit, Ledger, Verdict):
        session.execute(update(table).where(table.item_id == row.id).values(item_id=gone.id))
    session.expire_all()


def set_problems(session: Session, problems: Mapping[int, tuple[str, str]]) -> set[int]:
    """These items cannot be read: stamp and reason by row id. Those of which that was not known."""
    before = _before(session, problems)
    values = [
        {"row_id": row_id, "read_stamp": stamp, "problem": reason, "needs": None}
        for row_id, (stamp, reason) in problems.items()
    ]
    rows.change(session, _ITEM, values)
    return {
        row_id
        for row_id, (stamp, reason) in problems.items()
        # No stamp: asked for with --retry-failed.
        if before[row_id].problem != reason or before[row_id].read_stamp not in (None, stamp)
    }


def set_needs(session: Session, needs: Mapping[int, tuple[str, str]]) -> None:
    """These items wait for the decoder that an extra brings: stamp and extra by row id."""
    values = [
        {"row_id": row_id, "read_stamp": stamp, "needs": extra, "problem": None}
        for row_id, (stamp, extra) in needs.items()
    ]
    rows.change(session, _ITEM, values)


def items_of(session: Session, photos: Collection[tuple[int, str]]) -> dict[int, Item]:
    """Live items of (photo, input) pairs by row id; where the input is '', all items of the photo."""
    wanted = set(photos)
    return {
        row.id: as_item(row, row.identity)
        for row in rows.each(session, _ITEMS_OF, sorted({photo for photo, _ in wanted}))
        if not wanted.isdisjoint(((row.photo_id, ""), (row.photo_id, row.input)))
    }

"""Sources and their items."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from tigertag.model import Item
from tigertag.store.tables import ItemRow, SourceRow

T = TypeVar("T")

CHUNK = 500
"""Keys in one statement at most; SQLite takes 32,766 variables, but plans for fewer are made faster."""


def digest(text: str) -> str:
    """SHA-256 in hex: names of any length are looked up by it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """`values` in pieces of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def find_source(session: Session, identity: str) -> SourceRow | None:
    return session.scalar(select(SourceRow).where(SourceRow.identity_hash == digest(identity)))


def keep_source(session: Session, identity: str, label: str) -> int:
    """The id of the source's row, made if there is none."""
    row = find_source(session, identity)
    if row is None:
        row = SourceRow(identity=identity, identity_hash=digest(identity))
        session.add(row)
    row.label = label
    session.flush()
    return row.id


def live_sources(session: Session, prefix: str) -> dict[str, tuple[str, int]]:
    """The sources whose identity begins so: label, and how many items were there at the last listing."""
    rows = session.execute(
        select(SourceRow.identity, SourceRow.label, func.count())
        .join(ItemRow, ItemRow.source_id == SourceRow.id)
        .where(SourceRow.identity.startswith(prefix, autoescape=True), ItemRow.gone_since.is_(None))
        .group_by(SourceRow.identity, SourceRow.label)
    )
    return {identity: (label, count) for identity, label, count in rows}


FORMER = "~"
"""Stands between a key and a number in the keys of photos that lost it to another one."""
MOVED = ""
"""The `read_stamp` of an item that has another stamp *and* another path than when it was opened."""


def listed(item: Item) -> dict[str, object]:
    """The columns that a listing fills."""
    return {
        "path": item.path,
        "path_hash": digest(item.path),
        "section": item.section,
        "album": item.album,
        "title": item.title,
        "stamp": item.stamp,
        "size": item.size,
        "moment": item.moment,
        "facts": dict(item.facts),
    }


def set_gone(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Marks items as no longer listed. They keep ledger and verdicts."""
    for part in chunks(ids):
        session.execute(
            update(ItemRow).where(ItemRow.id.in_(part), ItemRow.gone_since.is_(None)).values(gone_since=now)
        )


def as_item(row: ItemRow | Row[Any], identity: str) -> Item:
    """The noun behind a row of the source `identity`."""
    return Item(
        source=identity,
        key=row.key,
        path=row.path,
        stamp=row.stamp,
        section=row.section,
        album=row.album,
        title=row.title,
        size=row.size,
        moment=row.moment,
        facts=row.facts,
    )


_BY_IDS = (
    select(ItemRow.__table__, SourceRow.identity)
    .join(SourceRow, SourceRow.id == ItemRow.source_id)
    .where(ItemRow.id.in_(bindparam("ids", expanding=True)))
)


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, tuple[Item, int | None]]:
    """Item and photo id by row id."""
    found: dict[int, tuple[Item, int | None]] = {}
    for part in chunks(ids):
        for row in session.execute(_BY_IDS, {"ids": part}):
            found[row.id] = (as_item(row, row.identity), row.photo_id)
    return found


def unread() -> ColumnElement[bool]:
    """Rows that wait to be opened. One that lacks a decoder waits for its extra."""
    return or_(ItemRow.read_stamp.is_(None), ItemRow.read_stamp != ItemRow.stamp)


def glob_path(section: str, path: str) -> str:
    """What the globs of ONLY and EXCEPT are matched against."""
    return f"{section}/{path}" if section else path


def reopen(session: Session, *, extras: Collection[str] = (), failed: bool = False) -> None:
    """Makes items wait again whose decoder is there now, and with `failed` those that could not be read."""
    which = [ItemRow.needs.in_(extras)] if extras else []
    if failed:
        which.append(ItemRow.problem.is_not(None))
    if which:
        session.execute(update(ItemRow).where(or_(*which)).values(read_stamp=None))


def count_needs(session: Session) -> dict[str, int]:
    """Live items that wait for an extra with a decoder, by its name."""
    rows = session.execute(
        select(ItemRow.needs, func.count())
        .where(ItemRow.needs.is_not(None), ItemRow.gone_since.is_(None))
        .group_by(ItemRow.needs)
    )
    return {extra or "": count for extra, count in rows}


def count_problems(session: Session, source_ids: Sequence[int]) -> int:
    """Live items of these sources that cannot be read."""
    return (
        session.scalar(
            select(func.count()).where(
                ItemRow.source_id.in_(source_ids), ItemRow.problem.is_not(None), ItemRow.gone_since.is_(None)
            )
        )
        or 0
    )


def paths(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The path of each item, with its section."""
    found: dict[int, str] = {}
    for part in chunks(sorted(set(ids))):
        for row in session.execute(
            select(ItemRow.id, ItemRow.section, ItemRow.path).where(ItemRow.id.in_(part))
        ):
            found[row.id] = glob_path(row.section, row.path)
    return found


def source_labels(session: Session) -> list[str]:
    return list(session.scalars(select(SourceRow.label).order_by(SourceRow.id)))


def photos_of(session: Session, ids: Sequence[int]) -> set[int]:
    """The photos of these items."""
    found: set[int] = set()
    for part in chunks(ids):
        rows = session.scalars(select(ItemRow.photo_id).where(ItemRow.id.in_(part)).distinct())
        found.update(row for row in rows if row is not None)
    return found

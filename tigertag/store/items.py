"""Sources and their items."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from tigertag.model import Item
from tigertag.store.tables import AnalysisRow, Delivery, Edit, ItemRow, Ledger, PhotoRow, SourceRow, Verdict

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


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a listed item."""

    id: int
    stamp: str
    path: str
    section: str
    moment: datetime | None
    facts: dict[str, str]
    gone: bool


def known(session: Session, source_id: int, keys: Collection[str]) -> dict[str, Seen]:
    """The rows of `keys`, by key."""
    found: dict[str, Seen] = {}
    for part in chunks([digest(key) for key in keys]):
        rows = session.execute(
            select(
                ItemRow.key,
                ItemRow.id,
                ItemRow.stamp,
                ItemRow.path,
                ItemRow.section,
                ItemRow.moment,
                ItemRow.facts,
                ItemRow.gone_since,
            ).where(ItemRow.source_id == source_id, ItemRow.key_hash.in_(part))
        )
        for row in rows:
            found[row.key] = Seen(
                id=row.id,
                stamp=row.stamp,
                path=row.path,
                section=row.section,
                moment=row.moment,
                facts=row.facts,
                gone=row.gone_since is not None,
            )
    return found


def live(session: Session, source_id: int) -> Iterator[tuple[int, str, str]]:
    """Id, section and key of each item that was there at the last listing."""
    rows = session.execute(
        select(ItemRow.id, ItemRow.section, ItemRow.key).where(
            ItemRow.source_id == source_id, ItemRow.gone_since.is_(None)
        )
    )
    for row in rows:
        yield row[0], row[1], row[2]


def add(session: Session, source_id: int, items: Iterable[Item]) -> None:
    """New rows, each waiting to be opened."""
    session.add_all(
        ItemRow(source_id=source_id, key=item.key, key_hash=digest(item.key), **_listed(item)) for item in items
    )


_FORMER = "~"
"""Stands between a key and a number in the keys of photos that lost it to another one."""
_MOVED = ""
"""The `read_stamp` of an item that has another stamp *and* another path than when it was opened."""


def relist(session: Session, row_id: int, item: Item) -> None:
    """Takes over what the listing says; a new stamp makes the row wait to be opened."""
    moved = and_(ItemRow.path_hash != digest(item.path), ItemRow.stamp != item.stamp)
    read = case((moved, _MOVED), else_=ItemRow.read_stamp)
    # First, for MariaDB assigns from left to right and would compare the new values.
    values = [("read_stamp", read), ("gone_since", None), *_listed(item).items()]
    session.execute(
        update(ItemRow)
        .where(ItemRow.id == row_id)
        .ordered_values(*values)
        .execution_options(synchronize_session=False)
    )


def _listed(item: Item) -> dict[str, object]:
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


def as_item(row: ItemRow, identity: str) -> Item:
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


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, tuple[Item, int | None]]:
    """Item and photo id by row id."""
    found: dict[int, tuple[Item, int | None]] = {}
    for part in chunks(ids):
        rows = session.execute(select(ItemRow, SourceRow.identity).join(SourceRow).where(ItemRow.id.in_(part)))
        for row, identity in rows:
            found[row.id] = (as_item(row, identity), row.photo_id)
    return found


def unread() -> ColumnElement[bool]:
    """Rows that wait to be opened. One that lacks a decoder waits for its extra."""
    return or_(ItemRow.read_stamp.is_(None), ItemRow.read_stamp != ItemRow.stamp)


@dataclass(frozen=True, slots=True)
class Due:
    """An item with work to do. `path` is section/album/path, for globs; `short` lacks the section."""

    id: int
    path: str
    short: str
    moment: datetime | None
    unread: bool
    revisions: tuple[int, ...]
    """Revisions whose answer its photo waits for."""


def due(session: Session, source_id: int, revisions: Collection[int]) -> list[Due]:
    """Live items that wait to be opened, or whose photo waits for one of `revisions`."""
    waits = select(ItemRow.id, ItemRow.section, ItemRow.path, ItemRow.moment, unread().label("unread")).where(
        ItemRow.source_id == source_id, ItemRow.gone_since.is_(None)
    )
    found: dict[int, Due] = {}
    for row in session.execute(waits.where(unread())):
        found[row.id] = Due(row.id, glob_path(row.section, row.path), row.path, row.moment, True, ())
    for item in session.execute(
        select(ItemRow.id, ItemRow.section, ItemRow.path, ItemRow.moment, AnalysisRow.revision_id)
        .join(AnalysisRow, AnalysisRow.photo_id == ItemRow.photo_id)
        .where(
            ItemRow.source_id == source_id,
            ItemRow.gone_since.is_(None),
            AnalysisRow.revision_id.in_(revisions),
            AnalysisRow.state.in_(("waiting", "again")),
            or_(AnalysisRow.input == "", AnalysisRow.input == ItemRow.input),
        )
    ):
        old = found.get(item.id)
        said = (*old.revisions, item.revision_id) if old else (item.revision_id,)
        path = glob_path(item.section, item.path)
        found[item.id] = Due(item.id, path, item.path, item.moment, bool(old and old.unread), said)
    return list(found.values())


def glob_path(section: str, path: str) -> str:
    """What the globs of ONLY and EXCEPT are matched against."""
    return f"{section}/{path}" if section else path


def set_read(
    session: Session,
    item_id: int,
    *,
    stamp: str,
    photo_id: int,
    input_hash: str,
    file_hash: str,
    now: datetime,
) -> bool:
    """The item was opened under `stamp`. True where it is another picture, or other metadata, than before.

    Another picture at another path is no edited photo: the source gave its key to another one (RELIABILITY
    P11). Then what is known of the tags of the former stays with the former.
    """
    row = session.get_one(ItemRow, item_id)
    if row.read_stamp == _MOVED and row.photo_id not in (None, photo_id):
        _leave_behind(session, row, now)
    changed = row.photo_id != photo_id or row.input != input_hash
    row.read_stamp, row.photo_id, row.input, row.file_hash = stamp, photo_id, input_hash, file_hash
    row.problem = row.needs = None
    return changed


def _leave_behind(session: Session, row: ItemRow, now: datetime) -> None:
    """Gives the photo that had the key of `row` a gone row of its own, with ledger, journal and verdicts."""
    former = ItemRow.key.startswith(f"{row.key}{_FORMER}", autoescape=True)
    count = session.scalar(select(func.count()).where(ItemRow.source_id == row.source_id, former)) or 0
    key = f"{row.key}{_FORMER}{count + 1}"
    photo = Item(source="", key=key, path=row.path, stamp=key, section=row.section, facts=row.facts)
    gone = ItemRow(source_id=row.source_id, key=key, key_hash=digest(key), gone_since=now, **_listed(photo))
    gone.read_stamp, gone.photo_id, gone.input, gone.file_hash = key, row.photo_id, row.input, row.file_hash
    session.add(gone)
    session.flush()
    for table in (Delivery, Edit, Ledger, Verdict):
        session.execute(update(table).where(table.item_id == row.id).values(item_id=gone.id))
    session.expire_all()


def set_problem(session: Session, item_id: int, stamp: str, reason: str) -> bool:
    """The item cannot be read. True where that was not known."""
    row = session.get_one(ItemRow, item_id)
    new = row.problem != reason or row.read_stamp not in (None, stamp)  # None: asked for with --retry-failed
    row.read_stamp, row.problem, row.needs = stamp, reason, None
    return new


def set_needs(session: Session, item_id: int, stamp: str, extra: str) -> None:
    """The item waits for the decoder that `extra` brings."""
    row = session.get_one(ItemRow, item_id)
    row.read_stamp, row.needs, row.problem = stamp, extra, None


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


def keep_photo(session: Session, content_id: str, width: int, height: int, now: datetime) -> int:
    """The id of the photo's row, made if there is none."""
    found = session.scalar(select(PhotoRow.id).where(PhotoRow.content_id == content_id))
    if found is not None:
        return found
    row = PhotoRow(content_id=content_id, width=width, height=height, seen=now)
    session.add(row)
    session.flush()
    return row.id


def of_photo(session: Session, photo_id: int, input_hash: str = "") -> list[int]:
    """Live items of a photo; only those with that input, where one is given."""
    query = select(ItemRow.id).where(ItemRow.photo_id == photo_id, ItemRow.gone_since.is_(None))
    if input_hash:
        query = query.where(ItemRow.input == input_hash)
    return list(session.scalars(query))


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


def without_analysis(
    session: Session, source_id: int, revision_id: int, *, by_input: bool
) -> list[tuple[int, int, str, str]]:
    """Read, live items whose photo has no row for the revision: item id, photo id, input, glob path."""
    there = exists().where(
        AnalysisRow.photo_id == ItemRow.photo_id,
        AnalysisRow.revision_id == revision_id,
        AnalysisRow.input == (ItemRow.input if by_input else ""),
    )
    rows = session.execute(
        select(ItemRow.id, ItemRow.photo_id, ItemRow.input, ItemRow.section, ItemRow.path).where(
            and_(ItemRow.source_id == source_id, ItemRow.gone_since.is_(None), ItemRow.photo_id.is_not(None)),
            ~there,
        )
    )
    return [
        (row.id, row.photo_id, row.input if by_input else "", glob_path(row.section, row.path)) for row in rows
    ]


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

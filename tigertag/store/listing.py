"""A source's last listing, kept small enough to be compared whole with the next one."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from sqlalchemy import and_, bindparam, case, delete, func, select, update
from sqlalchemy.orm import Session

from tigertag.model import JSON, Item
from tigertag.store.items import MOVED, chunks, digest, listed
from tigertag.store.rows import add as add_rows
from tigertag.store.rows import table_of
from tigertag.store.runs import remembered
from tigertag.store.tables import ItemRow, MemoryRow

_AT_ONCE = 1000


def mark(item: Item) -> int:
    """64 bits that differ whenever anything differs that the listing says of an item.

    Two items of a million have the same by chance once in 37 million libraries.
    """
    said = (item.key, item.stamp, item.path, item.section, item.album, item.title)
    when = item.moment.timestamp() if item.moment is not None else None
    text = "\0".join((*said, f"{item.size} {when}", *item.facts, *item.facts.values()))
    hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "little", signed=True)


@dataclass(slots=True)
class LastListing:
    """The rows that were there at the last listing, and which of them were met again: 17 bytes for each."""

    marks: array[int] = field(default_factory=lambda: array("q"))
    """In ascending order."""
    ids: array[int] = field(default_factory=lambda: array("q"))
    """Beside `marks`, and behind those the rows that have no mark."""
    _met: bytearray = field(default_factory=bytearray)
    _met_otherwise: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.ids)

    def meets(self, mark: int) -> bool:
        """Whether an item was listed just so the last time. It is there, then."""
        place = first = bisect_left(self.marks, mark)
        while place < len(self.marks) and self.marks[place] == mark:
            self._met[place] = 1
            place += 1
        return place > first

    def meets_row(self, row_id: int) -> None:
        """A row that is listed otherwise than the last time is there, too."""
        self._met_otherwise.append(row_id)

    def missing(self) -> list[int]:
        """The rows that were not met, in ascending order."""
        left = {row_id for row_id, met in zip(self.ids, self._met, strict=True) if not met}
        return sorted(left.difference(self._met_otherwise))


def last_listing(session: Session, source_id: int, sections: Collection[str]) -> LastListing:
    """The live rows of a source, or of some of its sections; of none: all."""
    item = table_of(ItemRow)
    live = [item.c.source_id == source_id, item.c.gone_since.is_(None)]
    if sections:
        live.append(item.c.section.in_(sections))
    query = select(item.c.id, item.c.listing).where(*live)
    found = LastListing()
    marked = query.where(item.c.listing.is_not(None)).order_by(item.c.listing)
    for row_id, there in session.execute(marked, execution_options={"yield_per": _AT_ONCE}):
        found.ids.append(row_id)
        found.marks.append(there)
    unmarked = query.where(item.c.listing.is_(None))
    for row_id, _ in session.execute(unmarked, execution_options={"yield_per": _AT_ONCE}):
        found.ids.append(row_id)
    found._met = bytearray(len(found.ids))
    return found


def count_live(session: Session, source_id: int) -> int:
    """Items that were there at the last listing."""
    live = select(func.count()).where(ItemRow.source_id == source_id, ItemRow.gone_since.is_(None))
    return session.scalar(live) or 0


def live_in(session: Session, source_id: int, albums: Collection[str]) -> list[int]:
    """The live rows of a source that lie in one of these albums."""
    item = table_of(ItemRow)
    query = select(item.c.id, item.c.album).where(item.c.source_id == source_id, item.c.gone_since.is_(None))
    rows = session.execute(query, execution_options={"yield_per": _AT_ONCE})
    return [row_id for row_id, album in rows if album in albums]


def albums(session: Session, source_id: int) -> dict[str, JSON]:
    """The memos of the albums at the last whole listing; none after one that broke off."""
    return dict(remembered(session, _albums_of(source_id)))


def forget_albums(session: Session, source_id: int) -> None:
    """Before rows are changed: until the listing is whole, nobody knows what the rows stand for."""
    session.execute(delete(MemoryRow).where(MemoryRow.scope == _albums_of(source_id)))


def keep_albums(session: Session, source_id: int, memos: Mapping[str, JSON]) -> None:
    """After a whole listing, and in the transaction that marks what is gone: these and no others."""
    forget_albums(session, source_id)
    scope = _albums_of(source_id)
    rows = [
        {"scope": scope, "key": name, "key_hash": digest(name), "value": memo} for name, memo in memos.items()
    ]
    add_rows(session, table_of(MemoryRow), rows)


def _albums_of(source_id: int) -> str:
    return f"albums:{source_id}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a listed item."""

    id: int
    stamp: str
    read_stamp: str | None
    gone: bool


def known(session: Session, source_id: int, keys: Collection[str]) -> dict[str, Seen]:
    """The rows of `keys`, by key."""
    found: dict[str, Seen] = {}
    item = table_of(ItemRow)
    for part in chunks([digest(key) for key in keys]):
        rows = session.execute(
            select(item.c.key, item.c.id, item.c.stamp, item.c.read_stamp, item.c.gone_since).where(
                item.c.source_id == source_id, item.c.key_hash.in_(part)
            )
        )
        found |= {row.key: Seen(row.id, row.stamp, row.read_stamp, row.gone_since is not None) for row in rows}
    return found


def add(session: Session, source_id: int, items: Iterable[Item]) -> None:
    """New rows, each waiting to be opened."""
    rows = [
        {"source_id": source_id, "key": item.key, "key_hash": digest(item.key), **_said(item)} for item in items
    ]
    add_rows(session, table_of(ItemRow), rows)


def relist(session: Session, changed: Iterable[tuple[int, Item]]) -> None:
    """Takes over what the listing says of rows; a new stamp makes a row wait to be opened."""
    rows = [
        {"row_id": row_id, **{f"new_{name}": value for name, value in _said(item).items()}}
        for row_id, item in changed
    ]
    if not rows:
        return
    item = table_of(ItemRow)
    moved = and_(item.c.path_hash != bindparam("new_path_hash"), item.c.stamp != bindparam("new_stamp"))
    names = [name.removeprefix("new_") for name in rows[0] if name != "row_id"]
    # First, for MariaDB assigns from left to right and would compare the new values.
    values = [
        (item.c.read_stamp, case((moved, MOVED), else_=item.c.read_stamp)),
        (item.c.gone_since, None),
        *((item.c[name], bindparam(f"new_{name}", type_=item.c[name].type)) for name in names),
    ]
    session.execute(update(item).where(item.c.id == bindparam("row_id")).ordered_values(*values), rows)


def restamp(session: Session, moved: Iterable[tuple[int, str, Item]]) -> None:
    """What a listing will say of rows that were opened under the stamp given, and need not be opened for it."""
    rows = [
        {
            "row_id": row_id,
            "was": was,
            "new_stamp": item.stamp,
            "new_facts": dict(item.facts),
            "new_listing": mark(item),
        }
        for row_id, was, item in moved
    ]
    if not rows:
        return
    item = table_of(ItemRow)
    values = {
        "read_stamp": bindparam("new_stamp"),
        "stamp": bindparam("new_stamp"),
        "facts": bindparam("new_facts", type_=item.c.facts.type),
        "listing": bindparam("new_listing"),
    }
    is_as_opened = and_(item.c.stamp == bindparam("was"), item.c.read_stamp == bindparam("was"))
    session.execute(update(item).where(item.c.id == bindparam("row_id"), is_as_opened).values(values), rows)


def _said(item: Item) -> dict[str, object]:
    return {**listed(item), "listing": mark(item)}

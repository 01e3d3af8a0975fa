"""The listing of a source against what is known: what is new, changed, gone and back.

Absence is not evidence: a listing that broke off, or that holds less than half of what was known, marks
nothing as gone (RELIABILITY P8, P9, K1).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from tigertag.errors import PluginDown, Refused, TigerTagError, TransientError
from tigertag.media.names import kind_of
from tigertag.model import JSON, Item, ListsAlbums, Source
from tigertag.model.stamp import has_moved_beside
from tigertag.store import items, ledger, listing
from tigertag.store.database import Database
from tigertag.store.due import Due
from tigertag.store.listing import LastListing, Seen

_PAGE = 500
_MANY = 20  # Fewer photos than this can shrink to less than half overnight without a disk being gone.
_SEVERAL = 5  # And fewer than this can all be deleted.
_FILMS = frozenset({"videos", "clips"})  # What sources that leave films out count them as.


@dataclass(slots=True)
class Listing:
    """What a listing found, in items. `fault` is why it cannot be trusted to be whole."""

    label: str
    known: int = 0
    listed: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    fault: TigerTagError | None = None
    was_stopped: bool = False
    """A signal ended it before its end."""
    unopened: list[Due] = field(default_factory=list)
    """In a dry run: what is new, with the id 0, or changed."""


def discover(
    database: Database,
    source: Source,
    now: datetime,
    *,
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> Listing:
    """Walks the source whole and brings the item rows up to date; with `dry_run` only counts.

    Raises what the source raises before its first item; a listing that breaks off later is a `fault`, and
    what was seen until then counts. `stop` ends the walk after the page in hand; nothing is gone then.
    """
    found = Listing(source.label)
    source_id = _source_id(database, source, dry_run)
    last = _Last(database, source, source_id, dry_run)
    found.known = last.count()
    for page in _pages(last.items(found), found):
        _take_page(database, source_id, page, found, last.listing, dry_run)
        if stop is not None and stop.is_set():
            found.was_stopped = True
            return found
    found.skipped = dict(source.skipped)
    _take_leave(database, found, last, now, dry_run)
    return found


@dataclass(slots=True)
class _Last:
    """What a source listed the last time, and how it is met again: item by item, or whole albums at once."""

    database: Database
    source: Source
    source_id: int | None
    dry_run: bool
    _albums: dict[str, JSON] = field(default_factory=dict)
    """The memos of the last time."""
    _memos: dict[str, JSON] = field(default_factory=dict)
    """Those of this time."""
    _unchanged: set[str] = field(default_factory=set)
    _listing: LastListing | None = None

    def count(self) -> int:
        """The items that were there."""
        if self.source_id is None or not isinstance(self.source, ListsAlbums):
            return len(self.listing)
        with self.database.reading() as session:
            self._albums = listing.albums(session, self.source_id)
            return listing.count_live(session, self.source_id)

    @property
    def listing(self) -> LastListing:
        """Loaded when the first item is compared: mostly there is none."""
        if self._listing is None:
            self._listing = _last_listing(self.database, self.source, self.source_id)
        return self._listing

    def items(self, found: Listing) -> Iterator[Item]:
        """Those of the albums that are not as they were; the others are counted as listed."""
        if not isinstance(self.source, ListsAlbums):
            yield from self.source.items()
            return
        has_changed = False
        for album in self.source.albums(self._albums):
            self._memos[album.name] = album.memo
            if album.items is None:
                found.listed += album.size
                self._unchanged.add(album.name)
                continue
            if not has_changed:
                has_changed = True
                self._forget()
            yield from album.items

    def _forget(self) -> None:
        source_id = self.source_id
        if source_id is not None and not self.dry_run and self._albums:
            self.database.transact(lambda session: listing.forget_albums(session, source_id))

    def missing(self) -> list[int]:
        """The rows that were not met. An album of which nothing is left is not named any more."""
        if self._listing is None and self._memos.keys() == self._albums.keys() == self._unchanged:
            return []
        met = self.listing
        if self._unchanged and self.source_id is not None:
            with self.database.reading() as session:
                for row_id in listing.live_in(session, self.source_id, self._unchanged):
                    met.meets_row(row_id)
        return met.missing()

    def keep(self, session: Session) -> None:
        """After a whole listing, where anything has changed."""
        memos = {name: memo for name, memo in self._memos.items() if memo is not None}
        if self.source_id is not None and (memos != self._albums or self._listing is not None):
            listing.keep_albums(session, self.source_id, memos)


def _pages(walk: Iterator[Item], found: Listing) -> Iterator[list[Item]]:
    """The listing in pieces. Where it breaks off, what was seen until then comes before the fault is noted."""
    page: list[Item] = []
    try:
        for item in walk:
            page.append(item)
            if len(page) >= _PAGE:
                yield page
                page = []
    except (TransientError, PluginDown) as error:
        if not (page or found.listed):
            raise
        found.fault = error
    if page:
        yield page


def _source_id(database: Database, source: Source, dry_run: bool) -> int | None:
    if dry_run:
        with database.reading() as session:
            row = items.find_source(session, source.identity)
            return row.id if row else None
    return database.transact(lambda session: items.keep_source(session, source.identity, source.label))


def _last_listing(database: Database, source: Source, source_id: int | None) -> LastListing:
    """Rows that were there last time and that this walk will meet again if they still are."""
    if source_id is None:
        return LastListing()
    with database.reading() as session:
        return listing.last_listing(session, source_id, source.scope)


def _take_page(
    database: Database,
    source_id: int | None,
    page: list[Item],
    found: Listing,
    last: LastListing,
    dry_run: bool,
) -> None:
    page = list({item.key: item for item in page}.values())  # one that moves meanwhile is met twice
    found.listed += len(page)
    told = [item for item in page if not last.meets(listing.mark(item))]
    if not told:
        return
    with database.reading() as session:
        known = {} if source_id is None else listing.known(session, source_id, [item.key for item in told])
    new = [item for item in told if item.key not in known]
    changed = [item for item in told if item.key in known and item.stamp != known[item.key].stamp]
    found.new += len(new)
    found.changed += len(changed)
    for seen in known.values():
        last.meets_row(seen.id)
    if dry_run:
        found.unopened += [_unopened(0, item) for item in new]
        found.unopened += [_changed(known[item.key], item) for item in changed]
    elif source_id is not None:
        _write_page(database, source_id, told, known)


def _unopened(row_id: int, item: Item) -> Due:
    return Due(row_id, items.glob_path(item.section, item.path), item.path, item.moment, True, ())


def _changed(seen: Seen, item: Item) -> Due:
    return replace(_unopened(seen.id, item), only_beside=has_moved_beside(seen.read_stamp, item.stamp))


def _write_page(database: Database, source_id: int, page: list[Item], known: dict[str, Seen]) -> None:
    """Takes over what is new or said otherwise. Rows that were gone make up for what they missed meanwhile."""

    def write(session: Session) -> None:
        listing.add(session, source_id, [item for item in page if item.key not in known])
        listing.relist(session, [(known[item.key].id, item) for item in page if item.key in known])
        ledger.redeliver(session, [seen.id for seen in known.values() if seen.gone])

    database.transact(write)


def _take_leave(database: Database, found: Listing, last: _Last, now: datetime, dry_run: bool) -> None:
    """Marks what was not listed as gone, unless the listing is not to be trusted."""
    missing = last.missing()
    # Videos that nobody asks for any more are no disk that is gone.
    known = found.known - (_films(database, missing) if _FILMS & found.skipped.keys() else 0)
    is_halved = known >= _MANY and found.known - len(missing) < known / 2
    is_empty = known >= _SEVERAL and not found.listed
    if found.fault is None and (is_halved or is_empty):
        found.fault = Refused(
            f"{found.label} lists {found.listed:,} photos where {found.known:,} were known. "
            "Nothing was removed. Is everything mounted and switched on?"
        )
    if found.fault is None:
        found.gone = len(missing)
        if not dry_run:
            database.transact(lambda session: _settle(session, last, missing, now))


def _films(database: Database, row_ids: list[int]) -> int:
    """How many of these are videos."""
    with database.reading() as session:
        found = (item for part in items.chunks(row_ids) for item, _ in items.by_ids(session, part).values())
        return sum(kind_of(item.path) == "videos" for item in found)


def _settle(session: Session, last: _Last, missing: list[int], now: datetime) -> None:
    items.set_gone(session, missing, now)
    last.keep(session)

"""The listing of a source against what is known: what is new, changed, gone and back.

Absence is not evidence: a listing that broke off, or that holds less than half of what was known, marks
nothing as gone (RELIABILITY P8, P9, K1).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from tigertag.errors import PluginDown, Refused, TigerTagError, TransientError
from tigertag.model import Item, Source
from tigertag.store import items, ledger
from tigertag.store.database import Database

_PAGE = 500
_MANY = 20  # Fewer photos than this can shrink to less than half overnight without a disk being gone.
_SEVERAL = 5  # And fewer than this can all be deleted.


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
    unopened: list[str] = field(default_factory=list)
    """In a dry run: section/album/path of what is new or changed."""


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
    missing = _in_scope(database, source, source_id)
    found.known = len(missing)
    for page in _pages(source.items(), found):
        _take_page(database, source_id, page, found, missing, dry_run)
        if stop is not None and stop.is_set():
            found.was_stopped = True
            return found
    found.skipped = dict(source.skipped)
    _take_leave(database, found, missing, now, dry_run)
    return found


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
    with database.session() as session:
        return items.keep_source(session, source.identity, source.label)


def _in_scope(database: Database, source: Source, source_id: int | None) -> set[int]:
    """Rows that were there last time and that this walk will meet again if they still are."""
    if source_id is None:
        return set()
    with database.reading() as session:
        return {
            row_id
            for row_id, section, _ in items.live(session, source_id)
            if not source.scope or section in source.scope
        }


def _take_page(
    database: Database,
    source_id: int | None,
    page: list[Item],
    found: Listing,
    missing: set[int],
    dry_run: bool,
) -> None:
    with database.reading() as session:
        known = {} if source_id is None else items.known(session, source_id, [item.key for item in page])
    page = list({item.key: item for item in page}.values())  # one that moves meanwhile is met twice
    new = [item for item in page if item.key not in known]
    stale = [(known[item.key].id, item) for item in page if _differs(item, known.get(item.key))]
    found.listed += len(page)
    found.new += len(new)
    found.changed += sum(1 for item in page if _is_changed(item, known.get(item.key)))
    missing.difference_update(each.id for each in known.values())
    if dry_run:
        opened = [item for item in page if item.key not in known or _is_changed(item, known[item.key])]
        found.unopened += [items.glob_path(item.section, item.path) for item in opened]
    elif source_id is not None and (new or stale):
        back = [known[item.key].id for item in page if item.key in known and known[item.key].gone]
        _write_page(database, source_id, new, stale, back)


def _write_page(
    database: Database,
    source_id: int,
    new: Iterable[Item],
    stale: Iterable[tuple[int, Item]],
    back: Sequence[int],
) -> None:
    """`back` are rows that were gone: what they missed meanwhile is to be made up for."""

    def write(session: Session) -> None:
        items.add(session, source_id, new)
        for row_id, item in stale:
            items.relist(session, row_id, item)
        ledger.redeliver(session, back)

    database.transact(write)


def _is_changed(item: Item, seen: items.Seen | None) -> bool:
    return seen is not None and item.stamp != seen.stamp


def _differs(item: Item, seen: items.Seen | None) -> bool:
    """Whether the row must be written: a new stamp, another place, or back again."""
    return seen is not None and (
        seen.gone
        or (item.stamp, item.path, item.section, item.moment)
        != (seen.stamp, seen.path, seen.section, seen.moment)
        or dict(item.facts) != seen.facts
    )


def _take_leave(database: Database, found: Listing, missing: set[int], now: datetime, dry_run: bool) -> None:
    """Marks what was not listed as gone, unless the listing is not to be trusted."""
    is_halved = found.known >= _MANY and found.known - len(missing) < found.known / 2
    is_empty = found.known >= _SEVERAL and not found.listed
    if found.fault is None and (is_halved or is_empty):
        found.fault = Refused(
            f"{found.label} lists {found.listed:,} photos where {found.known:,} were known. "
            "Nothing was removed. Is everything mounted and switched on?"
        )
    if found.fault is None:
        found.gone = len(missing)
        if missing and not dry_run:
            with database.session() as session:
                items.set_gone(session, sorted(missing), now)

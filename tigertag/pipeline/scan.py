"""A scan: listing first and whole, then what is due in order, then the writing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tigertag.errors import (
    Incomplete,
    PluginDown,
    Refused,
    TransientError,
    Unreachable,
)
from tigertag.media import can_decode
from tigertag.pipeline.analyze import analyze, may_see
from tigertag.pipeline.courier import Courier
from tigertag.pipeline.discover import Listing, discover
from tigertag.pipeline.fetch import DueItem
from tigertag.pipeline.spool import take_up
from tigertag.pipeline.survey import bring_in_line, looks_restored
from tigertag.pipeline.work import OpenEngine, OpenSource, OpenTarget, Tally, Work
from tigertag.pipeline.write import Delivering
from tigertag.store import answers, items, ledger
from tigertag.store.database import Database

_EARLIEST = datetime.min


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the due items a scan takes up, and in which order."""

    limit: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Moments: `since` inclusive, `until` exclusive."""
    paths: frozenset[str] | None = None
    """Only these: paths as shown, with or without the section before them."""
    ids: frozenset[int] | None = None
    """Only these rows."""
    order: str = "newest"
    retry_failed: bool = False

    def takes(self, due: items.Due) -> bool:
        if self.ids is not None and due.id not in self.ids:
            return False
        if self.paths is not None and not {due.path, due.short} & self.paths:
            return False
        if self.since is None and self.until is None:
            return True
        moment = due.moment
        return (
            moment is not None
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment < self.until)
        )


@dataclass(slots=True)
class Scanned:
    """What a scan found and did."""

    listings: list[Listing] = field(default_factory=list)
    due: int = 0
    tally: Tally = field(default_factory=Tally)


def in_order(due: Iterable[DueItem], order: str) -> list[DueItem]:
    """`newest` and `oldest` by moment, those without one last; `path` by section/album/path."""
    if order == "path":
        return sorted(due, key=lambda each: each.due.path)
    dated = [each for each in due if each.due.moment is not None]
    undated = [each for each in due if each.due.moment is None]
    dated.sort(key=lambda each: (each.due.moment or _EARLIEST, each.due.id), reverse=order == "newest")
    return dated + sorted(undated, key=lambda each: each.due.id)


def list_sources(work: Work, sources: Sequence[OpenSource], scanned: Scanned) -> list[OpenSource]:
    """Walks each source; one that does not answer is put aside. Those that can be read from."""
    usable = []
    for each in sources:
        try:
            listing = discover(work.database, each.source, work.now(), stop=work.stop)
        except (PluginDown, TransientError, Refused) as error:
            scanned.tally.put_aside(each.source.label, error)
            continue
        scanned.listings.append(listing)
        if listing.fault is not None:
            scanned.tally.put_aside(listing.label, listing.fault)
        if isinstance(listing.fault, Incomplete) or not isinstance(listing.fault, Refused | Unreachable):
            usable.append(each)
    return usable


def enlist(work: Work, sources: Sequence[OpenSource], engines: Sequence[OpenEngine]) -> None:
    """Gives every photo that an engine may see and has not answered a row that waits."""
    for source in sources:
        for engine in engines:
            by_input = engine.engine.reads == "file"
            with work.database.reading() as session:
                rows = items.without_analysis(session, source.row_id, engine.revision_id, by_input=by_input)
            asks = [(photo, given) for _, photo, given, path in rows if may_see(engine, path)]
            for part in items.chunks(asks):
                with work.database.session() as session:
                    answers.enlist(session, engine.revision_id, part, work.now())


def find_due(
    database: Database, sources: Sequence[OpenSource], engines: Sequence[OpenEngine], choice: Choice
) -> list[DueItem]:
    """What waits to be opened or asked, chosen and in order."""
    revisions = {engine.revision_id for engine in engines}
    found: list[DueItem] = []
    for source in sources:
        with database.reading() as session:
            rows = items.due(session, source.row_id, revisions)
        found += [DueItem(row, source) for row in rows if choice.takes(row) and _is_for(row, engines)]
    return in_order(found, choice.order)[: choice.limit]


def _is_for(due: items.Due, engines: Sequence[OpenEngine]) -> bool:
    return any(
        (due.unread or engine.revision_id in due.revisions) and may_see(engine, due.path) for engine in engines
    )


def reopen(database: Database, *, retry_failed: bool, revisions: Collection[int]) -> None:
    """Lets items wait again whose decoder is there now, and what failed where a person asks for it."""
    with database.reading() as session:
        extras = {extra for extra in items.count_needs(session) if can_decode(extra)}
    if extras or retry_failed:
        with database.session() as session:
            items.reopen(session, extras=extras, failed=retry_failed)
            if retry_failed:
                answers.retry_failed(session, revisions)


def scan(
    work: Work,
    sources: Sequence[OpenSource],
    engines: Sequence[OpenEngine],
    targets: Sequence[OpenTarget],
    choice: Choice,
    scanned: Scanned,
    *,
    write: bool = True,
) -> None:
    """Lists, asks what is due, writes. What happened is in `scanned`, also when it is cut short."""
    take_up(work, targets)
    usable = list_sources(work, sources, scanned)
    reopen(work.database, retry_failed=choice.retry_failed, revisions=[each.revision_id for each in engines])
    enlist(work, usable, engines)
    ways = [Delivering(work, target, scanned.tally) for target in targets]
    ways = [how for how in ways if not write or _bring(how)]
    due = find_due(work.database, usable, engines, choice)
    ways = [how for how in ways if not write or _may_write(how, due)]
    scanned.due = len(due)
    work.watch.begin(len(due))
    couriers = [Courier(how, _known(work, how.target)) for how in ways] if write else []
    try:
        analyze(work, due, engines, targets, couriers, scanned.tally)
    finally:
        for courier in couriers:
            courier.close()
    if write and not work.stop.is_set():
        for courier in couriers:
            if not courier.is_down:
                _bring(courier.how)


def _known(work: Work, target: OpenTarget) -> set[int]:
    with work.database.reading() as session:
        return ledger.items_with_ours(session, target.row_id)


def _bring(how: Delivering) -> bool:
    """Brings a target in line; False where it can not be written to in this run."""
    return _tried(how, lambda: bring_in_line(how))


def _may_write(how: Delivering, due: Sequence[DueItem]) -> bool:
    """Whether the photos that are due may be written while others are still looked at."""
    return not due or _tried(how, lambda: looks_restored(how, [each.due.id for each in due]))


def _tried(how: Delivering, act: Callable[[], object]) -> bool:
    try:
        act()
    except (PluginDown, TransientError) as error:
        how.tally.put_aside(how.target.target.label, error)
    return how.target.target.label not in how.tally.aside

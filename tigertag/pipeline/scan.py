"""A scan: listing first and whole, then what is due in order, then the writing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.orm import Session

from tigertag.errors import (
    Incomplete,
    PluginDown,
    Refused,
    TransientError,
    Unreachable,
)
from tigertag.media import can_decode
from tigertag.pipeline.analyze import analyze
from tigertag.pipeline.choose import Choice, may_see
from tigertag.pipeline.courier import Courier
from tigertag.pipeline.discover import Listing, discover
from tigertag.pipeline.due import find_due
from tigertag.pipeline.record import Delivering
from tigertag.pipeline.spool import room, take_up
from tigertag.pipeline.survey import bring_in_line, looks_restored
from tigertag.pipeline.work import OpenEngine, OpenSource, OpenTarget, Tally, Work
from tigertag.pipeline.workshop import Workshop
from tigertag.store import answers, incoming, items, ledger
from tigertag.store.database import Database
from tigertag.store.due import without_analysis


@dataclass(slots=True)
class Scanned:
    """What a scan found and did."""

    listings: list[Listing] = field(default_factory=list)
    due: int = 0
    tally: Tally = field(default_factory=Tally)


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
            for part in _without_analysis(work.database, source, engine):
                keys = [
                    (photo, engine.revision_id, given)
                    for _, photo, given, path in part
                    if may_see(engine, path)
                ]
                work.database.transact(partial(incoming.enlist, keys=keys, now=work.now()))


def _without_analysis(
    database: Database, source: OpenSource, engine: OpenEngine
) -> Iterator[list[tuple[int, int, str, str]]]:
    last, by_input = 0, engine.engine.reads == "file"
    while True:
        with database.reading() as session:
            part = without_analysis(session, source.row_id, engine.revision_id, by_input=by_input, after=last)
        if not part:
            return
        yield part
        last = part[-1][0]


def reopen(database: Database, *, retry_failed: bool, revisions: Collection[int]) -> None:
    """Lets items wait again whose decoder is there now, and what failed where a person asks for it."""
    with database.reading() as session:
        extras = {extra for extra in items.count_needs(session) if can_decode(extra)}
    if extras or retry_failed:
        database.transact(partial(_reopen, extras=extras, failed_of=revisions if retry_failed else None))


def _reopen(session: Session, *, extras: Collection[str], failed_of: Collection[int] | None) -> None:
    items.reopen(session, extras=extras, failed=failed_of is not None)
    if failed_of is not None:
        answers.retry_failed(session, failed_of)
        ledger.retry_failed(session)


def scan(
    work: Work,
    sources: Sequence[OpenSource],
    engines: Sequence[OpenEngine],
    targets: Sequence[OpenTarget],
    choice: Choice,
    scanned: Scanned,
    workshop: Workshop,
    *,
    write: bool = True,
) -> None:
    """Lists, asks what is due, writes. What happened is in `scanned`, also when it is cut short."""
    take_up(work, targets, scanned.tally)
    usable = list_sources(work, sources, scanned)
    reopen(work.database, retry_failed=choice.retry_failed, revisions=[each.revision_id for each in engines])
    enlist(work, usable, engines)
    ways = [Delivering(work, target, scanned.tally) for target in targets]
    ways = [how for how in ways if not write or _bring(how)]
    due = find_due(work.database, usable, engines, choice)
    ways = [how for how in ways if not write or _may_write(how, due.ids)]
    scanned.due = len(due)
    work.watch.begin(len(due))
    couriers = [Courier(how) for how in ways] if write else []
    try:
        with room(work.spool) if scanned.due and _is_billed(engines) else nullcontext():
            analyze(work, due, engines, targets, couriers, scanned.tally, workshop)
    finally:
        for courier in couriers:
            courier.close()
    if write and not work.stop.is_set():
        for courier in couriers:
            if not courier.is_down:
                _bring(courier.how)


def _is_billed(engines: Sequence[OpenEngine]) -> bool:
    return any(each.engine.billed for each in engines)


def _bring(how: Delivering) -> bool:
    """Brings a target in line; False where it can not be written to in this run."""
    return _tried(how, lambda: bring_in_line(how))


def _may_write(how: Delivering, due: Sequence[int]) -> bool:
    """Whether the photos that are due may be written while others are still looked at."""
    return not due or _tried(how, lambda: looks_restored(how, due))


def _tried(how: Delivering, act: Callable[[], object]) -> bool:
    try:
        act()
    except (PluginDown, TransientError) as error:
        how.tally.put_aside(how.target.target.label, error)
    return how.target.target.label not in how.tally.aside

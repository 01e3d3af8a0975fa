"""`scan --dry-run`: what a scan would do, what that would cost, and how long it would take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from tigertag.app.context import App, build_engine, engine_options
from tigertag.app.fetching import lacks
from tigertag.app.limiting import spent_of
from tigertag.app.scanning import (
    EngineLine,
    ScanOrder,
    ScanReport,
    open_sources,
    ordered,
    sources_of,
)
from tigertag.app.starting import chosen_engines
from tigertag.app.waiting import as_shown, waits_for
from tigertag.config import Declared
from tigertag.pipeline.choose import Choice, may_see
from tigertag.pipeline.discover import Listing, discover
from tigertag.pipeline.limits import Limits
from tigertag.pipeline.outlook import Known, outlook
from tigertag.pipeline.work import OpenEngine, OpenSource, Tally
from tigertag.store import due as store
from tigertag.store import items, revisions, runs
from tigertag.store.database import Database
from tigertag.store.due import Due
from tigertag.store.revisions import RevisionFacts


def forecast(app: App, order: ScanOrder) -> ScanReport:
    """What a scan would do: lists the sources, asks no engine, writes nothing, makes no database."""
    began = time.monotonic()
    tally = Tally()
    with app.looking() as database, ExitStack() as stack:
        sources = open_sources(app, database, sources_of(app, order), stack, tally)
        listings = [discover(database, each.source, app.now(), dry_run=True) for each in sources]
        for listing in listings:
            if listing.fault is not None:
                tally.put_aside(listing.label, listing.fault)
        built = [(each, _built(database, each, stack)) for each in chosen_engines(app, order.engines)]
        engines = [each for declared, each in built if not lacks(declared, each.engine)]
        offers = [lacking for declared, each in built if (lacking := lacks(declared, each.engine))]
        choice = ordered(order, engines)
        if choice.paths is not None:
            choice = replace(choice, paths=as_shown(choice.paths, sources))
        library = _Library(database, sources, listings, engines)
        counts = [library.due(each) for each in engines] if choice.takes_all else library.chosen(choice)
        lines = [_line(app, database, each, count) for each, count in zip(engines, counts, strict=True)]
    return ScanReport(
        run_id=None,
        listings=listings,
        engines=lines,
        tally=tally,
        due=sum(listing.new + listing.changed for listing in listings),
        seconds=time.monotonic() - began,
        dry_run=True,
        kept_in=app.settings.db_url_shown,
        offers=tuple(offers),
    )


def _built(database: Database, declared: Declared, stack: ExitStack) -> OpenEngine:
    """An engine that is not started. One whose settings never ran has the revision 0, which no row has."""
    engine, options = build_engine(database, declared, stack), engine_options(declared)
    facts = RevisionFacts(declared.plugin, engine.settings, engine.version, engine.reads)
    with database.reading() as session:
        revision_id = revisions.find(session, facts) or 0
    return OpenEngine(
        declared.id,
        engine,
        revision_id,
        only=options.only,
        except_=options.except_,
        order=options.order,
        limits=Limits(options.rules()),
    )


def _line(app: App, database: Database, each: OpenEngine, calls: int) -> EngineLine:
    """What so many calls would cost and take, as far as settings and earlier runs tell."""
    declared = next(one for one in app.settings.engines if one.id == each.name)
    rules = each.limits.rules
    with database.reading() as session:
        budget = spent_of(session, declared, app.now())
        took = runs.last_paces(session).get(each.name)
    is_measured_whole = each.engine.runs_in == "worker" and not rules.counts_calls
    at_once = 1 if is_measured_whole else engine_options(declared).concurrency
    known = Known(rules, at_once, budget.used if budget else 0, took)
    return EngineLine(
        each.name,
        each.engine.sends,
        waiting=calls,
        billed=each.engine.billed,
        budget=budget,
        hours=str(rules.hours or ""),
        closed_until=Limits(rules, now=app.now).closed_until(),
        outlook=outlook(known, calls, app.now()),
    )


class _Library:
    """What is known of the photos, and what the listings have just shown of them."""

    def __init__(
        self,
        database: Database,
        sources: Sequence[OpenSource],
        listings: Sequence[Listing],
        engines: Sequence[OpenEngine],
    ) -> None:
        self.database, self.sources, self.engines = database, sources, engines
        self.unopened = [each for listing in listings for each in listing.unopened]

    def due(self, engine: OpenEngine) -> int:
        """Photos that it would be asked about at most; copies among the new ones cost nothing."""
        by_input = engine.engine.reads == "file"
        unopened = [each for each in self.unopened if _may_be_news(each, engine)]
        changed = frozenset(each.id for each in unopened if each.id)
        known = waits_for(
            self.database, self.sources, engine, engine.revision_id, by_input=by_input, but=changed
        )
        return known + sum(may_see(engine, each.path) for each in unopened)

    def chosen(self, choice: Choice) -> list[int]:
        """The same for each engine, of those photos only that the scan would take up."""
        found = {each.id: each for each in self._known()}
        for number, each in enumerate(self.unopened):
            waiting = found[each.id].revisions if each.only_beside and each.id in found else ()
            found[each.id or 2**62 + number] = replace(each, revisions=waiting)
        keyed = [replace(each, id=key) for key, each in found.items() if choice.takes(each)]
        taken = [each for each in keyed if any(self._asks(place, each) for place in range(len(self.engines)))]
        taken.sort(key=lambda each: _place(each, choice.order))
        return [self._photos(place, taken[: choice.limit]) for place in range(len(self.engines))]

    def _known(self) -> Iterator[Due]:
        """Items with work to do. Their `revisions` are the places of the engines that they wait for."""
        places: dict[int, set[int]] = {}
        in_force = {engine.revision_id for engine in self.engines} - {0}
        rows = [source.row_id for source in self.sources]
        with self.database.reading() as session:
            for each in store.due(session, rows, in_force):
                places[each.id] = {
                    place for place, engine in enumerate(self.engines) if engine.revision_id in each.revisions
                }
        for place, row_id in self._unlisted():
            places.setdefault(row_id, set()).add(place)
        for part in items.chunks(list(places)):
            with self.database.reading() as session:
                loaded = store.load(session, part, in_force)
            yield from (replace(each.due, revisions=tuple(sorted(places[each.due.id]))) for each in loaded)

    def _unlisted(self) -> Iterator[tuple[int, int]]:
        """Place of the engine and id of each item that a scan would enlist for it."""
        for place, engine in enumerate(self.engines):
            for source in self.sources:
                last, by_input = 0, engine.engine.reads == "file"
                while True:
                    with self.database.reading() as session:
                        part = store.without_analysis(
                            session, source.row_id, engine.revision_id, by_input=by_input, after=last
                        )
                    if not part:
                        break
                    yield from ((place, row[0]) for row in part)
                    last = part[-1][0]

    def _asks(self, place: int, each: Due) -> bool:
        is_news = each.unread and _may_be_news(each, self.engines[place])
        return (is_news or place in each.revisions) and may_see(self.engines[place], each.path)

    def _photos(self, place: int, taken: Sequence[Due]) -> int:
        mine = [each for each in taken if self._asks(place, each)]
        with self.database.reading() as session:
            known = items.photos_of(session, [each.id for each in mine if not each.unread])
        return sum(each.unread for each in mine) + len(known)


def _may_be_news(each: Due, engine: OpenEngine) -> bool:
    """Whether an engine may be asked about what is in an item that is to be opened."""
    return not each.only_beside or engine.engine.reads == "file"


def _place(each: Due, order: str) -> tuple[bool, float, str, int]:
    """As a scan takes them up."""
    if order == "path":
        return False, 0, each.path, each.id
    sign = 1 if order == "oldest" else -1
    moment = each.moment.timestamp() if each.moment else 0
    return each.moment is None, sign * moment, "", sign * each.id

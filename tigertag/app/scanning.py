"""`scan` and `retag`: what is asked, of whom, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tigertag import plugins
from tigertag.app.context import (
    App,
    Run,
    build_source,
    engine_options,
    open_targets,
)
from tigertag.app.fetching import content_offered
from tigertag.app.limiting import Spent, open_limits
from tigertag.app.preparing import open_workshop
from tigertag.app.servers import is_another
from tigertag.app.starting import start_engines
from tigertag.app.waiting import as_shown, waits_for
from tigertag.app.words import look_with
from tigertag.config import Declared
from tigertag.errors import ConfigError, TigerTagError
from tigertag.media.names import kind_of
from tigertag.model import JSON, EngineRules, Outcome, Quota, Source
from tigertag.pipeline.choose import Choice
from tigertag.pipeline.discover import Listing
from tigertag.pipeline.outlook import Outlook
from tigertag.pipeline.scan import Scanned
from tigertag.pipeline.scan import scan as run_scan
from tigertag.pipeline.work import OpenEngine, OpenSource, Tally
from tigertag.store import due, items, revisions, sends
from tigertag.store.database import Database

__all__ = [
    "Choice",
    "EngineLine",
    "Listing",
    "Outlook",
    "ScanOrder",
    "ScanReport",
    "Spent",
    "Tally",
    "scan",
]


@dataclass(frozen=True, slots=True)
class ScanOrder:
    """What `scan` was asked for. `places` are section titles, section keys and paths; none: everything."""

    places: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)
    order: str | None = None
    write: bool = True
    wait: bool = False
    sure: bool = False
    videos: bool = False
    """Look at videos, too, wherever their source leaves them alone."""


@dataclass(frozen=True, slots=True)
class EngineLine:
    """How an engine stands after a scan, or before one."""

    id: str
    sends: str
    quota: Quota | None = None
    waiting: int = 0
    """Photos that it has not answered yet."""
    billed: bool = False
    answered: int = 0
    maybe_billed: int = 0
    """Requests of this run that no answer came to."""
    maybe_billed_before: int = 0
    """Those of runs that were cut off since the last one that ended."""
    reason: str = ""
    """Why it was put aside."""
    planned: bool = False
    until: str = ""
    calls: int = 0
    """Requests of this run; for an engine that bills nobody photos, counted where it has limits."""
    cost: float | None = None
    """Of the calls that were, or may have been, billed; of all where nobody bills. None: no price is set."""
    budget: Spent | None = None
    hours: str = ""
    closed_until: str = ""
    """When its hours begin again; empty within them."""
    outlook: Outlook | None = None
    """In a dry run."""


@dataclass(slots=True)
class ScanReport:
    """What a scan found and did, for people and for `--json`."""

    run_id: int | None
    listings: list[Listing]
    engines: list[EngineLine]
    tally: Tally
    due: int
    seconds: float
    known_failures: int = 0
    retried: bool = False
    """Those were tried again (`--retry-failed`), and failed as before."""
    dry_run: bool = False
    kept_in: str = ""
    """Where the answers are kept: the database, without its password."""
    offers: tuple[str, ...] = ()
    """What more there would be, and how to get it: a sentence each."""

    @property
    def exit_code(self) -> int:
        return self.tally.exit_code


def scan(app: App, order: ScanOrder) -> ScanReport:
    """Lists, asks and writes. Raises ConfigError before anything starts; what is met later is in the report."""
    began = time.monotonic()
    with app.running("scan", " ".join(order.places), wait=order.wait) as run, ExitStack() as stack:
        scanned = Scanned(tally=run.tally)
        workshop = open_workshop(app, stack)
        database = run.work.database
        sources = open_sources(app, database, sources_of(app, order), stack, run.tally, sure=order.sure)
        targets = open_targets(app, database, stack, run.tally)
        started = start_engines(app, run, order.engines, stack, sure=order.sure)
        engines = look_with(app, run, started)
        choice = ordered(order, engines)
        if choice.paths is not None:
            choice = replace(choice, paths=as_shown(choice.paths, sources))
        try:
            run_scan(run.work, sources, engines, targets, choice, scanned, workshop, write=order.write)
        finally:
            if scanned.listings and not app.stopped_by:
                run.offers += content_offered(app.settings)
            report = report_of(app, run, sources, scanned, engines, time.monotonic() - began)
            report.retried = choice.retry_failed
    return report


def ordered(order: ScanOrder, engines: Sequence[OpenEngine]) -> Choice:
    """The order asked for, else that of the first billed engine: it is its quota that the order spends."""
    first = sorted(engines, key=lambda each: not each.engine.billed)[:1]
    return replace(order.choice, order=order.order or (first[0].order if first else "newest"))


# ── sources ───────────────────────────────────────────────────────────────────────────────────────────────


def open_sources(
    app: App,
    database: Database,
    chosen: Sequence[Declared],
    stack: ExitStack,
    tally: Tally,
    *,
    sure: bool = False,
) -> list[OpenSource]:
    """The sources with their rows; one that does not answer is put aside, and so is a server in the place of
    another, unless a person is `sure`.
    """
    found: dict[str, tuple[Declared, Source]] = {}
    for declared in chosen:
        source = build_source(database, declared, stack)
        try:
            identity, _ = source.identity, source.scope  # sections that are not there are said before a row is
        except TigerTagError as error:
            if error.exit_code == 2:
                raise
            tally.put_aside(f"source {declared.id}", error)
            continue
        found[identity] = (declared, source)
    return _with_rows(database, found, tally, sure=sure)


def _with_rows(
    database: Database, found: Mapping[str, tuple[Declared, Source]], tally: Tally, *, sure: bool
) -> list[OpenSource]:
    opened = []
    for identity, (declared, source) in found.items():
        try:
            refusal = None if sure else is_another(database, source, found)
            if refusal is not None:
                raise refusal
            opened.append(OpenSource(_source_row(database, identity, source.label), source))
        except TigerTagError as error:
            if error.exit_code == 2:
                raise
            tally.put_aside(f"source {declared.id}", error)
    return opened


def _source_row(database: Database, identity: str, label: str) -> int:
    with database.reading() as session:
        row = items.find_source(session, identity)
        if row is not None:
            return row.id
    if database.read_only:
        return 0
    return database.transact(lambda session: items.keep_source(session, identity, label))


def sources_of(app: App, order: ScanOrder) -> list[Declared]:
    """Those that a scan is to look into. Raises ConfigError where there are none."""
    chosen = chosen_sources(app, order.places)
    return [_with(each, videos=True) if order.videos else each for each in chosen]


def chosen_sources(app: App, places: Sequence[str]) -> list[Declared]:
    """All enabled sources, or those that `places` name. Raises ConfigError where there are none."""
    enabled = [each for each in app.settings.sources if each.enabled]
    if not places:
        if not enabled:
            raise ConfigError(
                "There is nothing to scan: name a folder (`tigertag scan ~/Pictures`), or set PLEX_URL and "
                "PLEX_TOKEN in .env"
            )
        return enabled
    folders = [place for place in places if _is_path(place)]
    sections = tuple(place for place in places if place not in folders)
    chosen = [source_at(app, place) for place in folders]
    if sections:
        plex = [each for each in enabled if "sections" in type(each.options).model_fields]
        if not plex:
            names = ", ".join(f"`{name}`" for name in sections)
            raise ConfigError(
                f"{names}: no such folder, and no Plex server is set up to look for a section there"
            )
        chosen += [_with(each, sections=sections) for each in plex]
    return chosen


def _is_path(place: str) -> bool:
    return Path(place).expanduser().exists() or os.sep in place or place.startswith((".", "~"))


def source_at(app: App, place: str, plugin: str = "") -> Declared:
    """The source declared for that folder, photo or archive, else one made for it with the defaults."""
    path = Path(place).expanduser().absolute()
    plugin = plugin or ("archive" if path.is_file() and kind_of(path.name) == "archives" else "folder")
    for declared in app.settings.sources:
        there = Path(str(getattr(declared.options, "path", ""))).absolute()
        if declared.enabled and declared.plugin == plugin and there == path:
            return declared
    options = plugins.options_of(plugins.find("source", plugin))
    return Declared(plugin, "source", plugin, options.model_validate({"path": path}))


def _with(declared: Declared, **changes: object) -> Declared:
    """The same with other options, as far as it has them."""
    known = {name: value for name, value in changes.items() if name in type(declared.options).model_fields}
    options = declared.options.model_copy(update=known)
    return Declared(declared.id, declared.family, declared.plugin, options, declared.enabled, declared.origin)


# ── the report ────────────────────────────────────────────────────────────────────────────────────────────


def report_of(
    app: App,
    run: Run,
    sources: Sequence[OpenSource],
    scanned: Scanned,
    engines: Sequence[OpenEngine],
    seconds: float,
) -> ScanReport:
    """What a person is told, from how the database stands now."""
    lines = [_engine_line(run, sources, each) for each in engines]
    lines += [
        _absent_line(app, run, sources, each)
        for each in app.settings.engines
        if each.id in run.tally.aside and each.id not in {line.id for line in lines}
    ]
    with run.work.database.reading() as session:
        places = [each.row_id for each in sources]
        known = due.count_failures(session, places, [each.revision_id for each in engines])
        known += items.count_problems(session, places)
        scanned.tally.needs = items.count_needs(session)
    new = len(scanned.tally.failures)
    run.facts |= {"due": scanned.due, "quota": _quotas(lines), "seconds": round(seconds, 1)}
    run.facts |= {
        "calls": {line.id: line.calls for line in lines if line.calls},
        "cost": {line.id: line.cost for line in lines if line.cost is not None},
        "took": {each.name: took for each in engines if (took := each.pace.seconds_per_photo) is not None},
    }
    return ScanReport(
        run_id=run.work.run_id,
        listings=scanned.listings,
        engines=lines,
        tally=scanned.tally,
        due=scanned.due,
        seconds=seconds,
        known_failures=max(0, known - new),
        kept_in=app.settings.db_url_shown,
        offers=tuple(run.offers),
    )


def _engine_line(run: Run, sources: Sequence[OpenSource], each: OpenEngine) -> EngineLine:
    error = run.tally.aside.get(each.name)
    with run.work.database.reading() as session:
        requests = sends.count(session, run.work.run_id)
        in_doubt = sends.in_doubt(session, run.work.run_id)
    calls = {outcome: requests.get((each.revision_id, outcome), 0) for outcome in Outcome}
    rules = each.limits.rules
    return EngineLine(
        each.name,
        each.engine.sends,
        billed=each.engine.billed,
        quota=each.engine.quota(),
        waiting=waits_for(
            run.work.database, sources, each, each.revision_id, by_input=each.engine.reads == "file"
        ),
        answered=run.tally.answered.get(each.name, 0),
        maybe_billed=calls[Outcome.UNKNOWN] if each.engine.billed else 0,
        maybe_billed_before=in_doubt.get(each.revision_id, 0) if each.engine.billed else 0,
        reason=str(error) if error else "",
        planned=bool(getattr(error, "planned", False)),
        until=str(getattr(error, "until", "")),
        calls=sum(calls.values()),
        cost=_cost(rules, calls, billed=each.engine.billed),
        budget=each.limits.spent(),
        hours=str(rules.hours or ""),
        closed_until=each.limits.closed_until(),
    )


def _cost(rules: EngineRules, calls: Mapping[Outcome, int], *, billed: bool) -> float | None:
    """What was, or may have been, billed; all of it where nobody bills."""
    if rules.cost_per_call is None:
        return None
    free = calls[Outcome.FREE] if billed else 0
    return (sum(calls.values()) - free) * rules.cost_per_call


def _absent_line(app: App, run: Run, sources: Sequence[OpenSource], declared: Declared) -> EngineLine:
    """An engine that did not start: its photos wait."""
    error = run.tally.aside[declared.id]
    with run.work.database.reading() as session:
        revision = revisions.newest(session, declared.id)
    limits = open_limits(app, run.work.database, declared)
    return EngineLine(
        declared.id,
        "",
        waiting=waits_for(
            run.work.database,
            sources,
            engine_options(declared),
            revision.id if revision else 0,
            by_input=revision is not None and revision.reads == "file",
        ),
        reason=str(error),
        planned=bool(getattr(error, "planned", False)),
        until=str(getattr(error, "until", "")),
        budget=limits.spent(),
        hours=str(limits.rules.hours or ""),
        closed_until=limits.closed_until(),
    )


def _quotas(lines: Sequence[EngineLine]) -> JSON:
    return {
        line.id: {
            "used": line.quota.used,
            "limit": line.quota.limit,
            "left": line.quota.left,
            "until": line.quota.until,
        }
        for line in lines
        if line.quota is not None
    }

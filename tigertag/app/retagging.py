"""`retag`: asking again. The old answers stay until the new ones are there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tigertag.app.context import App, Run, open_targets
from tigertag.app.limiting import money
from tigertag.app.named import items_named
from tigertag.app.preparing import open_workshop
from tigertag.app.scanning import ScanReport, chosen_sources, open_sources, report_of, source_at
from tigertag.app.starting import start_engines
from tigertag.app.words import look_with
from tigertag.config import Declared
from tigertag.errors import ConfigError, Refused
from tigertag.pipeline.choose import Choice
from tigertag.pipeline.scan import Scanned
from tigertag.pipeline.scan import scan as run_scan
from tigertag.pipeline.work import OpenEngine
from tigertag.store import answers, find, items
from tigertag.store.database import Database


@dataclass(frozen=True, slots=True)
class RetagOrder:
    """What `retag` was asked for: sections, folders and photos; none: everything."""

    places: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    sure: bool = False
    wait: bool = False


def retag(app: App, order: RetagOrder) -> ScanReport:
    """Asks the engines again about photos that they have answered. Billed engines need a yes first."""
    began = time.monotonic()
    with app.running("retag", " ".join(order.places), wait=order.wait) as run, ExitStack() as stack:
        scanned = Scanned(tally=run.tally)
        workshop = open_workshop(app, stack)
        database = run.work.database
        ids, declared = _meant(app, database, order.places)
        sources = open_sources(app, database, declared, stack, run.tally)
        targets = open_targets(app, database, stack, run.tally)
        started = start_engines(app, run, order.engines, stack, sure=order.sure)
        engines = look_with(app, run, started)
        _ask_first(app, run, order, engines, ids)
        revisions = [each.revision_id for each in engines]
        database.transact(lambda session: answers.ask_again(session, revisions, sorted(ids)))
        try:
            run_scan(run.work, sources, engines, targets, Choice(ids=frozenset(ids)), scanned, workshop)
        finally:
            report = report_of(app, run, sources, scanned, engines, time.monotonic() - began)
    return report


def _ask_first(app: App, run: Run, order: RetagOrder, engines: Sequence[OpenEngine], ids: set[int]) -> None:
    """Spending money again needs a person's word."""
    with run.work.database.reading() as session:
        photos = items.photos_of(session, sorted(ids))
    paid = [each.name for each in engines if each.engine.billed]
    if not paid or not photos or order.sure:
        return
    prices = [each.limits.rules.cost_per_call for each in engines if each.engine.billed]
    known = [price for price in prices if price is not None]
    cost = f" (cost {money(len(photos) * sum(known))})" if known else ""
    what = f"{' and '.join(paid)} would be asked again about {len(photos):,} photos, which is billed{cost}"
    if not app.confirm(f"{what}. Go on?"):
        raise Refused(f"{what}. Nothing was sent. Run it with --yes if you want that.")


def _meant(app: App, database: Database, places: Sequence[str]) -> tuple[set[int], list[Declared]]:
    """The rows that `places` mean, and the sources they lie in. Raises ConfigError for what is not known."""
    ids: set[int] = set()
    declared: list[Declared] = []
    unknown = []
    with database.reading() as session:
        if not places:
            return set(find.live_items(session)), chosen_sources(app, ())
        sections = find.sections(session)
        for place in places:
            found = find.items_of_section(session, place) if place in sections else []
            if Path(place).expanduser().is_dir():
                root = str(Path(place).expanduser().resolve())
                found = [*found, *find.items_below(session, root)]
            found = found or items_named(session, place)
            if not found:
                unknown.append(place)
            ids.update(found)
        identities = find.identities_of(session, sorted(ids))
    if unknown:
        raise ConfigError(*(f"`{place}` is no section, folder or photo that was scanned" for place in unknown))
    for identity in identities:
        plugin, _, place = identity.partition(":")
        if plugin == "folder":
            declared.append(source_at(app, place.partition(":")[2], plugin))
        elif plugin == "archive":
            declared += _archives(app, place)
    if any(not identity.startswith(("folder:", "archive:")) for identity in identities):
        declared += [each for each in chosen_sources(app, ()) if each.plugin not in ("folder", "archive")]
    return ids, declared


def _archives(app: App, place: str) -> list[Declared]:
    """The source for the archive that was first seen at `place`; those declared where it may be one of them."""
    found = source_at(app, place, "archive")
    known = [each for each in app.settings.sources if each.enabled and each.plugin == "archive"]
    return [found] if found in known or not known or Path(place).exists() else known

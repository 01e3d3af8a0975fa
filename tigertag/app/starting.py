"""Engines made ready for a run: those chosen, what they lack fetched, their revisions in force."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

from tigertag.app.context import App, Run, build_engine, engine_options, engine_policy
from tigertag.app.fetching import NotFetched, fetch_first
from tigertag.app.limiting import money, open_limits, raise_if_closed
from tigertag.config import Declared
from tigertag.errors import ConfigError, PluginDown, Refused
from tigertag.model import Engine
from tigertag.pipeline.work import OpenEngine
from tigertag.store import answers, revisions
from tigertag.store.revisions import RevisionFacts
from tigertag.worker import Blueprint

_GLANCE = 0.1  # Seconds between two looks at whether a signal asked for an end.


def chosen_engines(app: App, names: Sequence[str]) -> list[Declared]:
    """The enabled engines, or those named. Raises ConfigError for a name that is none of them."""
    enabled = {each.id: each for each in app.settings.engines if each.enabled}
    unknown = [name for name in names if name.lower() not in enabled]
    if unknown:
        known = ", ".join(enabled) or "none"
        raise ConfigError(*(f"There is no engine `{name}`; enabled are: {known}" for name in unknown))
    return [enabled[name.lower()] for name in names] if names else list(enabled.values())


def start_engines(
    app: App, run: Run, names: Sequence[str], stack: ExitStack, *, sure: bool = False
) -> list[OpenEngine]:
    """The engines, ready to be asked, each with its revision in force. One that cannot start is put aside; one
    that nobody has set up, and that lacks something, takes no part.
    """
    started = []
    for declared in chosen_engines(app, names):
        engine = build_engine(run.work.database, declared, stack)
        try:
            raise_if_closed(app, declared)
            fetch_first(app, declared, engine)
            _start(app, engine)
            facts = RevisionFacts(declared.plugin, engine.settings, engine.version, engine.reads)
            if engine.billed and not sure:
                _ask_before_billing_again(app, run, declared, facts)
        except NotFetched as error:
            run.offers.append(f"{declared.id} takes no part: {error}")
            continue
        except (PluginDown, Refused) as error:
            run.tally.put_aside(declared.id, error)
            continue
        revision_id = run.work.database.transact(
            lambda session, name=declared.id, facts=facts: revisions.put_in_force(  # type: ignore[misc]
                session, name, facts, app.now()
            )
        )
        options = engine_options(declared)
        started.append(
            OpenEngine(
                declared.id,
                engine,
                revision_id,
                facts.fingerprint,
                only=options.only,
                except_=options.except_,
                order=options.order,
                policy=engine_policy(declared),
                blueprint=_blueprint(declared, engine, facts),
                limits=open_limits(app, run.work.database, declared),
            )
        )
    return started


def _start(app: App, engine: Engine) -> None:
    """Starts it. A stop ends its waits, which may be long: nobody may be there, or still be loading (R5)."""
    if app.stop.is_set():
        raise PluginDown("the run was stopped", planned=True)
    has_started = threading.Event()
    waiter = threading.Thread(target=_close_on_stop, args=(app, engine, has_started), daemon=True)
    waiter.start()
    try:
        engine.start()
    except PluginDown as error:
        if app.stop.is_set():
            raise PluginDown("the run was stopped", planned=True) from error
        raise
    finally:
        has_started.set()
        waiter.join()


def _close_on_stop(app: App, engine: Engine, has_started: threading.Event) -> None:
    while not has_started.wait(_GLANCE):
        if app.stop.is_set():
            engine.close()
            return


def _blueprint(declared: Declared, engine: Engine, facts: RevisionFacts) -> Blueprint | None:
    """What workers build it from; what is counted stays here, where each request is written down first."""
    if engine.runs_in == "thread" or engine.billed or engine_options(declared).rules().counts_calls:
        return None
    return Blueprint(declared.plugin, declared.options, facts.fingerprint)


def _ask_before_billing_again(app: App, run: Run, declared: Declared, facts: RevisionFacts) -> None:
    """Settings that change a billed engine's answers ask for every photo again: a person decides (C4)."""
    with run.work.database.reading() as session:
        before = revisions.newest(session, declared.id)
        if before is None or revisions.find(session, facts) is not None:
            return
        paid = answers.counts(session, before.id).get("done", 0)
    price = engine_options(declared).cost_per_call
    cost = "" if price is None else f" (cost {money(paid * price)})"
    what = f"its settings have changed, so {paid:,} photos that were paid for would be asked again{cost}"
    if paid and not app.confirm(f"{declared.id}: {what}. Go on?"):
        raise Refused(f"{what}. Run `tigertag scan --yes` if you want that, or set them back.")

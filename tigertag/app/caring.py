"""`check`, `engines`, `people` and `db`: whether everything is in order, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tigertag import plugins
from tigertag.app.context import App, build_engine, build_source, build_target
from tigertag.config import Declared
from tigertag.errors import ConfigError, PluginDown, TigerTagError
from tigertag.model import Engine, Finding, KnowsPeople, Person, Synced
from tigertag.store import schema
from tigertag.store.database import Database

_NO_SOURCE = (
    "none is set up: name a folder (`tigertag scan ~/Pictures`), or set PLEX_URL and PLEX_TOKEN in .env"
)


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One finding about one part of the set-up."""

    what: str
    """`engine imagga`, `target plex`, `database`."""
    finding: Finding
    exit_code: int = 0


def check(app: App) -> list[CheckLine]:
    """Asks every part whether it can work. Changes nothing; bills nothing."""
    lines = [_check_database(app)]
    # The rest is tested also where the database cannot be used: one in memory stands for it.
    url = "sqlite://" if lines[0].exit_code else app.settings.db_url
    if not any(each.enabled for each in app.settings.sources):
        lines.append(CheckLine("sources", Finding(True, _NO_SOURCE)))
    with ExitStack() as stack:
        database = stack.enter_context(Database.open(url, create=False, read_only=True))
        for declared in (*app.settings.sources, *app.settings.engines, *app.settings.targets):
            if declared.enabled:
                lines += _check_plugin(database, declared, stack)
    return lines


def _check_database(app: App) -> CheckLine:
    shown, url = app.settings.db_url_shown, app.settings.db_url
    try:
        with Database.open(url, create=False, read_only=True) as database:
            schema.require_current(database)
            is_there = not database.is_stand_in
        if is_there:
            with Database.open(url, create=False) as database:
                schema.require_writable(database)
    except TigerTagError as error:
        return CheckLine("database", Finding(False, shown, str(error)), error.exit_code)
    return CheckLine("database", Finding(True, f"{shown} can be used"))


def _check_plugin(database: Database, declared: Declared, stack: ExitStack) -> Iterable[CheckLine]:
    what = f"{declared.family} {declared.id}"
    try:
        for finding in _findings(database, declared, stack):
            yield CheckLine(what, finding, 0 if finding.ok else 4 if declared.family == "engine" else 5)
    except TigerTagError as error:
        yield CheckLine(what, Finding(False, str(error)), error.exit_code)


def _findings(database: Database, declared: Declared, stack: ExitStack) -> Iterable[Finding]:
    """Raises ConfigError where the place itself refuses the settings, as a scan would."""
    if declared.family == "engine":
        engine = build_engine(database, declared, stack)
        findings = list(engine.check())
        yield from findings
        if not any(engine.sends in each.text for each in findings):
            yield Finding(True, engine.sends)
        return
    if declared.family == "source":
        source = build_source(database, declared, stack)
        with suppress(PluginDown):  # said better by its own findings
            log.debug("source %s is %s, looked at is %s", declared.id, source.identity, source.scope or "all")
        yield from source.check()
        return
    target = build_target(database, declared, stack)
    with suppress(PluginDown):
        log.debug("target %s is %s", declared.id, target.identity)
    yield from target.check()


# ── engines ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class OptionLine:
    """A variable of a plugin: its name for a given ID, what it is for, and its default."""

    variable: str
    text: str
    default: str
    required: bool


@dataclass(frozen=True, slots=True)
class InstalledEngine:
    """An engine that can be used, and whether it is."""

    name: str
    path: str
    usable: bool
    why: str
    ids: tuple[str, ...]
    """The IDs under which it is enabled."""


def engines(app: App) -> list[InstalledEngine]:
    """All installed engines, and those in use by a dotted path. None is imported for this."""
    enabled = [each for each in app.settings.engines if each.enabled]
    found = plugins.installed("engine")
    by_path = sorted({each.plugin for each in enabled} - {each.name for each in found})
    return [
        InstalledEngine(
            each.name, each.path, each.ok, each.why, tuple(one.id for one in enabled if one.plugin == each.name)
        )
        for each in (*found, *(plugins.Installed(path, path, True, "") for path in by_path))
    ]


def is_installed(name: str) -> bool:
    """Whether an engine is registered under this name."""
    return name in plugins.names("engine")


def engine_options(name: str, used: Sequence[Declared] = ()) -> list[OptionLine]:
    """The variables of one engine, by its name, its dotted path, or the ID of one of those `used`.

    Raises ConfigError where there is no such engine.
    """
    declared = next((each for each in used if name.lower() == each.id), None)
    declared = declared or next((each for each in used if name == each.plugin), None)
    plugin = declared.plugin if declared else name
    fields = plugins.options_of(plugins.find("engine", plugin)).model_fields
    free = is_installed(plugin)  # its own name is its usual ID
    variables = f"ENGINE_{(declared.id if declared else name).upper() if declared or free else '<ID>'}"
    lines = [
        OptionLine(
            f"{variables}_NAME",
            f"`{plugin}`; may be left out for the ID {plugin.upper()}" if free else f"`{plugin}`",
            plugin if free else "",
            not free,
        ),
        OptionLine(f"{variables}_ENABLED", "Whether it is asked.", "true", False),
    ]
    for field_name, info in fields.items():
        variable = f"{variables}_{(info.alias or field_name).upper()}"
        default = "" if info.is_required() or info.default is None else _plain(info.default)
        lines.append(OptionLine(variable, info.description or "", default, info.is_required()))
    return lines


def _plain(value: object) -> str:
    return ",".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────


def people(app: App) -> list[tuple[str, Person]]:
    """The people that engines know: engine ID and person."""
    with app.looking() as database, ExitStack() as stack:
        return [
            (name, person) for name, engine in _who_know(app, database, stack) for person in engine.people()
        ]


def sync_people(app: App, *, dry_run: bool = False) -> list[tuple[str, Synced]]:
    """Brings the example pictures of every engine in line with its folder. Raises PluginDown."""
    if dry_run:
        with app.looking() as database, ExitStack() as stack:
            return [(name, engine.sync(dry_run=True)) for name, engine in _who_know(app, database, stack)]
    with app.running("people sync") as run, ExitStack() as stack:
        return [(name, engine.sync()) for name, engine in _who_know(app, run.work.database, stack)]


def _who_know(app: App, database: Database, stack: ExitStack) -> list[tuple[str, KnowsPeople]]:
    found: list[tuple[str, KnowsPeople]] = []
    for declared in app.settings.engines:
        engine: Engine | None = build_engine(database, declared, stack) if declared.enabled else None
        if isinstance(engine, KnowsPeople):
            found.append((declared.id, engine))
    if not found:
        raise ConfigError("No engine that knows people is set up; see `tigertag engines compreface`")
    return found


# ── the database ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SchemaLine:
    """Which schema the database has, and which this program needs."""

    url: str
    current: str
    """Empty where there is none yet."""
    needed: str


def upgrade(app: App) -> schema.Upgraded:
    return schema.upgrade(app.settings.db_url)


def backup(app: App, target: Path | None) -> Path:
    """Copies the database, to `target` or beside it; where the copy is."""
    return schema.backup(app.settings.db_url, target, app.now())


def current(app: App) -> SchemaLine:
    with Database.open(app.settings.db_url, create=False, read_only=True) as database:
        there = "" if database.is_stand_in else schema.current(database)
        return SchemaLine(app.settings.db_url_shown, there, schema.head())


def check_database(app: App) -> tuple[str, ...]:
    """What is wrong with the database, a sentence each; empty for nothing."""
    with app.looking() as database:
        return schema.faults(database)

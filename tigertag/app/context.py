"""What every use case works with, and how plugins and runs are opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy.orm import Session

from tigertag import executors, plugins
from tigertag.app import words
from tigertag.config import (
    CONTENT_ENGINE,
    LOCAL_ENGINES,
    Declared,
    Settings,
    load_from_process,
    outline_of_process,
)
from tigertag.errors import Stopped, TigerTagError
from tigertag.model import JSON, Engine, EnginePolicy, Memory, Source, Target, fingerprint
from tigertag.options import EngineOptions, TargetOptions
from tigertag.pipeline.policy import Policy
from tigertag.pipeline.work import OpenTarget, Tally, Unwatched, Watch, Work
from tigertag.store import ledger, runs, schema
from tigertag.store.database import Database
from tigertag.store.lock import RunLock


def _now() -> datetime:
    return datetime.now(UTC)


def _no(_: str) -> bool:
    return False


@dataclass(slots=True)
class App:
    """The settings, and the person who looks on.

    `confirm` asks a question with yes or no; without a terminal it answers no. `stop` is set by a signal, and
    `stopped_by` names it.
    """

    settings: Settings
    watch: Watch = field(default_factory=Unwatched)
    confirm: Callable[[str], bool] = _no
    now: Callable[[], datetime] = _now
    stop: threading.Event = field(default_factory=threading.Event)
    stopped_by: int | None = None
    executor: str = executors.DEFAULT

    @classmethod
    def load(cls, env_file: Path | None = None, *, json_lines: bool = False) -> Self:
        """The settings of this process. With `json_lines` targets that print do so in JSON.

        Raises ConfigError with all faults, a sentence each.
        """
        settings = load_from_process(env_file)
        if json_lines:
            settings = replace(settings, targets=tuple(_printing_json(each) for each in settings.targets))
        return cls(settings)

    @classmethod
    def outlined(cls, env_file: Path | None = None) -> Self:
        """As far as the database and what all plugins share go; no plugin is imported. For looking only.

        Raises ConfigError with the faults in that.
        """
        return cls(outline_of_process(env_file))

    def run_on(self, executor: str | None) -> None:
        """Where pictures are prepared and engines that compute run; None: where they do by default.

        Raises ConfigError where there is no such place.
        """
        if executor is not None:
            executors.find(executor)
            self.executor = executor

    @property
    def is_first_look(self) -> bool:
        """Whether nothing is set up but what needs no account and changes nothing outside."""
        used = {each.plugin for each in (*self.settings.engines, *self.settings.targets) if each.enabled}
        return used <= {*LOCAL_ENGINES, CONTENT_ENGINE, "console"}

    @property
    def policy(self) -> Policy:
        """The policies of the enabled engines, by ID."""
        engines = {each.id: engine_policy(each) for each in self.settings.engines if each.enabled}
        return Policy(engines, self.settings.vocabulary)

    def policy_over(self, database: Database) -> Policy:
        """The policy, with what words mean to the engines that look for them. Raises ConfigError."""
        return words.policy_over(self, database) if words.word_engines(self) else self.policy

    @contextmanager
    def looking(self) -> Iterator[Database]:
        """The database, for reading only: nothing is made or changed."""
        with Database.open(self.settings.db_url, create=False, read_only=True) as database:
            schema.require_current(database)
            yield database

    @contextmanager
    def running(self, command: str, arguments: str = "", *, wait: bool = False) -> Iterator[Run]:
        """A run with the lock in hand. Its row is ended whatever happens; a signal ends it as Stopped."""
        with Database.open(self.settings.db_url, stop=self.stop) as database:
            schema.require_current(database)
            with RunLock(pause=self._pause).acquire(database, command, wait=wait) as held:
                run_id = database.transact(lambda session: self._begin(session, command, arguments))
                held.assign(run_id)
                work = Work(
                    database,
                    run_id,
                    self.policy_over(database),
                    self.now,
                    held.check,
                    self.spool_of(database),
                    self.stop,
                    self.watch,
                )
                run = Run(work)
                self.watch.follow(run.tally)
                try:
                    yield run
                except BaseException as error:
                    run.tally.codes.append(error.exit_code if isinstance(error, TigerTagError) else 1)
                    raise
                finally:
                    self._end(run)

    def _pause(self, seconds: float) -> None:
        """Waits for the lock, but no longer than until a signal."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.raise_if_stopped()
            time.sleep(0.1)

    def spool_of(self, database: Database) -> Path:
        """Beside a SQLite file; for a server, which has no beside, in the user's data folder."""
        path = database.address.path
        if path is not None:
            return path.with_name(f"{path.name}.spool")
        return self.settings.state_dir / f"{fingerprint(self.settings.db_url_shown)[:16]}.spool"

    def _begin(self, session: Session, command: str, arguments: str) -> int:
        runs.close_cut_off(session, self.now())
        return runs.start(session, command, arguments, self.now())

    def _end(self, run: Run) -> None:
        if self.stopped_by is not None:
            run.tally.codes.append(128 + self.stopped_by)
        code, summary = run.tally.exit_code, run.summary()
        run.work.database.transact(
            lambda session: runs.end(session, run.work.run_id, code, summary, self.now())
        )

    def raise_if_stopped(self) -> None:
        if self.stopped_by is not None:
            raise Stopped(self.stopped_by)


def _printing_json(declared: Declared) -> Declared:
    if "format" not in type(declared.options).model_fields:
        return declared
    return replace(declared, options=declared.options.model_copy(update={"format": "json"}))


@dataclass(slots=True)
class Run:
    """A run under way, and what it counts."""

    work: Work
    tally: Tally = field(default_factory=Tally)
    facts: dict[str, JSON] = field(default_factory=dict)
    """What the run wants to be remembered beside its counts."""
    offers: list[str] = field(default_factory=list)
    """What more there would be, and how to get it: a sentence each."""

    def summary(self) -> dict[str, JSON]:
        tally = self.tally
        return {
            "added": tally.added,
            "removed": tally.removed,
            "items": len(tally.written_items),
            "kept_edits": tally.kept_edits,
            "answered": dict(tally.answered),
            "failed": len(tally.failures),
            "aside": {name: str(error) for name, error in tally.aside.items()},
            **self.facts,
        }


@dataclass(frozen=True, slots=True)
class StoreMemory:
    """What a plugin remembers, in the database. Each call is a transaction of its own.

    A run that only looks remembers nothing new.
    """

    database: Database
    scope: str

    def get(self, key: str) -> JSON:
        with self.database.reading() as session:
            return runs.recall(session, self.scope, key)

    def set(self, key: str, value: JSON) -> None:
        if not self.database.read_only:
            self.database.transact(lambda session: runs.remember(session, self.scope, key, value))

    def delete(self, key: str) -> None:
        if not self.database.read_only:
            self.database.transact(lambda session: runs.forget(session, self.scope, key))

    def items(self) -> Sequence[tuple[str, JSON]]:
        with self.database.reading() as session:
            return runs.remembered(session, self.scope)


def engine_policy(declared: Declared) -> EnginePolicy:
    options = declared.options
    return options.policy() if isinstance(options, EngineOptions) else EnginePolicy()


def engine_options(declared: Declared) -> EngineOptions:
    options = declared.options
    return options if isinstance(options, EngineOptions) else EngineOptions.model_validate({})


def memory_of(database: Database, declared: Declared) -> Memory:
    return StoreMemory(database, f"{declared.family}:{declared.id}")


def build_source(database: Database, declared: Declared, stack: ExitStack) -> Source:
    source = plugins.build(
        plugins.find("source", declared.plugin), declared.options, memory_of(database, declared)
    )
    stack.callback(source.close)
    return source


def build_engine(database: Database, declared: Declared, stack: ExitStack) -> Engine:
    engine = plugins.build(
        plugins.find("engine", declared.plugin), declared.options, memory_of(database, declared)
    )
    stack.callback(engine.close)
    return engine


def build_target(database: Database, declared: Declared, stack: ExitStack) -> Target:
    target = plugins.build(
        plugins.find("target", declared.plugin), declared.options, memory_of(database, declared)
    )
    stack.callback(target.close)
    return target


def open_targets(app: App, database: Database, stack: ExitStack, tally: Tally) -> list[OpenTarget]:
    """The enabled targets with their rows; one that does not answer is put aside.

    In a dry run a target that was never written to has the row id 0, which no row has.
    """
    opened = []
    for declared in app.settings.targets:
        if not declared.enabled:
            continue
        target = build_target(database, declared, stack)
        try:
            identity, label = target.identity, target.label
        except TigerTagError as error:
            if error.exit_code == 2:  # a token that was refused before anything began: nothing starts
                raise
            tally.put_aside(f"target {declared.id}", error)
            continue
        opened.append(OpenTarget(_target_row(database, identity, label), target, _follows(declared)))
    return [
        replace(each, is_followed=any(other.follows for other in opened if other is not each))
        for each in opened
    ]


def _follows(declared: Declared) -> bool:
    return isinstance(declared.options, TargetOptions) and declared.options.follow


def _target_row(database: Database, identity: str, label: str) -> int:
    with database.reading() as session:
        row = ledger.find_target(session, identity)
        if row is not None and (row.label == label or database.read_only):
            return row.id
    if database.read_only:
        return 0
    return database.transact(lambda session: ledger.keep_target(session, identity, label))

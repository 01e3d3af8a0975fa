"""What the stages of a run share: the run itself, the plugins it has opened, and what it counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tigertag.errors import TigerTagError, gravest
from tigertag.model import Engine, EnginePolicy, Source, Target
from tigertag.pipeline.limits import Limits
from tigertag.pipeline.pace import Pace
from tigertag.pipeline.policy import Policy
from tigertag.pipeline.rowset import RowSet
from tigertag.store.database import Database

if TYPE_CHECKING:
    from tigertag.worker import Blueprint


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source with its row."""

    row_id: int
    source: Source


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """A target with its row."""

    row_id: int
    target: Target
    follows: bool = False
    """A tag of ours that a person removed at another target is removed here, too."""
    is_followed: bool = False
    """Another target follows what is learnt here."""


@dataclass(frozen=True, slots=True)
class OpenEngine:
    """An engine with the revision that is in force. `only` and `except_` are globs over section/album/path."""

    name: str
    engine: Engine
    revision_id: int
    fingerprint: str = ""
    """Of the revision's settings."""
    only: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    order: str = "newest"
    policy: EnginePolicy = field(default_factory=EnginePolicy)
    blueprint: Blueprint | None = None
    """Of an engine that runs in workers; None: it runs in the coordinator's threads."""
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)


class Watch(Protocol):
    """Is told how a run gets on. Called from the run's own thread."""

    def follow(self, tally: Tally) -> None:
        """What the run counts, from its beginning; grows while it goes on."""
        ...

    def begin(self, total: int) -> None:
        """So many items are due."""
        ...

    def finished(self, path: str) -> None:
        """An item is done with, whatever came of it."""
        ...

    def say(self, line: str) -> None:
        """Something a person should read now."""
        ...


class Unwatched:
    """Nobody looks."""

    def follow(self, tally: Tally) -> None: ...
    def begin(self, total: int) -> None: ...
    def finished(self, path: str) -> None: ...
    def say(self, line: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """A run under way. `guard` raises when the lock was lost; it is asked before each send and write."""

    database: Database
    run_id: int
    policy: Policy
    now: Callable[[], datetime]
    guard: Callable[[], None]
    spool: Path
    """Where answers are kept while the database is away."""
    stop: threading.Event = field(default_factory=threading.Event)
    watch: Watch = field(default_factory=Unwatched)


@dataclass(slots=True)
class Tally:
    """What a run did, for its last lines and its exit code."""

    added: int = 0
    removed: int = 0
    written_items: RowSet = field(default_factory=RowSet)
    gone: RowSet = field(default_factory=RowSet)
    """Items that were no longer there when their tags were to be written."""
    moved: int = 0
    """Tags that lie elsewhere in a tree now."""
    kept_edits: int = 0
    restored: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    opened: int = 0
    needs: dict[str, int] = field(default_factory=dict)
    """Items that wait for an extra with a decoder, by its name."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of what failed that had not failed before."""
    _named: set[tuple[str, str]] = field(default_factory=set)
    aside: dict[str, TigerTagError] = field(default_factory=dict)
    """Plugins that were put aside, by the name shown, each with the reason."""
    told: set[str] = field(default_factory=set)
    """Of those, the ones that a person was told of while the run went on."""
    codes: list[int] = field(default_factory=list)

    def fail(self, path: str, reason: str, code: int = 3) -> None:
        """Names a failure, once."""
        self._name((path, reason))
        self.codes.append(code)

    def _name(self, failure: tuple[str, str]) -> None:
        if failure not in self._named:
            self._named.add(failure)
            self.failures.append(failure)

    def put_aside(self, name: str, error: TigerTagError) -> None:
        """A plugin that does not take part any longer; a planned stop (quota) is no alarm."""
        self.aside.setdefault(name, error)
        if not getattr(error, "planned", False):
            self.codes.append(error.exit_code)

    def merge(self, part: Tally) -> None:
        """Takes over the counts of a transaction that was committed."""
        self.added += part.added
        self.removed += part.removed
        self.moved += part.moved
        self.kept_edits += part.kept_edits
        self.restored += part.restored
        self.dropped += part.dropped
        self.opened += part.opened
        self.written_items.update(part.written_items)
        self.gone.update(part.gone)
        for mine, others in ((self.answered, part.answered), (self.needs, part.needs)):
            for name, count in others.items():
                mine[name] = mine.get(name, 0) + count
        for failure in part.failures:
            self._name(failure)
        self.codes += part.codes

    @property
    def exit_code(self) -> int:
        return gravest(self.codes)

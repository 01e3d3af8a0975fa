"""Giving tasks to workers that may be lost.

What a lost worker had in hand is tried again, one thing at a time and with nothing beside it, so that what
kills workers is found; after two losses it is set apart.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from tigertag.errors import PhotoError, PluginDown, TigerTagError, TransientError, WorkerLost, WorkersGone
from tigertag.media import File, Size
from tigertag.model import Rendition
from tigertag.worker import Made, Measure, Render, Result, Task, Thing

T = TypeVar("T")

TASKS = 3
"""Pictures that a worker is given at most: one in hand, and two to go on with while the coordinator commits."""

_LOSSES = 2


class Workers(Protocol):
    """Where tasks run."""

    @property
    def size(self) -> int: ...  # tasks that run side by side

    @property
    def is_local(self) -> bool: ...  # whether they can read this machine's files

    def submit(
        self, task: Task[Thing, Result], things: Sequence[Thing], resources: Mapping[str, float]
    ) -> Future[list[Result | TigerTagError]]:
        """WorkerLost, in the future, says that the worker is gone and the task with it."""
        ...

    def close(self) -> None:
        """Waits for what runs. Twice is once."""
        ...


@dataclass(slots=True)
class _Job:
    """Things that go to a worker together, and where their outcomes belong."""

    task: Task[Any, Any]
    things: Sequence[Any]
    resources: Mapping[str, float]
    report: Callable[[int, Any], None]
    """Takes the place of a thing and its outcome."""
    places: Sequence[int]
    losses: int = 0

    def tell(self, outcomes: Sequence[object]) -> None:
        for place, outcome in zip(self.places, outcomes, strict=True):
            self.report(place, outcome)

    def parts(self) -> list[_Job]:
        """Each thing by itself, after a loss."""
        lost = self.losses + 1
        return [
            _Job(self.task, [thing], self.resources, self.report, [place], lost)
            for thing, place in zip(self.things, self.places, strict=True)
        ]


@dataclass(slots=True)
class _Gathering:
    """The outcomes of one submission, as they come."""

    future: Future[list[Any]]
    outcomes: dict[int, object]
    number: int

    def report(self, place: int, outcome: object) -> None:
        self.outcomes[place] = outcome
        if len(self.outcomes) == self.number:
            self.future.set_result([self.outcomes[each] for each in range(self.number)])


@dataclass(slots=True)
class Workshop:
    """Workers, and what is waiting for them. Safe to use from several threads."""

    workers: Workers
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: int = 0
    _is_trying: bool = False
    """A suspect is at work, alone."""
    _held: deque[_Job] = field(default_factory=deque)
    """Waits until what is suspected has been tried."""
    _suspects: deque[_Job] = field(default_factory=deque)

    def submit(
        self,
        task: Task[Thing, Result],
        things: Sequence[Thing],
        resources: Mapping[str, float] | None = None,
    ) -> Future[list[Result | TigerTagError]]:
        """One outcome for each thing: what was lost twice is a PhotoError."""
        gathering = _Gathering(Future(), {}, len(things))
        job = _Job(task, things, resources or {}, gathering.report, range(len(things)))
        with self._lock:
            self._held.append(job)
        self._move_on()
        return gathering.future

    def close(self) -> None:
        self.workers.close()

    def _move_on(self) -> None:
        for job in self._next():
            try:
                future = self.workers.submit(job.task, job.things, job.resources)
            except RuntimeError as error:  # what an executor raises that has been shut down
                future = Future()
                future.set_exception(TransientError(f"is not looked at any more: {error}"))
            future.add_done_callback(partial(self._done, job))

    def _next(self) -> list[_Job]:
        """What may start now: a suspect when nothing runs beside it, else all that waits."""
        with self._lock:
            if self._is_trying or (self._suspects and self._running):
                return []
            if self._suspects:
                self._is_trying = True
                found = [self._suspects.popleft()]
            else:
                found = list(self._held)
                self._held.clear()
            self._running += len(found)
            return found

    def _done(self, job: _Job, future: Future[list[Any]]) -> None:
        error = TransientError("is not looked at any more") if future.cancelled() else future.exception()
        is_suspect = isinstance(error, WorkerLost) and job.losses + 1 < _LOSSES
        with self._lock:
            self._running -= 1
            self._is_trying = False  # while a suspect was at work nothing else ended
            if is_suspect:
                self._suspects.extend(job.parts())
        if not is_suspect:
            job.tell(future.result() if error is None else [_named(error, thing) for thing in job.things])
        self._move_on()


def _named(error: BaseException, thing: Any) -> TigerTagError:
    """What became of one thing of a job that failed as a whole."""
    if isinstance(error, WorkerLost):
        return PhotoError(f"{thing.name} {error}, twice")
    if isinstance(error, TigerTagError):
        return error
    return TransientError(f"{thing.name} could not be looked at ({type(error).__name__}: {error})")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A decoder that leaves its work to a workshop, and waits for it."""

    workshop: Workshop

    def size(self, file: File) -> Size:
        """Raises WorkersGone, too."""
        return _only(self.workshop.submit(Measure(), [file]))

    def render(self, file: File, renditions: Sequence[Rendition]) -> Made:
        return _only(self.workshop.submit(Render(tuple(renditions)), [file]))


def _only(future: Future[list[T | TigerTagError]]) -> T:
    (outcome,) = future.result()
    if isinstance(outcome, PluginDown):
        raise WorkersGone(str(outcome))
    if isinstance(outcome, TigerTagError):
        raise outcome
    return outcome

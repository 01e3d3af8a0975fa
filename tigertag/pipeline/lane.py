"""An engine in a run: its pool of threads, what it was given, and the permits it asks for.

The engines' threads never touch the database: what they need of it (a permit) and what they bring (answers)
goes to the coordinator as an event.
"""

from __future__ import annotations

import logging
import queue
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

from tigertag import worker
from tigertag.errors import PhotoError, PluginDown, TigerTagError, TransientError
from tigertag.media import OpenPhoto
from tigertag.model import Analysis, Engine, Outcome, Permit, Photo, Send
from tigertag.pipeline.pace import Lap
from tigertag.pipeline.permits import PermitAsked, Unbilled
from tigertag.pipeline.work import OpenEngine
from tigertag.pipeline.workshop import TASKS, Workshop
from tigertag.worker import Blueprint, Parcel, Said

log = logging.getLogger(__name__)

Key: TypeAlias = tuple[int, int, str]
"""Photo, revision, input: what an answer belongs to."""

FETCHERS = 4
LEAST_WINDOW = 32
"""Items in flight, at least: fetched and not answered by all."""

_FAULTS_IN_A_ROW = 3  # An engine that breaks so often is broken, not the photos.
_TROUBLES_IN_A_ROW = 10  # A service that fails for so many photos would only cost time for the rest.


@dataclass(frozen=True, slots=True)
class Ask:
    """One photo for one engine."""

    key: Key
    photo: OpenPhoto


@dataclass(frozen=True, slots=True)
class Answered:
    """What an engine said to a batch, in pairs; `down` where it cannot go on."""

    lane: Lane
    asks: Sequence[Ask]
    outcomes: Sequence[tuple[Ask, Analysis | PhotoError | TransientError]]
    down: TigerTagError | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A thread that was told to end, or died of something that is no error of a photo: the run ends with it."""

    error: BaseException


@dataclass(slots=True, eq=False)
class Lane:
    """An engine at work."""

    open: OpenEngine
    events: queue.SimpleQueue[object]
    stopping: Callable[[], bool]
    workshop: Workshop
    down: TigerTagError | None = None
    waiting: list[Ask] = field(default_factory=list)
    held: list[Ask] = field(default_factory=list)
    """Photos there may be room for yet: requests are on their way whose charge is not known."""
    under_way: int = 0
    """Photos given to the pool and not answered yet."""
    permitted: set[Key] = field(default_factory=set)
    """Of those, the ones whose request the quota has been charged with."""
    silenced: PluginDown | None = None
    """It said that it cannot go on; the coordinator is about to hear of it."""
    has_ended: bool = False
    """Nobody grants permits any more."""
    faults: int = 0
    troubles: int = 0
    busy_since: float = 0.0
    """Of workers: when they were given something, or last brought an answer."""
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        engine = self.open.engine
        self.pool = ThreadPoolExecutor(max(1, engine.concurrency), f"tigertag-{self.open.name}")

    @property
    def has_room(self) -> bool:
        """Whether one more photo can be given to it: it is not put aside, and has calls left."""
        return self.down is None and (self.room is None or self.room > 0)

    @property
    def room(self) -> int | None:
        """Photos that it has calls left for, beside those that it was given; None: nothing limits it."""
        quota, budget = self.open.engine.quota(), self.open.limits.left()
        left = [each for each in (quota.left if quota else None, budget) if each is not None]
        return min(left) - (self.under_way - len(self.permitted) + len(self.waiting)) if left else None

    @property
    def width(self) -> int:
        """Photos that it looks at side by side."""
        if self.open.blueprint is not None:
            return self._most
        return max(1, self.open.engine.concurrency) * max(1, self.open.engine.batch_size)

    @property
    def may_get_room(self) -> bool:
        """Whether no room is not the last word: a photo between charge and permit is counted twice."""
        return self.down is None and self.under_way > len(self.permitted)

    def take(self, ask: Ask) -> bool:
        """Takes up a photo, or holds it until its quota is clear. False where there is no room for it."""
        if self.has_room:
            self.waiting.append(ask)
        elif self.may_get_room:
            self.held.append(ask)
        else:
            return False
        return True

    def refuse_held(self) -> list[Ask]:
        """Looks again at the photos that are held: those there is no room for after all."""
        held, self.held = self.held, []
        return [ask for ask in held if not self.take(ask)]

    def give_up(self) -> list[Ask]:
        """What it will not be asked about any more."""
        left = self.waiting + self.held
        self.waiting, self.held = [], []
        return left

    def submit(self, *, all_of_it: bool) -> None:
        """Gives full batches to the pool; with `all_of_it` the rest too."""
        size = max(1, self.open.engine.batch_size)
        while self.under_way < self._most and (len(self.waiting) >= size or (all_of_it and self.waiting)):
            batch, self.waiting = self.waiting[:size], self.waiting[size:]
            if not self.under_way:
                self.busy_since = time.perf_counter()
            self.under_way += len(batch)
            if self.open.blueprint is None:
                self.pool.submit(self._ask, batch)
            else:
                self._send(batch, self.open.blueprint)

    @property
    def _most(self) -> int:
        """Photos to have under way at once. What is given to a worker is not taken back, so that is little."""
        if self.open.blueprint is None:
            return sys.maxsize
        return 2 * self.workshop.workers.size * max(1, self.open.engine.batch_size)

    def learn_from(self, event: Answered) -> None:
        """Takes note of an answer, in the coordinator's thread; puts a service aside that only fails."""
        self.under_way -= len(event.asks)
        if self.open.blueprint is not None and event.outcomes:
            now = time.perf_counter()
            self.open.pace.add(len(event.outcomes), now - self.busy_since)
            self.busy_since = now
        self.permitted.difference_update(ask.key for ask in event.asks)
        for _, outcome in event.outcomes:
            self.troubles = self.troubles + 1 if isinstance(outcome, TransientError) else 0
        if self.down is None and event.down is not None:
            self.down = event.down
        elif self.down is None and self.troubles >= _TROUBLES_IN_A_ROW:
            last = event.outcomes[-1][1]
            self.down = PluginDown(f"put aside after {self.troubles} photos in a row failed ({last})")

    def _send(self, batch: Sequence[Ask], blueprint: Blueprint) -> None:
        """Gives a batch to the workers. Nothing there is billed, so nobody asks for a permit."""
        engine = self.open.engine
        parcels = [_parcel(ask.photo, engine) for ask in batch]
        task = (worker.AskFile if engine.reads == "file" else worker.Ask)(blueprint)
        future = self.workshop.submit(task, parcels, engine.resources)
        future.add_done_callback(lambda done: self.events.put(self._received(batch, done.result())))

    def _received(self, batch: Sequence[Ask], said: Sequence[Said | TigerTagError]) -> Answered:
        """What came back from the workers; what an engine that cannot go on left unsaid waits."""
        outcomes: list[tuple[Ask, Analysis | PhotoError | TransientError]] = []
        down: TigerTagError | None = None
        for ask, told in zip(batch, said, strict=True):
            if isinstance(told, Said):
                outcomes.append((ask, Analysis(ask.photo, told.annotations, told.raw, told.dropped)))
            elif isinstance(told, PhotoError | TransientError):
                outcomes.append((ask, told))
            else:
                down = told
        return Answered(self, batch, outcomes, down)

    def _ask(self, batch: Sequence[Ask]) -> None:
        try:
            self.events.put(self._outcomes(batch))
        except BaseException as error:  # noqa: BLE001 - the coordinator raises it; without it the run would wait
            self.events.put(Ended(error))

    def _outcomes(self, batch: Sequence[Ask]) -> Answered:
        """Shows a batch to the engine. What it does not say anything about waits."""
        if self._is_over():
            return Answered(self, batch, ())
        asked = {id(ask.photo): ask for ask in batch}
        outcomes: list[tuple[Ask, Analysis | PhotoError | TransientError]] = []
        lap = Lap()
        permit = self._permit(asked, lap)
        photos = [ask.photo for ask in batch]
        try:
            self._charge(photos, permit)
            for outcome in self.open.engine.analyze(photos, permit):
                outcomes += [(ask, outcome) for ask in _meant(outcome, asked)]
        except PluginDown as error:
            self.silenced = error  # at once: what waits in the pool must not be sent
            return Answered(self, batch, outcomes, error)
        except TransientError as error:
            outcomes += [(ask, error) for ask in asked.values()]
        except Exception as error:  # a fault of the engine: recorded, the others go on
            log.debug("The engine %s broke", self.open.name, exc_info=True)
            fault = TransientError(f"{self.open.name} broke ({type(error).__name__}: {error})")
            return Answered(self, batch, [*outcomes, *((ask, fault) for ask in asked.values())], self._broken())
        self.faults = 0
        self.open.pace.add(len(batch), lap.seconds)
        silent = TransientError(f"{self.open.name} gave no answer")
        return Answered(self, batch, [*outcomes, *((ask, silent) for ask in asked.values())])

    def _broken(self) -> PluginDown | None:
        self.faults += 1
        if self.faults < _FAULTS_IN_A_ROW:
            return None
        why = f"{self.open.name} broke {self.faults} times in a row; run with --debug to see where"
        self.silenced = PluginDown(why)
        return self.silenced

    def _is_over(self) -> bool:
        """Whether nobody is to be asked any more."""
        return self.down is not None or self.silenced is not None or self.stopping()

    def _charge(self, photos: Sequence[Photo], permit: Permit) -> None:
        """Asks in the place of an engine that is not billed: it asks for repeats only.

        Where it has limits each photo counts. Raises PluginDown where one is reached.
        """
        refusal = self.open.limits.refusal()
        if refusal is not None:
            raise refusal
        if not self.open.engine.billed:
            for photo in photos if self.open.limits.rules.counts_calls else photos[:1]:
                permit(photo)

    def _permit(self, asked: dict[int, Ask], lap: Lap) -> Permit:
        keys = {photo: ask.key for photo, ask in asked.items()}

        def permit(photo: Photo) -> Send:
            with lap.waiting():
                return self._granted(keys[id(photo)])

        return permit

    def _granted(self, key: Key) -> Send:
        """Waits for the rate, then for the coordinator. Raises PluginDown."""
        has_turn = self.open.limits.wait_turn(self._is_over)
        if self.stopping():
            raise PluginDown("the run was stopped", planned=True)
        if not has_turn:
            raise _again(self.silenced or self.down)
        is_billed = self.open.engine.billed
        request = PermitAsked(self, key, is_billed or self.open.limits.rules.counts_calls)
        self.events.put(request)
        if self.has_ended:  # looked at after the request was put: one of the two sees it
            raise PluginDown("the run has ended", planned=True)
        send = request.granted.result()
        if is_billed:
            return send
        send.settle(Outcome.FREE)
        return Unbilled()


def _again(error: TigerTagError | None) -> PluginDown:
    """The same for another thread: whoever says it first, the reason is told."""
    planned, until = bool(getattr(error, "planned", True)), str(getattr(error, "until", ""))
    return PluginDown(str(error or "the run has ended"), planned=planned, until=until)


def _parcel(photo: OpenPhoto, engine: Engine) -> Parcel:
    """The photo as a worker needs it: small pictures, and the file only where the engine reads that."""
    return Parcel(
        photo.name,
        photo.content_id,
        photo.input,
        photo.width,
        photo.height,
        photo.made(engine.renditions),
        photo.file if engine.reads == "file" else None,
        photo.sidecar if engine.reads == "file" else None,
    )


def _meant(outcome: Analysis | PhotoError | TransientError, asked: dict[int, Ask]) -> list[Ask]:
    """The asks that an outcome answers, taken out of `asked`: an answer is tied to its request (E17)."""
    if outcome.photo is not None:
        ask = asked.pop(id(outcome.photo), None)
        return [ask] if ask else []
    rest = list(asked.values())
    asked.clear()
    return rest


def window(lanes: Sequence[Lane], workshop: Workshop) -> int:
    """Items in flight at most: enough that fetchers, workers and the engine with most at once need not wait.

    Memory depends on it, and on nothing else.
    """
    widest = max((lane.width for lane in lanes), default=0)
    return max(LEAST_WINDOW, FETCHERS + TASKS * workshop.workers.size + 2 * widest)

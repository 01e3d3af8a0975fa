"""Showing photos to engines, side by side.

Fetchers open items, every engine has a pool of its own size, writers bring finished items in line; one
coordinator (the thread that calls `analyze`) commits what they bring in small transactions. A bounded window of
photos is in flight, so memory depends on the window and not on the library.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor

from tigertag.errors import DiskError, LockHeld, PluginDown, StoreError, TransientError, WorkersGone
from tigertag.model import Rendition
from tigertag.pipeline import spool
from tigertag.pipeline.choose import may_see
from tigertag.pipeline.courier import Courier, Replied
from tigertag.pipeline.due import DueItem
from tigertag.pipeline.fetch import Fetched, fetch
from tigertag.pipeline.flight import InFlight, Prepared, Preparing
from tigertag.pipeline.keep import Batch, Keeping, KeptItem, Opened
from tigertag.pipeline.lane import FETCHERS, Answered, Ask, Ended, Key, Lane, window
from tigertag.pipeline.permits import PermitAsked, Settled
from tigertag.pipeline.recognise import recognise
from tigertag.pipeline.work import OpenEngine, OpenTarget, Tally, Work
from tigertag.pipeline.workshop import Workshop

_WORKERS = "workers"  # The name under which a lost executor is put aside.
_GLANCE = 0.5  # Seconds between two looks at whether a signal asked for an end.
_MOMENT = 0.01  # Seconds to wait for more to be committed together.
_TOGETHER = 64  # Events that share a transaction at most.


def analyze(
    work: Work,
    due: Iterable[DueItem],
    engines: Sequence[OpenEngine],
    targets: Sequence[OpenTarget],
    couriers: Sequence[Courier],
    tally: Tally,
    workshop: Workshop,
) -> None:
    """Opens the due items in their order and asks the engines. Returns when all is done, waits, or is stopped.

    Raises StoreError, DiskError and LockHeld: without database, room or lock nothing more may be asked.
    """
    showing = _Showing(work, iter(due), engines, targets, couriers, tally, workshop)
    try:
        showing.run()
    finally:
        showing.close()


class _Showing:
    """The coordinator. Only its own thread touches the database and what is in here."""

    def __init__(
        self,
        work: Work,
        due: Iterator[DueItem],
        engines: Sequence[OpenEngine],
        targets: Sequence[OpenTarget],
        couriers: Sequence[Courier],
        tally: Tally,
        workshop: Workshop,
    ) -> None:
        self.work, self.due, self.couriers, self.tally = work, due, couriers, tally
        self.workshop = workshop
        self.keeping = Keeping(work, engines, targets)
        self.events: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.lanes = {each.name: Lane(each, self.events, work.stop.is_set, workshop) for each in engines}
        self.fetchers = ThreadPoolExecutor(FETCHERS, "tigertag-fetch")
        self.settled = Settled()
        self.flying: dict[int, InFlight] = {}
        self.fetching = 0
        self.preparing = Preparing(workshop, self.events)
        self.window = window([*self.lanes.values()], workshop)
        self.asked: dict[Key, list[int]] = {}
        self.missed: set[Key] = set()  # asked in this run without an answer: not again for a copy (E6)
        self.in_hand: list[object] = []  # taken from `events`, not yet committed
        self.silent: set[int] = set()  # sources that no longer answer

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        try:
            self._run()
        except (StoreError, DiskError):
            self._salvage()
            raise
        except LockHeld:
            self._keep_left_over()
            raise

    def _run(self) -> None:
        while True:
            self._fill()
            self._prepare()
            for lane in self.lanes.values():
                self._let_go([ask.key for ask in lane.refuse_held()])
                lane.submit(all_of_it=not (self.fetching or self.preparing.is_busy))
            for courier in self.couriers:
                courier.start(self.events)
            if not self._busy():
                break
            self.in_hand = self._next_events()
            self._handle(self.in_hand)
            self.in_hand = []
        self._flush_sends()

    def _salvage(self) -> None:
        """Without the database nothing more is asked; what is under way is waited for and kept in a file."""
        self._spool(self._left_over())

    def _keep_left_over(self) -> None:
        """Another run has the lock now and would ask again: what came in is stored all the same (R3)."""
        left = self._left_over()
        try:
            self.keeping.keep(Batch(answered=left, outcomes=self.settled.look()))
        except (StoreError, DiskError):
            self._spool(left)
            raise

    def _left_over(self) -> list[Answered]:
        """Waits for what is under way, and lets nothing more leave; what came in and is not committed."""
        self._end_lanes()
        late = []
        while not self.events.empty():
            late.append(self.events.get())
        self._refuse(late)
        return [event for event in (*self.in_hand, *late) if isinstance(event, Answered)]

    def _spool(self, left: Sequence[Answered]) -> None:
        spool.put(self.work.spool, (row for event in left for row in spool.answers_of(event)))

    def _busy(self) -> bool:
        under_way = any(lane.under_way for lane in self.lanes.values())
        is_writing = any(courier.is_writing for courier in self.couriers)
        return bool(self.fetching or self.preparing.is_busy or under_way or is_writing)

    def _next_events(self) -> list[object]:
        """What came in, and what comes in the next moment: ten cost a transaction little more than one."""
        found = [self._next_event()]
        until = time.monotonic() + _MOMENT
        while len(found) < min(self._expected, _TOGETHER):
            try:
                found.append(self.events.get(timeout=max(0, until - time.monotonic())))
            except queue.Empty:
                break
        return found

    @property
    def _expected(self) -> int:
        """Photos of which something must come in before they can get on."""
        return self.fetching + self.preparing.under_way + sum(lane.under_way for lane in self.lanes.values())

    def _next_event(self) -> object:
        """Waits for what comes next. A stop ends the waits between two tries: nobody sleeps on for minutes."""
        while True:
            try:
                return self.events.get(timeout=_GLANCE)
            except queue.Empty:
                if self.work.stop.is_set():
                    for lane in self.lanes.values():
                        lane.open.engine.close()

    def close(self) -> None:
        """Ends the threads; what is under way has been waited for, unless an error cut the run off."""
        self._end_lanes()
        for flying in self.flying.values():
            if flying.photo is not None:
                flying.photo.close()

    def _end_lanes(self) -> None:
        """Waits for the requests under way; nobody gets a permit any more. What they bring is in `events`."""
        for lane in self.lanes.values():
            lane.down = lane.down or PluginDown("the run has ended", planned=True)
            lane.has_ended = True
        left = []
        while not self.events.empty():
            left.append(self.events.get())
        self._refuse(left)
        self.fetchers.shutdown(wait=True, cancel_futures=True)
        for lane in self.lanes.values():
            lane.pool.shutdown(wait=True, cancel_futures=True)
        for event in left:
            if isinstance(event, Answered):
                self.events.put(event)

    def _refuse(self, events: Sequence[object]) -> None:
        for event in events:
            if isinstance(event, PermitAsked):
                event.granted.set_exception(PluginDown("the run has ended", planned=True))
            elif isinstance(event, Fetched) and event.photo is not None:
                event.photo.close()

    # ── taking items up ───────────────────────────────────────────────────────────────────────────────────

    def _fill(self) -> None:
        while len(self.flying) < self.window and not self.work.stop.is_set():
            if not any(self._has_room(lane) for lane in self.lanes.values()):
                if not self.flying:
                    self.due = iter(())  # nobody is left to ask: what was not opened waits as it is
                return
            due = next(self.due, None)
            if due is None:
                return
            if self._is_worth_opening(due):
                self._fetch(due)

    def _is_worth_opening(self, due: DueItem) -> bool:
        if due.source.row_id in self.silent:
            return False
        return any(lane.has_room or lane.may_get_room for lane in self._lanes_of(due))

    def _lanes_of(self, due: DueItem) -> list[Lane]:
        """The engines that may be asked about it."""
        lanes = [lane for lane in self.lanes.values() if may_see(lane.open, due.due.path)]
        return [lane for lane in lanes if due.due.unread or lane.open.revision_id in due.due.revisions]

    def _has_room(self, lane: Lane) -> bool:
        """Whether the engine has calls left for one more than those that are coming."""
        return lane.down is None and (lane.room is None or lane.room > self._coming(lane))

    def _coming(self, lane: Lane) -> int:
        """Photos being opened that it may be asked about."""
        return sum(lane in self._lanes_of(each.due) for each in self.flying.values() if not each.is_asked)

    def _fetch(self, due: DueItem) -> None:
        self.flying[due.due.id] = InFlight(due, due.item)
        self.fetching += 1
        self.fetchers.submit(lambda: self.events.put(fetch(due, self.workshop)))

    # ── what came in ──────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, events: Sequence[object]) -> None:
        """Commits what came in, in one transaction, then acts on it."""
        for event in events:
            if isinstance(event, Ended):
                self._refuse(events)
                raise event.error
        now = self.work.now()
        admitted = [event for event in events if isinstance(event, PermitAsked) and event.is_admitted(now)]
        permits = [event for event in admitted if event.is_counted]
        fetched = [event for event in events if isinstance(event, Fetched)]
        answered = [event for event in events if isinstance(event, Answered)]
        outcomes = self.settled.look()
        batch = Batch([each.key for each in permits], self._opened(fetched), answered, outcomes, now)
        try:
            if admitted:
                self.work.guard()
            kept = self.keeping.keep(batch)
        except BaseException as error:
            for each in admitted:
                each.granted.set_exception(PluginDown(f"no request may be sent ({error})", planned=True))
            raise
        self.settled.drop(outcomes)
        granted = {id(each): send_id for each, send_id in zip(permits, kept.send_ids, strict=True)}
        for each in admitted:
            each.grant(granted.get(id(each)), self.settled, now)
        for opened, what in zip(fetched, kept.items, strict=True):
            self._react_fetched(opened, what)
        for event in events:
            if isinstance(event, Prepared):
                self._react_prepared(event)
        for reply, tally in zip(answered, kept.tallies, strict=True):
            self._react_answered(reply, tally)
        for event in events:
            if isinstance(event, Replied):
                event.courier.go_on(event, self.events)

    def _opened(self, fetched: Sequence[Fetched]) -> list[Opened]:
        for photo in (event.photo for event in fetched if event.photo):
            recognise(photo, self.keeping.targets)
        flying = [self.flying[event.row_id] for event in fetched]
        return [Opened(each.due, each.item, event) for each, event in zip(flying, fetched, strict=True)]

    def _flush_sends(self) -> None:
        outcomes = self.settled.look()
        if outcomes:
            self.keeping.keep(Batch(outcomes=outcomes))
            self.settled.drop(outcomes)

    # ── fetched items ─────────────────────────────────────────────────────────────────────────────────────

    def _react_fetched(self, event: Fetched, kept: KeptItem) -> None:
        self.fetching -= 1
        self.tally.merge(kept.tally)
        flying = self.flying[event.row_id]
        flying.photo = event.photo
        if isinstance(event.error, DiskError):
            raise event.error
        if isinstance(event.error, WorkersGone):
            self._lose_workers(event.error)
        elif isinstance(event.error, PluginDown) and flying.due.source.row_id not in self.silent:
            self.silent.add(flying.due.source.row_id)
            self.tally.put_aside(flying.due.source.source.label, event.error)
        flying.asks = kept.asks
        if self._renditions(flying):
            self.preparing.waiting.append(event.row_id)
        else:
            self._ask_all(event.row_id)

    # ── prepared pictures ─────────────────────────────────────────────────────────────────────────────────

    def _prepare(self) -> None:
        """Keeps the workers busy. After a stop nothing more is prepared, nor asked."""
        while self.preparing.waiting and (self.work.stop.is_set() or self.preparing.has_room):
            row_id = self.preparing.waiting.popleft()
            flying = self.flying[row_id]
            renditions = self._renditions(flying)
            if flying.photo is None or not renditions or self.work.stop.is_set():
                self._ask_all(row_id)
            else:
                self.preparing.start(row_id, flying.photo, renditions)

    def _renditions(self, flying: InFlight) -> tuple[Rendition, ...]:
        """What the engines want that would still be asked."""
        lanes = [self.lanes[name] for name, _ in flying.asks]
        wanted = (each for lane in lanes if lane.down is None for each in lane.open.engine.renditions)
        return tuple(dict.fromkeys(wanted))

    def _react_prepared(self, event: Prepared) -> None:
        self.preparing.under_way -= 1
        if isinstance(event.made, PluginDown):
            self._lose_workers(event.made)
        flying = self.flying[event.row_id]
        if flying.photo is not None:
            flying.photo.keep(event.made_of(self._renditions(flying)))
        self._ask_all(event.row_id)

    def _lose_workers(self, error: PluginDown) -> None:
        """Without prepared pictures no engine is asked any more; what is under way is finished."""
        if _WORKERS not in self.tally.aside:
            self.work.watch.say(str(error))
            self.tally.told.add(_WORKERS)
        self.tally.put_aside(_WORKERS, error)
        for lane in self.lanes.values():
            lane.down = lane.down or error
            self._let_go([ask.key for ask in lane.give_up()])

    def _ask_all(self, row_id: int) -> None:
        flying = self.flying[row_id]
        flying.is_asked = True
        for name, key in flying.asks:
            self._ask(flying, self.lanes[name], key)
        self._end_if_done(row_id)

    def _ask(self, flying: InFlight, lane: Lane, key: Key) -> None:
        """Asks once for each key, however many copies of the photo are in flight."""
        waiting = self.asked.get(key)
        if waiting is not None:
            waiting.append(flying.due.due.id)
        elif key not in self.missed and self._is_taken(flying, lane, key):
            self.asked[key] = [flying.due.due.id]
        else:
            return
        flying.keys.add(key)

    def _is_taken(self, flying: InFlight, lane: Lane, key: Key) -> bool:
        return flying.photo is not None and not self.work.stop.is_set() and lane.take(Ask(key, flying.photo))

    # ── answers ───────────────────────────────────────────────────────────────────────────────────────────

    def _react_answered(self, event: Answered, tally: Tally) -> None:
        self.tally.merge(tally)
        lane = event.lane
        was_up = lane.down is None
        lane.learn_from(event)
        ended = [ask.key for ask in event.asks]
        self._spare_copies(set(ended))
        self.missed.update(ask.key for ask, outcome in event.outcomes if isinstance(outcome, TransientError))
        if was_up and lane.down is not None and not self.work.stop.is_set():
            self.tally.put_aside(lane.open.name, lane.down)
            self.work.watch.say(f"{lane.open.name}: {lane.down}")
            self.tally.told.add(lane.open.name)
        if lane.down is not None or self.work.stop.is_set():
            ended += [ask.key for ask in lane.give_up()]
        self._let_go(ended)

    def _spare_copies(self, keys: AbstractSet[Key]) -> None:
        """A copy whose picture was still being prepared when the answer came is not asked about again."""
        for flying in self.flying.values():
            if not flying.is_asked:
                flying.asks = tuple((name, key) for name, key in flying.asks if key not in keys)

    def _let_go(self, keys: Iterable[Key]) -> None:
        """These are not under way any more."""
        for key in keys:
            for row_id in self.asked.pop(key, ()):
                self.flying[row_id].keys.discard(key)
                self._end_if_done(row_id)

    def _end_if_done(self, row_id: int) -> None:
        flying = self.flying[row_id]
        if flying.keys:
            return
        del self.flying[row_id]
        if flying.photo is not None:
            flying.photo.close()
            for courier in self.couriers:
                courier.ready(row_id, flying.item)
        self.work.watch.finished(flying.item.path)

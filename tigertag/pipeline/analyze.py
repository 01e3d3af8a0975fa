"""Showing photos to engines, side by side.

Fetchers open items, every engine has a pool of its own size, writers bring finished items in line; one
coordinator (the thread that calls `analyze`) commits what they bring in small transactions. A bounded window of
photos is in flight, so memory depends on the window and not on the library.
"""

from __future__ import annotations

import fnmatch
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.orm import Session

from tigertag.errors import (
    DiskError,
    MissingDecoder,
    PhotoError,
    PluginDown,
    StoreError,
    TransientError,
)
from tigertag.media import OpenPhoto
from tigertag.model import Analysis, Item
from tigertag.pipeline import spool
from tigertag.pipeline.courier import Courier, Replied
from tigertag.pipeline.fetch import DueItem, Fetched, fetch
from tigertag.pipeline.lane import Answered, Ask, Ended, Granted, Key, Lane, PermitAsked, Settled
from tigertag.pipeline.spool import Spooled
from tigertag.pipeline.vet import vetted
from tigertag.pipeline.work import OpenEngine, OpenTarget, Tally, Work
from tigertag.store import answers, items, ledger, sends

FETCHERS = 4
WINDOW = 24
"""Items in flight at most: fetched and not answered by all."""

_GLANCE = 0.5  # Seconds between two looks at whether a signal asked for an end.
_TOGETHER = 64  # Events that share a transaction at most.


@dataclass(slots=True)
class InFlight:
    """An item between fetch and the last answer."""

    due: DueItem
    item: Item
    photo: OpenPhoto | None = None
    keys: set[Key] = field(default_factory=set)
    """Answers that are still to come."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the transaction of one fetched item decided: the answers to ask for."""

    row_id: int
    asks: tuple[tuple[str, Key], ...] = ()
    tally: Tally = field(default_factory=Tally)


class Choosy(Protocol):
    """Has globs over section/album/path."""

    @property
    def only(self) -> tuple[str, ...]: ...
    @property
    def except_(self) -> tuple[str, ...]: ...


def may_see(engine: Choosy, path: str) -> bool:
    """Whether ONLY and EXCEPT let the engine see section/album/path. `*` crosses slashes, case counts."""
    if engine.only and not any(fnmatch.fnmatchcase(path, glob) for glob in engine.only):
        return False
    return not any(fnmatch.fnmatchcase(path, glob) for glob in engine.except_)


def analyze(
    work: Work,
    due: Iterable[DueItem],
    engines: Sequence[OpenEngine],
    targets: Sequence[OpenTarget],
    couriers: Sequence[Courier],
    tally: Tally,
) -> None:
    """Opens the due items in their order and asks the engines. Returns when all is done, waits, or is stopped.

    Raises StoreError, DiskError and LockHeld: without database, room or lock nothing more may be asked.
    """
    showing = _Showing(work, deque(due), engines, targets, couriers, tally)
    try:
        showing.run()
    finally:
        showing.close()


class _Showing:
    """The coordinator. Only its own thread touches the database and what is in here."""

    def __init__(
        self,
        work: Work,
        due: deque[DueItem],
        engines: Sequence[OpenEngine],
        targets: Sequence[OpenTarget],
        couriers: Sequence[Courier],
        tally: Tally,
    ) -> None:
        self.work, self.due, self.targets, self.couriers, self.tally = work, due, targets, couriers, tally
        self.events: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.lanes = {each.name: Lane(each, self.events, work.stop.is_set) for each in engines}
        self.fetchers = ThreadPoolExecutor(FETCHERS, "tigertag-fetch")
        self.settled = Settled()
        self.flying: dict[int, InFlight] = {}
        self.fetching = 0
        self.asked: dict[Key, list[int]] = {}
        self.missed: set[Key] = set()  # asked in this run without an answer: not again for a copy (E6)
        self.known: dict[int, tuple[Item, int | None]] = {}
        self.in_hand: list[object] = []  # taken from `events`, not yet committed
        self.silent: set[int] = set()  # sources that no longer answer

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        try:
            self._run()
        except (StoreError, DiskError):
            self._salvage()
            raise

    def _run(self) -> None:
        while True:
            self._fill()
            for lane in self.lanes.values():
                self._let_go([ask.key for ask in lane.refuse_held()])
                lane.submit(all_of_it=not self.fetching)
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
        self._end_lanes()
        late = []
        while not self.events.empty():
            late.append(self.events.get())
        answered = [event for event in (*self.in_hand, *late) if isinstance(event, Answered)]
        spool.put(self.work.spool, (row for event in answered for row in _spooled(event)))
        self._refuse(late)

    def _busy(self) -> bool:
        under_way = any(lane.under_way for lane in self.lanes.values())
        return bool(self.fetching or under_way or any(courier.is_writing for courier in self.couriers))

    def _next_events(self) -> list[object]:
        found = [self._next_event()]
        while len(found) < _TOGETHER and not self.events.empty():
            found.append(self.events.get())
        return found

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
        while self.due and len(self.flying) < WINDOW and not self.work.stop.is_set():
            if not any(lane.has_room for lane in self.lanes.values()):
                if not self.flying:
                    self.due.clear()  # nobody is left to ask: what was not opened waits as it is
                return
            due = self.due.popleft()
            if self._is_worth_opening(due):
                self._fetch(due)

    def _is_worth_opening(self, due: DueItem) -> bool:
        if due.source.row_id in self.silent:
            return False
        lanes = [lane for lane in self.lanes.values() if may_see(lane.open, due.due.path)]
        if not due.due.unread:
            lanes = [lane for lane in lanes if lane.open.revision_id in due.due.revisions]
        return any(lane.has_room or lane.may_get_room for lane in lanes)

    def _fetch(self, due: DueItem) -> None:
        item = self._item(due)
        self.flying[due.due.id] = InFlight(due, item)
        self.fetching += 1
        self.fetchers.submit(lambda: self.events.put(fetch(due, item)))

    def _item(self, due: DueItem) -> Item:
        """Rows are loaded ahead, a window at a time."""
        if due.due.id not in self.known:
            ahead = [due.due.id, *(each.due.id for each, _ in zip(self.due, range(200), strict=False))]
            with self.work.database.reading() as session:
                self.known = items.by_ids(session, ahead)
        return self.known[due.due.id][0]

    # ── what came in ──────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, events: Sequence[object]) -> None:
        """Commits what came in, in one transaction, then acts on it."""
        for event in events:
            if isinstance(event, Ended):
                self._refuse(events)
                raise event.error
        permits = [event for event in events if isinstance(event, PermitAsked)]
        fetched = [event for event in events if isinstance(event, Fetched)]
        answered = [event for event in events if isinstance(event, Answered)]
        outcomes = self.settled.look()

        def commit(session: Session) -> tuple[list[int], list[Kept], list[Tally]]:
            sends.settle(session, outcomes)
            ids = sends.add(
                session, [(each.key[0], each.key[1]) for each in permits], self.work.run_id, self.work.now()
            )
            touched: set[int] = set()
            kept = [self._keep_fetched(session, each, touched) for each in fetched]
            tallies = [self._keep_answered(session, each, touched) for each in answered]
            self._mark(session, sorted(touched))
            return ids, kept, tallies

        try:
            if permits:
                self.work.guard()
            ids, kept, tallies = self.work.database.transact(commit)
        except BaseException as error:
            for each in permits:
                each.granted.set_exception(PluginDown(f"no request may be sent ({error})", planned=True))
            raise
        self.settled.drop(outcomes)
        for each, send_id in zip(permits, ids, strict=True):
            each.lane.permitted.add(each.key)
            each.granted.set_result(Granted(send_id, self.settled))
        for opened, what in zip(fetched, kept, strict=True):
            self._react_fetched(opened, what)
        for reply, tally in zip(answered, tallies, strict=True):
            self._react_answered(reply, tally)
        for event in events:
            if isinstance(event, Replied):
                event.courier.go_on(event, self.events)

    def _flush_sends(self) -> None:
        outcomes = self.settled.look()
        if outcomes:
            self.work.database.transact(lambda session: sends.settle(session, outcomes))
            self.settled.drop(outcomes)

    # ── fetched items ─────────────────────────────────────────────────────────────────────────────────────

    def _keep_fetched(self, session: Session, event: Fetched, touched: set[int]) -> Kept:
        """Stores what was found; items that are to be brought in line go into `touched`."""
        flying = self.flying[event.row_id]
        if event.photo is not None:
            return self._keep_photo(session, event.photo, flying, touched)
        tally = Tally()
        stamp, error = flying.item.stamp, event.error
        if isinstance(error, MissingDecoder):
            items.set_needs(session, event.row_id, stamp, error.extra)
            tally.needs[error.extra] = 1
        elif isinstance(error, PhotoError):
            if items.set_problem(session, event.row_id, stamp, str(error)):
                tally.fail(flying.item.path, str(error))
        elif isinstance(error, TransientError):
            tally.fail(flying.item.path, str(error))
        return Kept(event.row_id, tally=tally)

    def _keep_photo(self, session: Session, photo: OpenPhoto, flying: InFlight, touched: set[int]) -> Kept:
        row_id, now = flying.due.due.id, self.work.now()
        photo_id = items.keep_photo(session, photo.content_id, photo.width, photo.height, now)
        changed = items.set_read(
            session,
            row_id,
            stamp=flying.item.stamp,
            photo_id=photo_id,
            input_hash=photo.input,
            file_hash=photo.file_hash,
            now=now,
        )
        lanes = [lane for lane in self.lanes.values() if may_see(lane.open, flying.due.due.path)]
        keys = {lane.open.name: (photo_id, lane.open.revision_id, _input(lane, photo)) for lane in lanes}
        states = answers.enlist_photo(session, keys.values(), now)
        if changed:
            touched.add(row_id)
        asks = [(name, key) for name, key in keys.items() if states[key] in answers.WAITING]
        return Kept(row_id, tuple(asks), Tally(opened=1))

    def _mark(self, session: Session, row_ids: Sequence[int]) -> None:
        """These items are to be brought in line wherever they are accepted."""
        found = items.by_ids(session, row_ids)
        for target in self.targets:
            accepted = [row_id for row_id, (item, _) in found.items() if target.target.accepts(item)]
            ledger.mark_pending(session, target.row_id, accepted, self.work.now())

    def _react_fetched(self, event: Fetched, kept: Kept) -> None:
        self.fetching -= 1
        self.tally.merge(kept.tally)
        flying = self.flying[event.row_id]
        flying.photo = event.photo
        if isinstance(event.error, DiskError):
            raise event.error
        if isinstance(event.error, PluginDown) and flying.due.source.row_id not in self.silent:
            self.silent.add(flying.due.source.row_id)
            self.tally.put_aside(flying.due.source.source.label, event.error)
        for name, key in kept.asks:
            self._ask(flying, self.lanes[name], key)
        self._end_if_done(event.row_id)

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

    def _keep_answered(self, session: Session, event: Answered, touched: set[int]) -> Tally:
        tally = Tally()
        for ask, outcome in event.outcomes:
            path = ask.photo.name
            if isinstance(outcome, Analysis):
                answer = vetted(outcome)
                self._keep_answer(session, ask, answer)
                touched.update(items.of_photo(session, ask.key[0], ask.key[2]))
                tally.answered[event.lane.open.name] = tally.answered.get(event.lane.open.name, 0) + 1
                tally.dropped += answer.dropped
            elif isinstance(outcome, PhotoError):
                new = answers.keep_failure(
                    session,
                    ask.key,
                    str(outcome),
                    raw=outcome.raw,
                    run_id=self.work.run_id,
                    now=self.work.now(),
                )
                if new:
                    tally.fail(path, str(outcome))
            else:
                answers.keep_waiting(session, ask.key, str(outcome))
                tally.fail(path, str(outcome))
        return tally

    def _keep_answer(self, session: Session, ask: Ask, answer: Analysis) -> None:
        answers.keep_answer(
            session,
            ask.key,
            answer.annotations,
            raw=answer.raw,
            dropped=answer.dropped,
            run_id=self.work.run_id,
            now=self.work.now(),
        )

    def _react_answered(self, event: Answered, tally: Tally) -> None:
        self.tally.merge(tally)
        lane = event.lane
        was_up = lane.down is None
        lane.learn_from(event)
        ended = [ask.key for ask in event.asks]
        self.missed.update(ask.key for ask, outcome in event.outcomes if isinstance(outcome, TransientError))
        if was_up and lane.down is not None and not self.work.stop.is_set():
            self.tally.put_aside(lane.open.name, lane.down)
            self.work.watch.say(f"{lane.open.name}: {lane.down}")
            self.tally.told.add(lane.open.name)
        if lane.down is not None or self.work.stop.is_set():
            ended += [ask.key for ask in lane.give_up()]
        self._let_go(ended)

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


def _input(lane: Lane, photo: OpenPhoto) -> str:
    return photo.input if lane.open.engine.reads == "file" else ""


def _spooled(event: Answered) -> Iterator[Spooled]:
    for ask, outcome in event.outcomes:
        if isinstance(outcome, Analysis):
            answer = vetted(outcome)
            yield Spooled(
                ask.photo.content_id,
                ask.photo.width,
                ask.photo.height,
                ask.key[1],
                event.lane.open.fingerprint,
                ask.key[2],
                answer.annotations,
                answer.raw,
                answer.dropped,
            )

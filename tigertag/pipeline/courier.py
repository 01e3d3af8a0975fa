"""Writing while the analysis goes on.

A courier gathers finished items for one target and brings them in line in batches. What it asks of the target
runs in a thread of its own; what it does with the database runs in the coordinator's.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tigertag.errors import PluginDown, TransientError
from tigertag.model import Item
from tigertag.pipeline.record import Delivering
from tigertag.pipeline.write import BATCH, Reply, Steps, deliver
from tigertag.store import ours


@dataclass(frozen=True, slots=True)
class Replied:
    """A target's answer to a step of a delivery, or what it raised."""

    courier: Courier
    reply: Reply
    error: BaseException | None = None


@dataclass(slots=True)
class Courier:
    """Takes fresh items to one target: those that never showed a tag of ours.

    The others are written at the end, after a look at whether the target was restored from a copy (P20).
    """

    how: Delivering
    gathered: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)
    """Of those that were gathered, the ones that show no tag of ours."""
    is_writing: bool = False
    is_down: bool = False
    _steps: Steps | None = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "tigertag-write"))

    def ready(self, row_id: int, item: Item) -> None:
        """All engines that could answer have answered."""
        if self.how.target.target.accepts(item):
            self.gathered.append(row_id)
            if len(self.gathered) >= BATCH:
                self._sort_out()

    def _sort_out(self) -> None:
        with self.how.work.database.reading() as session:
            known = ours.among(session, self.how.target.row_id, self.gathered)
        self.fresh += [row_id for row_id in self.gathered if row_id not in known]
        self.gathered.clear()

    def start(self, events: queue.SimpleQueue[object]) -> None:
        """Begins a batch where there is a full one; what is left over is written at the end of the run."""
        if self.is_writing or self.is_down or self.how.work.stop.is_set():
            return
        if len(self.fresh) >= BATCH:
            batch, self.fresh = self.fresh[:BATCH], self.fresh[BATCH:]
            self._steps = deliver(self.how, batch)
            self._advance(events, next)

    def go_on(self, event: Replied, events: queue.SimpleQueue[object]) -> None:
        """Takes the target's answer to the next step, in the coordinator's thread."""
        self.is_writing = False
        if event.error is None:
            self._advance(events, lambda steps: steps.send(event.reply))
        elif isinstance(event.error, PluginDown | TransientError):
            self.is_down = True
            self.how.tally.put_aside(self.how.target.target.label, event.error)
        else:
            raise event.error

    def _advance(self, events: queue.SimpleQueue[object], move: Callable[[Steps], Callable[[], Reply]]) -> None:
        assert self._steps is not None
        try:
            call = move(self._steps)
        except StopIteration:
            return
        self.is_writing = True
        self._pool.submit(lambda: events.put(self._outside(call)))

    def _outside(self, call: Callable[[], Reply]) -> Replied:
        try:
            return Replied(self, call())
        except BaseException as error:  # noqa: BLE001 - carried to the coordinator, which records or raises it
            return Replied(self, (), error)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

"""Permits: what an engine waits for before a request leaves, and what it says became of the request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from tigertag.errors import PluginDown
from tigertag.model import Outcome, Send

if TYPE_CHECKING:
    from tigertag.pipeline.lane import Key, Lane


@dataclass(frozen=True, slots=True)
class PermitAsked:
    """A request wants to leave: the coordinator looks at the run lock and grants.

    For one `is_counted`, because it may be billed or its engine has limits, a `send` row is committed first.
    """

    lane: Lane
    key: Key
    is_counted: bool = True
    granted: Future[Send] = field(default_factory=Future)

    def is_admitted(self, now: datetime) -> bool:
        """Charges budget and hours of the engine; what they forbid is refused."""
        if not self.is_counted:
            return True
        try:
            self.lane.open.limits.take(now)
        except PluginDown as refusal:
            self.granted.set_exception(refusal)
            return False
        return True

    def grant(self, send_id: int | None, settled: Settled, now: datetime) -> None:
        """Lets the request leave; `send_id` is of its row, None for one that is not counted.

        `now` is when it was admitted.
        """
        if send_id is None:
            self.granted.set_result(Unbilled())
            return
        self.lane.permitted.add(self.key)
        self.granted.set_result(Granted(send_id, settled, partial(self.lane.open.limits.give_back, now)))


class Settled:
    """Outcomes of requests, put in by the engines' threads and taken out by the coordinator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: dict[int, Outcome] = {}

    def put(self, send_id: int, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes[send_id] = outcome

    def look(self) -> dict[int, Outcome]:
        with self._lock:
            return dict(self._outcomes)

    def drop(self, taken: dict[int, Outcome]) -> None:
        with self._lock:
            for send_id, outcome in taken.items():
                if self._outcomes.get(send_id) is outcome:
                    del self._outcomes[send_id]


@dataclass(frozen=True, slots=True)
class Granted:
    """A committed `send` row, in the hand of an engine."""

    send_id: int
    settled: Settled
    give_back: Callable[[], None]
    """What its budget was charged with."""

    def settle(self, outcome: Outcome) -> None:
        self.settled.put(self.send_id, outcome)
        if outcome is Outcome.UNSENT:  # after `put`: whoever is admitted instead finds the row withdrawn
            self.give_back()


class Unbilled:
    """A request that nobody is charged for."""

    def settle(self, outcome: Outcome) -> None: ...

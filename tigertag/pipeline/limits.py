"""How much, how fast and when an engine may be asked: rate, budget and hours. Touches no database.

A call is a permit. The budget counts every `send` row of a UTC day or calendar month, whatever came of it: what
was refused was received; what never left has no row. It is seeded from the store when a run begins and counted
down in memory; the run lock makes that exact. One object belongs to one engine in one run, and is safe to use
from several threads.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tigertag.errors import PluginDown
from tigertag.model import Budget, EngineRules, Hours

_GLANCE = 0.5  # Seconds between two looks at whether a wait for the rate is still of use.
_MINUTE = timedelta(minutes=1)


def window(budget: Budget, moment: datetime) -> tuple[datetime, datetime]:
    """Beginning and end of the UTC day or month that `moment` lies in."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if budget.per == "day":
        return day, day + timedelta(days=1)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def may_ask(hours: Hours, moment: datetime, zone: tzinfo | None = None) -> bool:
    """Whether the clock on the wall shows one of the hours, in `zone`: by default this machine's."""
    wall = moment.astimezone(zone).time()
    if hours.start < hours.end:
        return hours.start <= wall < hours.end
    return wall >= hours.start or wall < hours.end


def next_turn(hours: Hours, moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The first whole minute after `moment` at which the hours begin, or within them end.

    Minute by minute, so that a clock that is put forward or back needs no rule of its own.
    """
    now = may_ask(hours, moment, zone)
    turn = moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    while may_ask(hours, turn, zone) == now:
        turn += _MINUTE
    return turn


def spoken(moment: datetime) -> str:
    """`22 November, 06:00 UTC`; in local time without a zone's name."""
    zone = " UTC" if moment.tzinfo is UTC else ""
    return f"{moment.day} {moment:%B}, {moment:%H:%M}{zone}"


@dataclass(frozen=True, slots=True)
class Spent:
    """How a budget stands."""

    used: int
    limit: int
    left: int
    per: str
    """`day` or `month`."""
    until: str
    """When it starts anew: `22 November, 00:00 UTC`."""

    def __str__(self) -> str:
        span = "today" if self.per == "day" else "this month"
        return f"{self.used:,} of {self.limit:,} calls used {span}"


def spent(budget: Budget, used: int, moment: datetime) -> Spent:
    """How a budget stands of which so many calls were used in the window of `moment`."""
    left = max(0, budget.calls - used)
    return Spent(used, budget.calls, left, budget.per, spoken(window(budget, moment)[1]))


class Limits:
    """What an engine may still be asked in this run."""

    def __init__(
        self,
        rules: EngineRules | None = None,
        used: int = 0,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
        zone: tzinfo | None = None,
    ) -> None:
        """`used` calls were made in the budget's present window. `clock` is in seconds and never goes back.

        `pause` waits so many seconds at most: the run's stop ends it.
        """
        self.rules = rules or EngineRules()
        self._now, self._clock, self._pause, self._zone = now, clock, pause, zone
        self._lock = threading.Lock()
        self._used: Counter[datetime] = Counter()
        self._turn = 0.0
        if self.rules.budget is not None:
            self._used[window(self.rules.budget, now())[0]] = used

    # ── budget and hours ──────────────────────────────────────────────────────────────────────────────────

    def left(self) -> int | None:
        """Calls that may be made now; None where nothing limits them."""
        now = self._now()
        if self._is_closed(now):
            return 0
        found = self.spent(now)
        return None if found is None else found.left

    def spent(self, now: datetime | None = None) -> Spent | None:
        """How the budget stands; None where there is none."""
        budget, now = self.rules.budget, now or self._now()
        return None if budget is None else spent(budget, self._used[window(budget, now)[0]], now)

    def closed_until(self, now: datetime | None = None) -> str:
        """When the hours begin again, by the clock on the wall; empty within them."""
        now, hours = now or self._now(), self.rules.hours
        if hours is None or may_ask(hours, now, self._zone):
            return ""
        return spoken(next_turn(hours, now, self._zone).astimezone(self._zone))

    def refusal(self, now: datetime | None = None) -> PluginDown | None:
        """Why no call may be made now, a stop that was planned; None where one may be made."""
        now = now or self._now()
        until = self.closed_until(now)
        if until:
            said = f"is asked from {str(self.rules.hours).replace('-', ' to ')} only"
            return PluginDown(f"{said}; its photos wait until {until}", planned=True, until=until)
        found = self.spent(now)
        if found is not None and not found.left:
            return PluginDown(f"{found}; its photos wait until {found.until}", planned=True, until=found.until)
        return None

    def take(self, now: datetime) -> None:
        """Charges a call that is about to be written down under this moment. Raises PluginDown."""
        with self._lock:
            refusal = self.refusal(now)
            if refusal is not None:
                raise refusal
            if self.rules.budget is not None:
                self._used[window(self.rules.budget, now)[0]] += 1

    def give_back(self, charged: datetime) -> None:
        """A call that was charged at this moment was not made: nobody was there to receive it."""
        with self._lock:
            if self.rules.budget is not None:
                self._used[window(self.rules.budget, charged)[0]] -= 1

    def _is_closed(self, now: datetime) -> bool:
        return self.rules.hours is not None and not may_ask(self.rules.hours, now, self._zone)

    # ── rate ──────────────────────────────────────────────────────────────────────────────────────────────

    def wait_turn(self, is_over: Callable[[], bool]) -> bool:
        """Waits until the rate has room for one more call. False where it `is_over` before that."""
        if self.rules.rate is None:
            return True
        with self._lock:
            turn = max(self._turn, self._clock())
            self._turn = turn + self.rules.rate.interval
        while (left := turn - self._clock()) > 0 and not is_over():
            self._pause(min(left, _GLANCE))
        return left <= 0

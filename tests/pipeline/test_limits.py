"""Rate, budget and hours of an engine: when it may be asked, and what is said where it may not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tigertag.errors import PluginDown
from tigertag.model import Budget, EngineRules, Hours, Rate
from tigertag.pipeline.limits import Limits, may_ask, next_turn, window

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Hours(time(22), time(6))
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@dataclass
class Clock:
    """Time that passes only while somebody waits."""

    moment: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return sum(self.waits)

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)


def limits(clock: Clock | None = None, used: int = 0, **rules: object) -> Limits:
    clock = clock or Clock()
    made = EngineRules(**rules)  # type: ignore[arg-type]
    return Limits(made, used, now=clock.now, clock=clock.seconds, pause=clock.pause, zone=BERLIN)


def never() -> bool:
    return False


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hours", "wall", "open_"),
    [
        (NIGHT, "2026-11-21 21:59:59", False),
        (NIGHT, "2026-11-21 22:00", True),
        (NIGHT, "2026-11-22 05:59:59", True),
        (NIGHT, "2026-11-22 06:00", False),
        (Hours(time(9), time(17, 30)), "2026-11-21 17:29", True),
        (Hours(time(9), time(17, 30)), "2026-11-21 17:30", False),
        (Hours(time(6), time(0)), "2026-11-21 23:59", True),
        (Hours(time(6), time(0)), "2026-11-22 00:00", False),
    ],
)
def test_hours_are_those_on_the_wall_and_may_cross_midnight(hours: Hours, wall: str, open_: bool) -> None:
    assert may_ask(hours, at(wall), BERLIN) is open_


@pytest.mark.parametrize(
    ("hours", "now", "turn"),
    [
        (NIGHT, at("2026-11-21 15:00:30"), at("2026-11-21 22:00")),
        (NIGHT, at("2026-11-21 22:00"), at("2026-11-22 06:00")),
        # The night in which clocks go forward has seven of those hours, the one in which they go back nine.
        (NIGHT, at("2026-03-28 22:00"), at("2026-03-28 22:00") + timedelta(hours=7)),
        (NIGHT, at("2026-10-24 22:00"), at("2026-10-24 22:00") + timedelta(hours=9)),
        # 02:30 is not there that night: three o'clock comes in its place.
        (Hours(time(2, 30), time(5)), at("2026-03-29 01:00"), at("2026-03-29 03:00")),
        # 02:30 is there twice: it ends, and begins again.
        (Hours(time(0), time(2, 30)), at("2026-10-25 02:00"), at("2026-10-25 02:30")),
        (Hours(time(0), time(2, 30)), at("2026-10-25 02:30"), at("2026-10-25 02:00", fold=1)),
    ],
)
def test_hours_begin_and_end_where_the_wall_says_so_also_when_clocks_are_changed(
    hours: Hours, now: datetime, turn: datetime
) -> None:
    assert next_turn(hours, now, BERLIN) == turn


def test_outside_its_hours_an_engine_is_not_asked_and_that_is_planned() -> None:
    found = limits(hours=NIGHT)
    with pytest.raises(PluginDown) as caught:
        found.take(NOW)
    assert (found.left(), caught.value.planned, caught.value.until) == (0, True, "21 November, 22:00")
    assert str(caught.value) == "is asked from 22 to 06 only; its photos wait until 21 November, 22:00"


def test_within_its_hours_an_engine_is_asked() -> None:
    found = limits(Clock(at("2026-11-21 23:00")), hours=NIGHT)
    found.take(at("2026-11-21 23:00"))
    assert (found.left(), found.refusal()) == (None, None)


# ── budget ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("per", "now", "begins", "ends"),
    [
        ("day", "2026-11-21 23:59:59.999", "2026-11-21", "2026-11-22"),
        ("month", "2026-12-31 23:59", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29 00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_a_budget_is_for_a_utc_day_or_calendar_month(per: str, now: str, begins: str, ends: str) -> None:
    utc = ZoneInfo("UTC")
    found = window(Budget(5, per), at(now, utc))  # type: ignore[arg-type]
    assert found == (at(begins, utc), at(ends, utc))


def test_a_used_up_budget_is_a_planned_stop_that_says_until_when() -> None:
    found = limits(budget=Budget(300, "day"), used=299)
    found.take(NOW)
    with pytest.raises(PluginDown) as caught:
        found.take(NOW)
    assert (found.left(), caught.value.planned, caught.value.until) == (0, True, "22 November, 00:00 UTC")
    said = "300 of 300 calls used today; its photos wait until 22 November, 00:00 UTC"
    assert str(caught.value) == said


def test_a_budget_that_was_lowered_below_what_was_used_leaves_nothing() -> None:
    assert limits(budget=Budget(10, "month"), used=25).left() == 0


def test_a_new_day_has_a_new_budget_and_a_clock_put_back_has_not() -> None:
    clock = Clock()
    found = limits(clock, budget=Budget(2, "day"), used=2)
    clock.moment += timedelta(days=1)
    found.take(clock.moment)
    assert found.left() == 1
    clock.moment -= timedelta(days=1)
    assert found.left() == 0


def test_many_threads_take_no_more_than_the_budget() -> None:
    found = limits(budget=Budget(37, "day"))
    barrier = threading.Barrier(8)

    def greedy() -> int:
        barrier.wait(10)
        taken = 0
        for _ in range(20):
            try:
                found.take(NOW)
                taken += 1
            except PluginDown:
                break
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(greedy) for _ in range(8)]
    assert sum(each.result() for each in taken) == 37


# ── rate ──────────────────────────────────────────────────────────────────────────────────────────────────


def moments(found: Limits, clock: Clock, count: int, is_over: Callable[[], bool] = never) -> list[float]:
    begin, made = clock.seconds(), []
    for _ in range(count):
        found.wait_turn(is_over)
        made.append(round(clock.seconds() - begin, 3))
    return made


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(Rate(5), [0, 0.2, 0.4, 0.6]), (Rate(30, "min"), [0, 2, 4, 6]), (Rate(0.5), [0, 2, 4, 6])],
)
def test_calls_keep_the_distance_that_the_rate_asks_for(rate: Rate, expected: list[float]) -> None:
    clock = Clock()
    assert moments(limits(clock, rate=rate), clock, 4) == expected


def test_a_pause_saves_up_no_calls() -> None:
    clock = Clock()
    found = limits(clock, rate=Rate(1))
    moments(found, clock, 1)
    clock.pause(100)
    assert moments(found, clock, 3) == [0, 1, 2]


def test_the_wait_for_the_rate_ends_when_the_run_does() -> None:
    clock = Clock()
    found = limits(clock, rate=Rate(1, "min"))
    moments(found, clock, 1)
    assert moments(found, clock, 1, lambda: len(clock.waits) == 1) == [0.5]


def test_an_engine_without_limits_is_never_stopped() -> None:
    clock = Clock()
    found = limits(clock)
    found.take(NOW)
    assert (found.left(), found.spent(), found.refusal(), moments(found, clock, 3)) == (
        None,
        None,
        None,
        [0, 0, 0],
    )

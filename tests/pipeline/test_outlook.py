"""What asking so many photos will cost and take, from what is known beforehand."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tigertag.model import Budget, EngineRules, Hours, Rate
from tigertag.pipeline.outlook import Known, Outlook, outlook

UTC_WALL = ZoneInfo("UTC")
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
NIGHT = Hours(time(22), time(6))


def seen(
    calls: int, *, concurrency: int = 1, used: int = 0, took: float | None = None, **rules: object
) -> Outlook:
    known = Known(EngineRules(**rules), concurrency, used, took)  # type: ignore[arg-type]
    return outlook(known, calls, NOW, UTC_WALL)


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert seen(500, concurrency=8) == Outlook(500, 500)


def test_what_a_call_took_and_how_many_go_side_by_side_give_the_time() -> None:
    found = seen(1000, concurrency=4, took=0.5)
    assert (found.seconds, found.is_least, found.done) == (125, False, NOW + timedelta(seconds=125))


def test_a_rate_that_is_slower_than_the_engine_gives_the_time() -> None:
    assert seen(1000, concurrency=4, took=0.5, rate=Rate(60, "min")).seconds == 1000


def test_with_the_rate_alone_it_takes_at_least_so_long() -> None:
    found = seen(600, rate=Rate(10))
    assert (found.seconds, found.is_least) == (60, True)


def test_the_cost_is_that_of_all_calls() -> None:
    assert (seen(2000, cost_per_call=0.002).cost, seen(0, cost_per_call=0.5).cost, seen(5).cost) == (4, 0, None)


def test_a_budget_spreads_the_calls_over_days() -> None:
    found = seen(1000, used=100, budget=Budget(300, "day"))  # 200 today, then 300, 300 and 200
    assert (found.at_once, found.seconds, found.done) == (200, None, datetime(2026, 11, 24, tzinfo=UTC))


def test_a_budget_of_a_month_that_is_used_up_begins_with_the_next() -> None:
    found = seen(3000, used=2500, took=1.0, budget=Budget(2000, "month"))
    assert (found.at_once, found.seconds) == (0, 3000)
    assert found.done == datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=1000)


def test_outside_the_hours_nothing_is_asked_before_they_begin() -> None:
    found = seen(3600, took=1.0, hours=NIGHT)
    assert (found.at_once, found.seconds, found.done) == (0, 3600, datetime(2026, 11, 21, 23, tzinfo=UTC))


def test_what_does_not_fit_into_one_night_goes_on_in_the_next() -> None:
    found = seen(9 * 3600, took=1.0, hours=NIGHT)
    assert found.done == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_a_run_that_leaves_its_hours_leaves_the_rest_to_the_next() -> None:
    found = seen(5 * 3600, took=1.0, hours=Hours(time(9), time(17)))
    assert (found.at_once, found.done) == (2 * 3600, datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_a_budget_and_hours_hold_together() -> None:
    found = seen(250, took=1.0, hours=NIGHT, budget=Budget(100, "day"))
    # 100 before midnight, 100 after it, and 50 after the next.
    assert (found.at_once, found.done) == (0, datetime(2026, 11, 23, 0, 0, 50, tzinfo=UTC))


def test_years_of_waiting_are_reckoned_and_not_walked() -> None:
    found = seen(1_000_000, took=1.0, hours=NIGHT, budget=Budget(100, "day"))
    assert found.done is not None
    assert 9_000 < (found.done - NOW).days < 11_000


def test_the_night_in_which_clocks_go_forward_is_shorter() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    evening = datetime(2026, 3, 28, 22, tzinfo=berlin)
    found = outlook(Known(EngineRules(hours=NIGHT), seconds_per_call=1.0), 8 * 3600, evening, berlin)
    assert found.at_once == 7 * 3600

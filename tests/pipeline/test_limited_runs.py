"""Rate, budget and hours of engines in whole runs: over many of them, with kills, and what is said of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.fakes_pipeline import MindEngine
from tests.house import House
from tests.pipeline.conftest import Shelved
from tests.stage import tag
from tigertag.app.forecast import forecast
from tigertag.app.looking import status
from tigertag.app.scanning import EngineLine, ScanOrder
from tigertag.app.scanning import scan as run_scan
from tigertag.cli.report import lines, rows
from tigertag.errors import TransientError
from tigertag.model import Annotation, Photo
from tigertag.store import tables


def furnished(house: House, photos: int, **options: object) -> House:
    house.engine("seer", **options).default = lambda photo: [tag("dog")]
    for number in range(photos):
        house.photo(str(number))
    return house


def is_billed(house: House) -> bool:
    options = house.engines["seer"].options
    assert isinstance(options, MindEngine.Options)
    return options.billed


def shown(house: House) -> int:
    """Photos, or requests that would be billed, that reached the engine."""
    mind = house.mind("seer")
    return sum((mind.sent if is_billed(house) else mind.asked).values())


def line(house: House) -> EngineLine:
    return house.scan().engines[0]


# ── budget ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("billed", [True, False])
def test_the_whole_of_a_budget_is_used_and_nothing_is_opened_in_vain(house: House, billed: bool) -> None:
    furnished(house, 42, billed=billed, concurrency=4, budget="37/day")
    report = house.scan()
    assert (report.exit_code, shown(house), len(house.wall)) == (0, 37, 37)
    assert sum(house.stage.shelf.opened.values()) == 37
    assert "  waiting  5 for seer (37 of 37 calls used today; next on 2 July, 00:00 UTC)" in lines(report)
    assert (house.scan().exit_code, shown(house)) == (0, 37)
    house.later(12 * 60)
    assert (house.scan().exit_code, shown(house), len(house.wall)) == (0, 42, 42)


def test_an_engine_without_a_budget_goes_on_where_another_is_used_up(house: House) -> None:
    furnished(house, 6, billed=True, budget="2/month")
    house.engine("other").default = lambda photo: [tag("sun")]
    report = house.scan()
    assert (report.exit_code, shown(house), sum(house.mind("other").asked.values())) == (0, 2, 6)


def test_repeats_and_requests_without_an_answer_count(house: House) -> None:
    furnished(house, 9, billed=True, concurrency=1, budget="5/day")
    house.mind("seer").fails[""] = lambda photo: TransientError("503 from the service", photo)
    house.scan()
    assert shown(house) == 5
    house.mind("seer").fails.clear()
    assert (house.scan().exit_code, shown(house)) == (0, 5)


def test_a_request_that_never_left_takes_nothing_from_the_budget(house: House) -> None:
    furnished(house, 9, billed=True, concurrency=1, budget="5/day")
    house.mind("seer").unsent = 6
    report = house.scan()
    assert (report.exit_code, shown(house), report.engines[0].calls) == (0, 5, 5)
    assert [row.outcome for row in house.rows(tables.SendRow)] == ["billed"] * 5
    assert (house.scan().exit_code, shown(house)) == (0, 5)


def test_a_budget_holds_over_another_revision_of_the_engine(house: House) -> None:
    furnished(house, 5, billed=True, budget="7/day")
    house.scan()
    house.change("seer", level=1)
    assert (house.scan(sure=True).exit_code, shown(house)) == (0, 7)


def test_what_is_shown_to_an_engine_that_bills_nobody_is_in_the_book_as_free(house: House) -> None:
    furnished(house, 3, budget="100/day")
    assert line(house).maybe_billed == 0
    assert [row.outcome for row in house.rows(tables.SendRow)] == ["free"] * 3


@pytest.mark.parametrize("billed", [True, False])
def test_with_kills_an_engine_gets_no_more_than_its_budget(shelved: Shelved, billed: bool) -> None:
    """I19."""
    house = furnished(shelved.house(), 42, billed=billed, concurrency=4, budget="37/day")
    kills = 0
    while house.killed_at(40 + 17 * kills, house.scan):
        kills += 1
        assert shown(house) <= 37
    assert kills >= 3
    sent = len(house.rows(tables.SendRow))
    assert (shown(house) <= sent, sent) == (True, 37)
    house.scan()
    assert len(house.rows(tables.SendRow)) == 37


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock on the wall shows UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_outside_its_hours_an_engine_is_not_even_started(house: House) -> None:
    furnished(house, 4, billed=True, hours="22-06")
    house.mind("seer").left = 1000
    report = house.scan()  # at noon
    assert (report.exit_code, shown(house), house.stage.shelf.opened) == (0, 0, {})
    assert "  waiting  4 for seer (asked from 22 to 06 only; next on 1 July, 22:00)" in lines(report)
    house.later(11 * 60)
    assert (house.scan().exit_code, shown(house)) == (0, 4)


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("billed", [True, False])
def test_a_run_that_leaves_its_hours_finishes_what_is_under_way(house: House, billed: bool) -> None:
    furnished(house, 40, billed=billed, concurrency=2, hours="6-13")
    opening = threading.Lock()

    def clock_strikes(photo: Photo) -> None:
        with opening:
            if shown(house) >= 5:
                house.now = datetime.fromisoformat("2026-07-01T13:00:00+00:00")

    house.mind("seer").waits_for = clock_strikes
    report = house.scan()
    assert report.exit_code == 0
    assert 5 <= shown(house) <= 8
    assert len(house.wall) == shown(house)
    assert "asked from 06 to 13 only; next on 2 July, 06:00" in "".join(lines(report))


# ── rate ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_ends_the_wait_for_the_rate_at_once(house: House) -> None:
    furnished(house, 10, billed=True, concurrency=4, rate="1/min")
    app = house.app
    asked = threading.Event()

    def answer(photo: Photo) -> list[Annotation]:
        asked.set()
        return [tag("dog")]

    def stop() -> None:
        asked.wait(30)
        stopped.append(datetime.now())
        app.stop.set()

    stopped: list[datetime] = []
    house.mind("seer").default = answer
    threading.Thread(target=stop).start()
    run_scan(app, ScanOrder())
    assert datetime.now() - stopped[0] < timedelta(seconds=10)  # and not a minute
    assert (shown(house), [row.outcome for row in house.rows(tables.SendRow)]) == (1, ["billed"])


@pytest.mark.parametrize("billed", [True, False])
def test_a_rate_slows_the_calls_down(house: House, billed: bool) -> None:
    furnished(house, 5, billed=billed, concurrency=4, rate="20/s")
    began = datetime.now()
    house.scan()
    assert datetime.now() - began >= timedelta(seconds=0.2)
    assert shown(house) == 5


# ── what is said ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_of_a_scan_and_the_status_tell_calls_cost_and_what_is_left(house: House) -> None:
    furnished(house, 4, billed=True, budget="10/month", cost_per_call=0.25)
    report = house.scan()
    assert "6 of 10 calls left this month · 4 calls cost 1.00" in lines(report)[1]
    (row,) = [each for each in rows(report) if each["type"] == "engine"]
    assert (row["calls"], row["cost"]) == (4, 1)
    assert row["budget"] == {
        "used": 4,
        "limit": 10,
        "left": 6,
        "per": "month",
        "until": "1 August, 00:00 UTC",
    }
    (seen,) = status(house.app).engines
    assert seen.budget is not None
    assert (seen.budget.used, seen.budget.left) == (4, 6)


def test_the_forecast_tells_calls_cost_and_time(house: House) -> None:
    furnished(house, 30, billed=True, concurrency=2, budget="10/day", cost_per_call=0.01)
    (before,) = forecast(house.app, ScanOrder()).engines
    assert before.outlook is not None
    assert (before.outlook.calls, before.outlook.at_once, before.outlook.cost) == (30, 10, 0.3)
    assert before.outlook.seconds is None
    house.mind("seer").waits_for = lambda photo: threading.Event().wait(0.02)
    house.scan()
    (after,) = forecast(house.app, ScanOrder()).engines
    assert after.outlook is not None and after.outlook.seconds is not None
    assert (after.outlook.calls, after.outlook.at_once, after.outlook.is_least) == (20, 0, False)
    assert 20 * 0.02 / 2 <= after.outlook.seconds < 20 * 0.2 / 2
    assert after.outlook.done is not None
    assert after.outlook.done.date() == (house.now + timedelta(days=2)).date()

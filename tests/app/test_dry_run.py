"""A dry run changes and costs nothing (I20), and says what would come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import House
from tests.stage import days, drawn, tag
from tests.store.rows import dump, snapshot
from tigertag.app.forecast import forecast
from tigertag.app.scanning import ScanOrder
from tigertag.app.scanning import scan as run_scan
from tigertag.app.writing import UndoOrder, WriteOrder, preview, preview_undo
from tigertag.errors import ConfigError
from tigertag.pipeline.choose import Choice

DRY: dict[str, Callable[[House], object]] = {
    "scan": lambda house: forecast(house.app, ScanOrder()),
    "write": lambda house: preview(house.app, WriteOrder(verify=True)),
    "undo": lambda house: preview_undo(house.app, UndoOrder(everything=True)),
}


def waiting(house: House, **order: object) -> dict[str, int]:
    report = forecast(house.app, ScanOrder(**order))  # type: ignore[arg-type]
    return {line.id: line.waiting for line in report.engines}


def furnished(house: House) -> None:
    """A scan, then a changed policy, a photo that is new and one that the user changed."""
    house.engine("seer", billed=True)
    house.photo("1", tag("dog"), tag("cat", 50))
    house.photo("2", tag("sea"))
    house.scan()
    house.photo("3", tag("sun"))
    house.stage.wall.user_removes("1", "dog")
    house.change("seer", min_confidence=60)


@pytest.mark.parametrize("what", DRY)
def test_a_dry_run_changes_and_costs_nothing(any_house: House, what: str) -> None:
    furnished(any_house)
    stage = any_house.stage
    with any_house.database.engine.connect() as connection:
        before = dump(connection)
    touched = (dict(stage.minds["seer"].asked), dict(stage.shelf.opened), stage.wall.writes, any_house.wall)
    DRY[what](any_house)
    with any_house.database.engine.connect() as connection:
        assert dump(connection) == before
    assert touched == (
        dict(stage.minds["seer"].asked),
        dict(stage.shelf.opened),
        stage.wall.writes,
        any_house.wall,
    )


@pytest.mark.parametrize("what", DRY)
def test_a_dry_run_makes_no_database(house: House, tmp_path: Path, what: str) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    folder = tmp_path / "empty"
    folder.mkdir()
    house.url = f"sqlite:///{folder / 'tigertag.db'}"
    DRY[what](house)
    assert snapshot(folder) == {}


def test_the_forecast_counts_what_would_be_asked(house: House) -> None:
    house.engine("seer", billed=True)
    house.engine("reader", reads="file")
    for key in "12345":
        house.photo(key, tag("dog"))
    assert waiting(house) == {"seer": 5, "reader": 5}
    house.scan(limit=2)
    assert waiting(house) == {"seer": 3, "reader": 3}
    assert waiting(house, choice=Choice(limit=1)) == {"seer": 1, "reader": 1}
    house.scan()
    assert waiting(house) == {"seer": 0, "reader": 0}
    house.photo("6", tag("dog"))
    house.stage.shelf.put("1", drawn(1, "a keyword"))
    assert waiting(house) == {"seer": 2, "reader": 2}
    house.change("seer", level=1)
    assert waiting(house, engines=("seer",))["seer"] == 6


def test_the_forecast_respects_what_an_engine_may_see(house: House) -> None:
    house.engine("seer", except_=("*/2.jpg",))
    house.photo("1", tag("dog"))
    house.photo("2", tag("dog"))
    assert waiting(house) == {"seer": 1}
    house.scan(limit=1, order="oldest")
    assert waiting(house) == {"seer": 0}


def test_the_preview_of_a_write_is_what_it_does(any_house: House) -> None:
    furnished(any_house)
    any_house.change("seer", prefix="tti")
    (found, tally) = preview(any_house.app, WriteOrder(verify=True))
    assert tally.exit_code == 0
    lines = {each.path: (each.add, each.remove, each.refused) for each in found}
    assert lines == {
        "Summer/1.jpg": ((), ("Cat",), ("Dog",)),
        "Summer/2.jpg": (("tti_sea",), ("Sea",), ()),
    }
    any_house.stage.wall.marks.clear()
    any_house.write(verify=True)
    done = {(mark.key, mark.action, mark.name) for mark in any_house.stage.wall.marks}
    assert done == {("1", "remove", "cat"), ("2", "add", "tti_sea"), ("2", "remove", "sea")}


def test_the_preview_of_a_write_to_a_restored_server_says_so(house: House) -> None:
    house.engine("seer").default = lambda photo: [tag("dog")]
    for number in range(24):
        house.photo(str(number))
    house.scan()
    house.stage.wall.tags.clear()
    for verify in (False, True):
        found, tally = preview(house.app, WriteOrder(verify=verify))
        assert (found, tally.exit_code) == ([], 9)
    found, tally = preview(house.app, WriteOrder(restore=True))
    assert (len(found), tally.exit_code) == (24, 0)


def test_the_preview_of_an_undo_is_what_it_does(any_house: House) -> None:
    furnished(any_house)
    any_house.write()
    shown = preview_undo(any_house.app, UndoOrder(run_id=1))
    assert (shown.adds, shown.overtaken) == (0, 1)
    assert ("Summer/2.jpg", "-", "Sea") in shown.lines or ("Summer/2.jpg", "-", "sea") in shown.lines
    report = any_house.undo(1)
    assert report.overtaken == [("Summer/1.jpg", "cat")]
    with pytest.raises(ConfigError, match="no run 99"):
        preview_undo(any_house.app, UndoOrder(run_id=99))


def dated(house: House, *keys: str) -> None:
    """Photos of the days that their keys name."""
    for key in keys:
        house.photo(key, tag("dog"))
        house.stage.shelf.photos[key].moment = days(int(key))


def test_the_forecast_is_for_the_photos_that_the_choice_leaves(house: House) -> None:
    house.engine("seer", billed=True)
    house.engine("reader", reads="file")
    dated(house, *"12345")
    house.scan(engines=("seer",), since=days(4))
    assert waiting(house) == {"seer": 3, "reader": 5}
    assert waiting(house, choice=Choice(since=days(3))) == {"seer": 1, "reader": 3}
    assert waiting(house, choice=Choice(until=days(3))) == {"seer": 2, "reader": 2}
    some = frozenset({"Summer/1.jpg", "Summer/5.jpg"})
    assert waiting(house, choice=Choice(paths=some)) == {"seer": 1, "reader": 2}
    assert waiting(house, choice=Choice(limit=3)) == {"seer": 1, "reader": 3}  # the newest are 5, 4 and 3
    assert waiting(house, choice=Choice(limit=3), order="oldest") == {"seer": 3, "reader": 3}


@pytest.mark.parametrize(
    "choice",
    [
        Choice(limit=4),
        Choice(since=days(2), until=days(6)),
        Choice(paths=frozenset({"Summer/2.jpg", "Summer/7.jpg", "Summer/8.jpg"})),
        Choice(limit=2, since=days(2), until=days(7)),
    ],
)
def test_the_forecast_of_a_choice_is_what_the_scan_of_it_asks(house: House, choice: Choice) -> None:
    house.engine("seer", billed=True, except_=("*/3.jpg",))
    house.engine("reader", reads="file")
    dated(house, *"1234")
    house.scan(engines=("seer",), limit=2)
    dated(house, *"5678")
    house.stage.shelf.put("2", drawn(50), moment=days(2))  # another picture
    expected = waiting(house, choice=choice)
    for mind in house.stage.minds.values():
        mind.asked.clear()
    run_scan(house.app, ScanOrder(choice=choice))
    assert {name: sum(mind.asked.values()) for name, mind in house.stage.minds.items()} == expected
    assert sum(expected.values()) > 0

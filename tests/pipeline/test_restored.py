"""A target that was restored from an older copy, and what waits until its owner has spoken (P20)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.house import House, reason_of
from tests.stage import tag


def dogs(house: House, count: int, *more: str) -> None:
    """Photos 00.. with the tag dog and more, scanned."""
    house.engine("seer").default = lambda photo: [tag("dog"), *(tag(name) for name in more)]
    for number in range(count):
        house.photo(f"{number:02}")
    house.scan()


def strip(house: House, keys: list[str]) -> None:
    for key in keys:
        for name in list(house.stage.wall.tags[key]):
            house.stage.wall.user_removes(key, name)


def touched(house: House) -> None:
    """Makes every photo due for writing."""
    house.engine("other").default = lambda photo: [tag("sun")]
    house.scan(write=False)


@pytest.mark.parametrize("act", [House.scan, lambda house: house.write(verify=True)], ids=["scan", "verify"])
def test_a_restored_server_is_noticed_and_nothing_is_learnt_or_written(
    any_house: House, act: Callable[[House], object]
) -> None:
    dogs(any_house, 24)
    strip(any_house, [f"{number:02}" for number in range(24)])
    touched(any_house)
    before = (any_house.ledger(), any_house.stage.wall.writes)
    report = act(any_house)
    assert getattr(report, "exit_code", None) == 9
    (error,) = report.tally.aside.values()  # type: ignore[attr-defined]
    assert "shows none of the tags written to 24 photos. Was it restored?" in str(error)
    assert (any_house.ledger(), any_house.stage.wall.writes) == before
    assert (any_house.wall, any_house.verdicts()) == ({}, set())
    restored = any_house.write(restore=True)
    assert (restored.exit_code, any_house.verdicts()) == (0, set())
    assert set(map(frozenset, any_house.wall.values())) == {frozenset({"dog", "sun"})}
    assert len(any_house.wall) == 24


def test_missing_tags_can_be_accepted_as_the_owners_wish(house: House) -> None:
    dogs(house, 24)
    strip(house, [f"{number:02}" for number in range(24)])
    assert house.write(verify=True).exit_code == 9
    assert house.write(accept=True).exit_code == 0
    assert len(house.verdicts()) == 24
    assert (house.write(verify=True).exit_code, house.wall) == (0, {})


@pytest.mark.parametrize(("missing", "known", "code"), [(19, 24, 0), (20, 24, 9), (20, 101, 0), (21, 101, 9)])
def test_many_are_at_least_twenty_and_over_a_fifth(house: House, missing: int, known: int, code: int) -> None:
    dogs(house, known)
    strip(house, sorted(house.wall)[:missing])
    assert house.write(verify=True).exit_code == code
    assert len(house.verdicts()) == (0 if code else missing)


def test_a_restored_server_gets_no_tags_on_new_photos_either(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.pipeline.courier.BATCH", 1)
    dogs(house, 24)
    strip(house, sorted(house.wall))
    house.engine("other").default = lambda photo: [tag("sun")]
    house.photo("new")
    assert (house.scan().exit_code, house.wall) == (9, {})


def test_what_waits_since_a_restored_server_was_noticed_is_not_written_the_next_night(house: House) -> None:
    dogs(house, 24)
    strip(house, sorted(house.wall))
    for key in ("new", "of the next day", "of the day after"):
        house.photo(key)
        assert (house.scan().exit_code, house.wall) == (9, {})


def test_a_photo_that_lost_all_of_its_three_tags_is_held_and_named(any_house: House) -> None:
    dogs(any_house, 2, "cat", "sea")
    strip(any_house, ["00"])
    any_house.stage.wall.user_removes("01", "cat")
    report = any_house.write(verify=True)
    assert (report.exit_code, [path for path, _ in report.tally.failures]) == (9, ["Summer/00.jpg"])
    assert any_house.verdicts() == {("01", "cat", "no")}
    assert reason_of(any_house, "00")[0] == "held"
    touched(any_house)
    assert any_house.scan().exit_code == 0
    assert any_house.wall == {"01": {"dog", "sea", "sun"}}
    assert any_house.write(restore=True).exit_code == 0
    assert any_house.wall["00"] == {"dog", "cat", "sea", "sun"}


def test_a_held_photo_may_be_accepted(house: House) -> None:
    dogs(house, 1, "cat", "sea")
    strip(house, ["00"])
    house.write(verify=True)
    house.write(accept=True)
    assert (house.wall, len(house.verdicts()), reason_of(house, "00")[0]) == ({}, 3, "done")


def test_a_restore_does_not_bring_back_what_was_refused(house: House) -> None:
    dogs(house, 24, "cat")
    house.stage.wall.user_removes("00", "cat")
    house.write(verify=True)
    strip(house, sorted(house.wall))
    assert house.write(verify=True).exit_code == 9
    house.write(restore=True)
    assert (house.wall["00"], house.wall["01"]) == ({"dog"}, {"dog", "cat"})

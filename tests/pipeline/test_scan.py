"""A scan from end to end."""

from __future__ import annotations

from tests.fakes_pipeline import tag
from tests.house import House


def test_every_photo_gets_its_tags(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("beach"))
    any_house.photo("2", tag("cat"))
    report = any_house.scan()
    assert (report.exit_code, any_house.wall) == (0, {"1": {"beach", "dog"}, "2": {"cat"}})
    assert (report.tally.added, report.due) == (3, 2)

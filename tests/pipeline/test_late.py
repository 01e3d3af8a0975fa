"""A write that takes effect after the process that sent it died, and after the next one has looked.

"A PUT may take effect after the kill, so rows settled within 10 minutes of the intent are read again at the
end of the run" (RELIABILITY, "In doubt").
"""

from __future__ import annotations

from tests.house import House
from tests.stage import tag


def killed_in_a_late_write(house: House) -> None:
    """What was sent takes effect after the next read."""
    house.stage.wall.is_late = True
    assert house.killed_at(-1, house.scan)
    assert house.stage.wall.late
    house.stage.wall.is_late = False


def test_a_late_addition_that_nobody_wants_any_more_is_ours_to_take_off(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog", 50))
    killed_in_a_late_write(any_house)
    any_house.change("seer", min_confidence=60)
    any_house.scan()
    any_house.scan()
    assert (any_house.wall, any_house.ledger(), any_house.verdicts()) == ({}, set(), set())


def test_a_late_removal_of_what_is_wanted_again_is_nobodys_wish(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog", 50))
    any_house.scan()
    any_house.change("seer", min_confidence=60)
    killed_in_a_late_write(any_house)
    any_house.change("seer", min_confidence=0)
    any_house.scan()
    any_house.write(verify=True)
    assert (any_house.wall, any_house.verdicts()) == ({"1": {"dog"}}, set())


def test_what_takes_effect_late_and_was_done_again_meanwhile_is_done_once(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog", 50))
    killed_in_a_late_write(house)
    house.scan()
    assert house.wall == {"1": {"dog"}}
    house.change("seer", min_confidence=60)
    killed_in_a_late_write(house)
    house.scan()
    assert (house.wall, house.ledger(), house.verdicts()) == ({}, set(), set())


def test_after_ten_minutes_an_absence_is_somebodys_wish(house: House) -> None:
    """No write takes effect that late: a tag that comes then is the owner's."""
    house.engine("seer")
    house.photo("1", tag("dog", 50))
    killed_in_a_late_write(house)
    house.change("seer", min_confidence=60)
    house.later(11)
    house.scan()
    house.scan()
    assert (house.wall, house.ours("1")) == ({"1": {"dog"}}, set())

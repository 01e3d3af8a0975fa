"""Kill -9 at every commit and at every call to something outside (I3).

A step in five is tried, others for each story; `TIGERTAG_KILLS=1` in the environment tries all.
"""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.house import House
from tests.pipeline.conftest import Shelved
from tests.stage import Killed, tag
from tigertag.errors import PhotoError
from tigertag.store import tables

_STRIDE = int(os.environ.get("TIGERTAG_KILLS", "5"))

Act = Callable[[House], object]


def furnish(house: House) -> None:
    """Two photos and a copy of one, a billed engine, one of two workers, one that fails for a photo."""
    house.engine("seer", billed=True, concurrency=1)
    house.engine("other", concurrency=2)
    house.photo("1", tag("dog"), tag("beach", 50))
    bad = house.photo("2", tag("cat"), tag("dog", 50))
    house.photo("3", number=1)
    house.mind("other").default = lambda photo: [tag("sun"), tag("dog")]
    house.mind("other").fails[bad] = lambda photo: PhotoError("ends early", photo)
    house.stage.wall.user_adds("1", "mine")
    house.stage.wall.user_adds("2", "cat")


def scanned(house: House) -> None:
    furnish(house)
    house.scan()


def lived_in(house: House) -> None:
    """Scanned, then edited by the user, under another policy."""
    scanned(house)
    house.stage.wall.user_removes("1", "beach")
    house.stage.wall.user_adds("1", "theirs")
    house.change("seer", prefix="tti", min_confidence=80)


def written(house: House) -> None:
    lived_in(house)
    house.write()


def taken_back(house: House) -> None:
    written(house)
    house.undo(2)


STORIES: dict[str, tuple[Act, Act]] = {
    "scan": (furnish, lambda house: house.scan()),
    "scan after edits": (lived_in, lambda house: house.scan()),
    "write": (lived_in, lambda house: house.write(verify=True)),
    "undo of a scan": (scanned, lambda house: house.undo(1)),
    "undo of a write": (written, lambda house: house.undo(2)),
    "redo": (taken_back, lambda house: house.undo(2, redo=True)),
    "undo of all": (lived_in, lambda house: house.undo(everything=True)),
}


@dataclass
class Story:
    """A house that is put back to how it was before each try."""

    shelved: Shelved
    prepare: Act

    def __post_init__(self) -> None:
        self.house = self.shelved.house()
        self.prepare(self.house)
        self.shelved.keep()
        self.wall = copy.deepcopy(self.house.stage.wall)
        self.sent = Counter(self.house.mind("seer").sent)

    def begin(self, *, is_late: bool = False) -> House:
        self.shelved.put_back(self.house)
        self.house.stage.wall = copy.deepcopy(self.wall)
        self.house.stage.wall.is_late = is_late
        for mind in self.house.stage.minds.values():
            mind.asked.clear()
            mind.sent.clear()
        return self.house


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("name", STORIES)
def test_a_run_that_is_killed_anywhere_and_run_again_ends_like_one_never_killed(
    shelved: Shelved, name: str, is_late: bool
) -> None:
    prepare, act = STORIES[name]
    story = Story(shelved, prepare)
    house = story.begin()
    act(house)
    expected = house.state()
    step, was_killed = 1 + (len(name) + is_late) % _STRIDE, True
    while was_killed:
        house = story.begin(is_late=is_late)
        was_killed = house.killed_at(step, lambda: act(story.house))
        act(house)
        house.stage.wall.catch_up()
        assert house.state() == expected, f"killed at step {step}"
        assert not house.stage.wall.damage, f"killed at step {step}"
        assert max(house.mind("seer").sent.values(), default=0) <= 1 + was_killed, f"killed at step {step}"
        step += _STRIDE
    assert step > 15


def test_a_run_killed_again_and_again_ends_all_the_same(shelved: Shelved) -> None:
    story = Story(shelved, furnish)
    house = story.begin()
    house.scan()
    expected = house.state()
    house = story.begin()
    kills = 0
    while house.killed_at(13 + kills, house.scan):
        kills += 1
    assert (house.state(), kills > 5) == (expected, True)
    assert max(house.mind("seer").sent.values()) <= 1 + kills


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "late"])
def test_an_undo_that_was_killed_is_finished_by_the_next_scan(shelved: Shelved, is_late: bool) -> None:
    """In doubt: a removal that is still there is removed again."""
    story = Story(shelved, scanned)
    step, was_killed = 1, True
    while was_killed:
        house = story.begin(is_late=is_late)
        was_killed = house.killed_at(step, lambda: story.house.undo(1))
        house.scan()
        house.stage.wall.catch_up()
        assert not [row for row in house.rows(tables.Edit) if row.state == "intended"]
        for key, canonical, value in house.verdicts():
            assert value == "undone"
            assert canonical not in house.wall.get(key, set()), f"killed at step {step}"
        assert not house.stage.wall.damage
        house.undo(1)
        assert house.wall == {"1": {"mine"}, "2": {"cat"}}, f"killed at step {step}"
        step += _STRIDE


def test_a_redo_that_was_killed_is_finished_by_the_next_scan(shelved: Shelved) -> None:
    story = Story(shelved, taken_back)
    house = story.begin()
    house.undo(2, redo=True)
    expected = house.wall
    step, was_killed = 1, True
    while was_killed:
        house = story.begin()
        was_killed = house.killed_at(step, lambda: story.house.undo(2, redo=True))
        house.scan()
        house.undo(2, redo=True)
        assert house.wall == expected, f"killed at step {step}"
        assert not house.stage.wall.damage
        step += _STRIDE


def test_a_killed_process_has_no_effect_afterwards(shelved: Shelved) -> None:
    """The fuse itself: after it has blown nothing is committed and nothing is written."""
    story = Story(shelved, furnish)
    house = story.begin()
    house.stage.fuse.blows_at = house.stage.fuse.steps + 12
    with pytest.raises(Killed):
        house.scan()
    before = [
        (len(house.rows(table)), house.stage.wall.writes) for table in (tables.Run, tables.Edit, tables.ItemRow)
    ]
    with pytest.raises(Killed):
        house.stage.fuse.step()
    assert before == [
        (len(house.rows(table)), house.stage.wall.writes) for table in (tables.Run, tables.Edit, tables.ItemRow)
    ]
    assert [row.state for row in house.rows(tables.Run)] == ["running"]

"""Thirty nights of cron on one library, beside a plain model of what its owner was promised (`owner.py`).

By day the owner adds, moves, edits and deletes photos and tags and changes settings; at night the program
scans, and now and then something is in its way. After each night: what each photo shows, what was asked and
paid for, and that the exit code is red only where something new is wrong.

`TIGERTAG_NIGHTS=20` in the environment tells that many stories, others each time.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from tests.house import House
from tests.journeys.nights import A_YEAR, PHOTOS, Library, Night
from tests.stage import DAY

NIGHTS = 30
_STORIES = int(os.environ.get("TIGERTAG_NIGHTS", "0"))
SEEDS = [random.randrange(10**6) for _ in range(_STORIES)] if _STORIES else [126]

# Nights that belong together: after one that was disturbed comes one that makes up for it.
BLOCKS = (
    *[("plain",)] * 3,
    *[("verify",)] * 3,
    *[("kill", "after")] * 2,
    ("kill", "kill", "after"),
    ("the wall is down", "after"),
    ("cut", "after"),
    ("empty", "after"),
    ("halved", "after"),
    ("silent", "after"),
    ("verify", "restored", "unanswered", "restore"),
    ("verify", "restored", "accept"),
    ("bad key",),
    ("engine down",),
    ("photos fail", "plain"),
    ("hang",),
    ("unreadable", "plain"),
    ("threshold",),
    ("prefix",),
    ("vocabulary",),
    ("revision",),
    ("engine added",),
    ("engine removed", "plain", "engine removed"),
    ("plain", "undo"),
    ("plain", "undo", "redo"),
)
QUIET = (
    "after",
    "restored",
    "unanswered",
    "restore",
    "accept",
    "kill",
    "the wall is down",
    "cut",
    "empty",
    "halved",
    "silent",
)
"""On these days the owner leaves alone what is not in line, for nobody could tell what they meant."""


def calendar(dice: random.Random) -> list[str]:
    """Blocks in any order, as many as there is room for. One copy is restored at most: what the owner took as
    their wish then leaves too few tags to see the next one by.
    """
    nights = ["first"]
    for block in dice.sample(BLOCKS, len(BLOCKS)):
        if len(nights) + len(block) < NIGHTS and not ("restored" in block and "restored" in nights):
            nights += block
    return [*nights, *["plain"] * (NIGHTS - 1 - len(nights)), "verify"]


def day_of(night: int) -> datetime:
    return DAY - timedelta(days=13 - night, hours=10)


class Story:
    """One library through its nights."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.library = house, Library(house, random.Random(seed))
        self.owner, self.dice = self.library.owner, self.library.dice
        self.library.engine("seer", billed=True)
        self.library.engine("other")
        self.house.mind("seer").left = PHOTOS + 40
        self.runs: list[int] = []
        self.undone = 0

    def tell(self) -> None:
        for number, kind in enumerate(calendar(self.dice)):
            self.house.now = day_of(number)
            if self.house.now.day == 1:
                self.house.mind("seer").left = A_YEAR
            self.day(kind)
            self.house.later(12 * 60)
            self.night(kind)

    # ── by day ────────────────────────────────────────────────────────────────────────────────────────────

    def day(self, kind: str) -> None:
        library = self.library
        if kind in ("undo", "redo"):
            self.take_back(kind)
        library.new_photos(PHOTOS if kind == "first" else 2)
        if kind == "first":
            return
        library.own_tags()
        library.change(kind)
        if kind not in QUIET:
            library.moves()
            library.engines_tags(is_seen_tonight=kind == "verify")
        if kind == "restored":
            self.restore_a_copy()
        if kind in ("restore", "accept"):
            self.owner_answers(kind)

    def take_back(self, kind: str) -> None:
        if kind == "undo":
            self.undone = self.runs[-1]
            self.owner.undo(self.undone)
        elif self.undone:
            self.owner.redo(self.undone)
        if self.undone:
            for _ in range(2):  # twice is once
                assert self.house.undo(self.undone, redo=kind == "redo").exit_code == 0
                self.compare(kind)

    def restore_a_copy(self) -> None:
        for place in self.owner.listed():
            for name in place.ours:
                self.house.stage.wall.tags[place.key].pop(name, None)
        self.owner.restored()

    def owner_answers(self, kind: str) -> None:
        self.library.learn()
        report = self.house.write(**{kind: True})
        assert report.exit_code == 0
        assert report.run_id is not None
        if kind == "restore":
            self.owner.restore(report.run_id)
        else:
            self.owner.write(report.run_id, verify=True)
        self.compare(kind)

    # ── at night ──────────────────────────────────────────────────────────────────────────────────────────

    def night(self, kind: str) -> None:
        library, wall = self.library, self.house.stage.wall
        night = library.faults(kind)
        if kind not in QUIET and self.dice.random() < 0.5:
            library.between()
        if kind in ("kill", "engine down", "engine removed"):
            self.house.mind("seer").left = max(100, self.house.mind("seer").left or 0)
        wall.marks.clear()
        first = len(library.said)
        code, run = self.scan(night)
        library.heal()
        assert code == night.code, f"{kind}: {code}"
        self.check_the_edits(night)
        if night.is_whole:
            library.learn()
            self.owner.night(run)
            self.runs.append(run)
            self.compare(kind)
            self.check_what_was_asked(
                kind, {picture for name, picture, _ in library.said[first:] if name == "seer"}
            )
        elif kind in ("restored", "unanswered"):
            self.owner.open()
        elif kind == "silent":
            self.come_back()
        if kind == "verify":
            self.verify()

    def scan(self, night: Night) -> tuple[int, int]:
        """Exit code and run; 0 for a run that was killed."""
        reports = []
        step = self.dice.randrange(100, 500) if night.kind == "kill" else 0
        if self.house.killed_at(step, lambda: reports.append(self.house.scan())):
            self.library.kills += 1
            night.is_whole = False
            return night.code, 0
        return reports[0].exit_code, reports[0].run_id or 0

    def come_back(self) -> None:
        """What the listing did not show is taken to be gone for a day."""
        cut = len(self.house.stage.shelf.photos) * 3 // 4
        for key in list(self.house.stage.shelf.photos)[cut:]:
            self.owner.places[key].must_be_seen = True

    def verify(self) -> None:
        """A second look finds what the owner did, and a third and a fourth nothing."""
        wall = self.house.stage.wall
        report = self.house.write(verify=True)
        assert (report.exit_code, report.run_id is not None) == (0, True)
        self.owner.write(report.run_id or 0, verify=True)
        self.compare("verify")
        wall.marks.clear()
        asked = len(self.library.said)
        assert (self.house.write(verify=True).exit_code, self.house.scan().exit_code) == (0, 0)
        assert (wall.marks, len(self.library.said)) == ([], asked)

    # ── what must hold ────────────────────────────────────────────────────────────────────────────────────

    def compare(self, kind: str) -> None:
        found = list(self.library.differences())
        assert not found, f"after {kind}: {found}"

    def check_the_edits(self, night: Night) -> None:
        """I1, I12."""
        assert not self.house.stage.wall.damage
        marks = self.library.written()
        if night.kind in ("restored", "unanswered", "the wall is down"):
            assert not marks
        for mark in marks:
            assert mark.name not in self.library.own.get(mark.key, ())
            assert mark.key in self.house.stage.shelf.photos
            assert mark.action == "add" or mark.key not in night.unlisted, f"{mark} of what was not listed"

    def check_what_was_asked(self, kind: str, asked: set[int]) -> None:
        """Nothing twice, nothing left out that could be asked, the newest first where not all could."""
        library, left = self.library, self.house.mind("seer").left
        answers = Counter(library.said)
        assert max(answers.values()) <= 1 + library.kills
        paid = [count for (name, _, _), count in answers.items() if name == "seer"]
        assert sum(paid) - len(paid) <= library.kills, "paid twice"
        assert max(library.refused.values(), default=0) <= 1, "asked again in the same run"
        for name, rules in self.owner.rules.items():
            waiting = library.waiting(name) if rules.is_enabled else set()
            if name == "seer" and kind != "bad key" and not left:
                assert not asked or not waiting or self.newest(asked) >= self.newest(waiting)
            elif (name, kind) not in {("seer", "bad key"), ("other", "engine down")} and kind != "hang":
                assert not waiting, f"{name} was not asked about {waiting}"

    def newest(self, pictures: set[int]) -> datetime:
        shelf = self.house.stage.shelf.photos
        moments = [shelf[each.key].moment for each in self.owner.listed() if each.picture in pictures]
        return max(moment for moment in moments if moment is not None)


@pytest.mark.parametrize("seed", SEEDS)
def test_thirty_nights_end_as_the_model_says(house: House, seed: int) -> None:
    story = Story(house, seed)
    story.tell()
    assert max(house.mind("seer").sent.values()) <= 2 + story.library.kills

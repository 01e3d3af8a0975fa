"""Undo of any run, in any order, after later runs, changes of policy and edits of the user (I10).

The model is that of the long journeys (`tests/journeys/owner.py`): sets, and a journal whose rows are taken
back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.house import House
from tests.journeys.owner import PREFIX, Owner, Place, Rules, Said
from tests.stage import STAGES, tag
from tigertag.app.writing import WriteReport
from tigertag.store.database import Database

SAID: dict[tuple[str, int], Said] = {
    ("seer", 1): (("dog", 90), ("cat", 50), ("sea", 50)),
    ("seer", 2): (("dog", 50), ("sun", 90)),
    ("other", 1): (("dog", 50), ("sun", 90)),
    ("other", 2): (("cat", 90), ("sea", 50)),
}
KEYS = {"a": 1, "b": 2}

engines, numbers = st.sampled_from(["seer", "other"]), st.integers(0, 9)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("percent"), engines),
        st.tuples(st.just("prefix"), engines),
        st.tuples(st.just("edit"), st.tuples(st.sampled_from("ab"), numbers)),
        st.tuples(st.sampled_from(["undo", "redo"]), numbers),
        st.tuples(st.sampled_from(["undo all", "redo all"]), st.just(0)),
        st.tuples(st.just("killed undo"), st.tuples(numbers, st.integers(8, 30))),
    ),
    min_size=4,
    max_size=14,
)


class Story:
    """A house with two photos and two engines, and the model of it."""

    def __init__(self, house: House) -> None:
        self.house, self.owner = house, Owner()
        for name in ("seer", "other"):
            mind, self.owner.rules[name] = house.engine(name), Rules()
            for key, picture in KEYS.items():
                said = SAID[name, picture]
                self.owner.answers[name, picture] = [said]
                mind.says[house.photo(key, number=picture)] = [tag(word, percent) for word, percent in said]
        self.owner.places = {key: Place(key, picture) for key, picture in KEYS.items()}
        self.edit(("a", 2))
        self.runs = [house.scan().run_id or 0]
        self.owner.night(self.runs[0])

    def do(self, what: str, how: object) -> None:
        step: Callable[[object], None] = getattr(self, "step_" + what.replace(" ", "_"))
        step(how)
        assert self.house.wall == {key: each.shows for key, each in self.owner.places.items() if each.shows}
        assert not self.house.stage.wall.damage

    def write(self, *, verify: bool = False) -> None:
        self.runs.append(self.house.write(verify=verify).run_id or 0)
        self.owner.write(self.runs[-1], verify=verify)

    def step_percent(self, engine: object) -> None:
        rules = self.owner.rules[str(engine)]
        rules.percent = 0 if rules.percent else 60
        self.house.change(str(engine), min_confidence=rules.percent)
        self.write()

    def step_prefix(self, engine: object) -> None:
        rules = self.owner.rules[str(engine)]
        rules.prefix = "" if rules.prefix else PREFIX
        self.house.change(str(engine), prefix=rules.prefix.rstrip("_"))
        self.write()

    def step_edit(self, how: tuple[str, int]) -> None:
        self.edit(how)
        self.write(verify=True)

    def edit(self, how: tuple[str, int]) -> None:
        """Takes off what is there, hangs up what is not. The last of ours stays: the photo would be held."""
        key, number = how
        place, names = self.owner.places[key], ("dog", "cat", "sea", "sun", "mine")
        name = (PREFIX if number >= len(names) else "") + names[number % len(names)]
        if name not in place.shows:
            self.house.stage.wall.user_adds(key, name, doubtful=self.owner.adds(place, name))
        elif name not in place.ours or len(place.ours) > 1:
            place.shows.discard(name)
            self.house.stage.wall.user_removes(key, name)

    def step_undo(self, number: int) -> None:
        self._take_back(self.runs[number % len(self.runs)], redo=False)

    def step_redo(self, number: int) -> None:
        self._take_back(self.runs[number % len(self.runs)], redo=True)

    def step_undo_all(self, _: object) -> None:
        self._take_back(None, redo=False)

    def step_redo_all(self, _: object) -> None:
        self._take_back(None, redo=True)

    def step_killed_undo(self, how: tuple[int, int]) -> None:
        number, step = how
        run = self.runs[number % len(self.runs)]
        self.house.killed_at(step, lambda: self.house.undo(run))
        self._take_back(run, redo=False)

    def _take_back(self, run: int | None, *, redo: bool) -> None:
        """Twice is once."""
        (self.owner.redo if redo else self.owner.undo)(run)
        self._ask(run, redo=redo)
        writes, kept = self.house.stage.wall.writes, self.house.state()
        self._ask(run, redo=redo)
        assert (self.house.stage.wall.writes, self.house.state()) == (writes, kept)

    def _ask(self, run: int | None, *, redo: bool) -> WriteReport:
        report = self.house.undo(run, everything=run is None, redo=redo)
        assert report.exit_code == 0
        return report


@pytest.fixture
def new_house(_migrated: Callable[[str], str], tmp_path: Path) -> Callable[[], House]:
    template, path = Path(_migrated("sqlite").removeprefix("sqlite:///")), tmp_path / "tigertag.db"

    def make() -> House:
        STAGES.clear()
        for left in tmp_path.glob("tigertag.db*"):
            left.unlink()
        shutil.copyfile(template, path)
        return House(Database.open(f"sqlite:///{path}"), f"sqlite:///{path}")

    return make


def test_undo_and_redo_in_any_order_end_as_the_journal_says(new_house: Callable[[], House]) -> None:
    @settings(
        max_examples=6,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(steps)
    def tell(story_steps: list[tuple[str, object]]) -> None:
        house = new_house()
        try:
            story = Story(house)
            for what, how in story_steps:
                story.do(what, how)
        finally:
            house.close()
            house.database.close()

    tell()

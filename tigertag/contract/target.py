"""What every target promises. A plugin's tests subclass one of these classes and give it a `wall`.

`TargetContract` is for all of them; `KeepingTargetContract` for those that keep the tags they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from tigertag.model import Change, Item, Shown, Target, Written, fold


class Wall(Protocol):
    """Items that hang somewhere with tags on them, and targets that show them."""

    def item(self, name: str, tags: Sequence[str] = ()) -> Item:
        """Hangs up one more item, on which a user has put `tags`."""
        ...

    def tags(self, item: Item) -> Sequence[str]:
        """What hangs on it, looked up without the target."""
        ...

    def target(self) -> Target:
        """A newly built one each time; what is built is closed by the wall."""
        ...


def shown(target: Target, item: Item) -> tuple[str, ...]:
    (found,) = target.read([item])
    assert isinstance(found, Shown), found
    return found.tags


def change(target: Target, item: Item, add: Sequence[str] = (), remove: Sequence[str] = ()) -> tuple[str, ...]:
    """Reads, writes, and gives what the target says it shows afterwards."""
    before = shown(target, item)
    (written,) = target.write([Change(item, tuple(add), tuple(remove), before)])
    assert isinstance(written, Written), written
    return written.tags


def folded(names: Sequence[str]) -> set[str]:
    return {fold(name) for name in names}


class TargetContract:
    """Override the fixture `wall`."""

    @pytest.fixture
    def wall(self) -> Wall:
        raise NotImplementedError

    def test_has_one_identity_and_accepts_its_items(self, wall: Wall) -> None:
        item = wall.item("a")
        assert wall.target().identity == wall.target().identity
        assert wall.target().accepts(item)

    def test_reads_each_item_once(self, wall: Wall) -> None:
        items = [wall.item(name) for name in "abc"]
        found = list(wall.target().read(items))
        assert sorted(one.item.key for one in found) == sorted(item.key for item in items)

    def test_has_one_outcome_for_each_change(self, wall: Wall) -> None:
        items = [wall.item(name) for name in "abc"]
        outcomes = list(wall.target().write([Change(item, add=("dog",)) for item in items]))
        assert sorted(one.item.key for one in outcomes) == sorted(item.key for item in items)
        assert all(isinstance(one, Written) and "dog" in folded(one.tags) for one in outcomes)

    def test_nothing_to_do_is_done_at_once(self, wall: Wall) -> None:
        target = wall.target()
        assert (list(target.read([])), list(target.write([]))) == ([], [])

    def test_check_finds_nothing_wrong_and_closing_twice_is_harmless(self, wall: Wall) -> None:
        wall.item("a")
        target = wall.target()
        findings = list(target.check())
        assert findings and all(finding.ok for finding in findings)
        target.close()
        target.close()


class KeepingTargetContract(TargetContract):
    """For targets that keep what they are given."""

    def test_shows_what_a_user_put_there(self, wall: Wall) -> None:
        item = wall.item("a", ["Holiday", "Aunt Ada"])
        assert folded(shown(wall.target(), item)) == {"holiday", "aunt ada"}

    def test_adds_beside_the_tags_of_a_user(self, wall: Wall) -> None:
        item = wall.item("a", ["Holiday"])
        told = change(wall.target(), item, add=["dog", "grass"])
        assert folded(told) == folded(wall.tags(item)) == {"holiday", "dog", "grass"}

    def test_removes_what_is_named_and_nothing_else(self, wall: Wall) -> None:
        item, target = wall.item("a", ["Holiday", "Hot dog"]), wall.target()
        change(target, item, add=["dog"])
        change(target, item, add=["cat"], remove=["dog"])
        assert folded(wall.tags(item)) == {"holiday", "hot dog", "cat"}

    def test_a_new_target_shows_what_an_older_one_wrote(self, wall: Wall) -> None:
        item = wall.item("a")
        change(wall.target(), item, add=["dog"])
        assert folded(shown(wall.target(), item)) == {"dog"}

    def test_the_same_change_twice_is_the_same_as_once(self, wall: Wall) -> None:
        item, target = wall.item("a", ["Holiday"]), wall.target()
        once = change(target, item, add=["dog"])
        assert change(target, item, add=["dog"]) == once == tuple(wall.tags(item))

    def test_each_item_gets_its_own_change(self, wall: Wall) -> None:
        items = [wall.item(f"photo{n}") for n in range(7)]
        changes = [Change(item, add=(f"tag{n}", "all")) for n, item in enumerate(items)]
        list(wall.target().write(changes))
        assert [folded(wall.tags(item)) for item in items] == [{f"tag{n}", "all"} for n in range(7)]

    def test_a_tag_that_is_there_in_another_case_keeps_its_spelling(self, wall: Wall) -> None:
        item = wall.item("a", ["McDonald"])
        change(wall.target(), item, add=["mcdonald"])
        assert list(wall.tags(item)) == ["McDonald"]

    @pytest.mark.parametrize(
        "name", ["a, b", 'say "no"', "100% & more", "a+b=c", "🐕‍🦺 dog", "x" * 300, "Ça / là", "<b>", "tti_x"]
    )
    def test_odd_names_round_trip(self, wall: Wall, name: str) -> None:
        item = wall.item("a", ["a", "B", "Holiday"])
        target = wall.target()
        assert fold(name) in folded(change(target, item, add=[name]))
        mine = next(tag for tag in wall.tags(item) if fold(tag) == fold(name))
        change(target, item, remove=[mine])
        assert folded(wall.tags(item)) == {"a", "b", "holiday"}

"""Taking back and bringing back (I10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.house import House, content_id
from tests.stage import drawn, tag
from tigertag.errors import ConfigError, Unreachable
from tigertag.store import tables


def scanned(house: House) -> House:
    """Two engines and three photos, one with a tag of the user."""
    house.engine("seer")
    house.engine("other")
    house.mind("other").default = lambda photo: [tag("sun"), tag("dog")]
    house.photo("1", tag("dog"), tag("cat"))
    house.photo("2", tag("dog"))
    house.photo("3", tag("beach"))
    house.stage.wall.user_adds("1", "mine")
    house.stage.wall.user_adds("3", "beach")
    house.scan()
    assert house.wall == {"1": {"mine", "dog", "cat", "sun"}, "2": {"dog", "sun"}, "3": {"beach", "sun", "dog"}}
    return house


BEFORE = {"1": {"mine"}, "3": {"beach"}}


def test_undo_leaves_what_was_there_before_and_what_the_user_added_since(house: House) -> None:
    scanned(house)
    house.stage.wall.user_adds("1", "later")
    report = house.undo(1)
    assert (report.exit_code, report.tally.removed) == (0, 7)
    assert house.wall == {"1": {"mine", "later"}, "3": {"beach"}}
    assert house.ours("1") == set()


def test_a_scan_after_an_undo_writes_nothing(house: House) -> None:
    scanned(house)
    house.undo(1)
    house.stage.wall.marks.clear()
    for act in (house.scan, house.write, lambda: house.write(verify=True), house.retag):
        act()
        assert (house.wall, house.stage.wall.writes) == (BEFORE, 0)
    house.change("seer", prefix="tti")
    house.write()
    assert (house.wall["1"], house.wall.get("2")) == ({"mine"}, None)


def test_twice_is_once(house: House) -> None:
    scanned(house)
    house.undo(1)
    state, marks = house.state(), len(house.stage.wall.marks)
    report = house.undo(1)
    assert (house.state(), len(house.stage.wall.marks)) == (state, marks)
    assert (report.exit_code, report.tally.removed) == (0, 0)


def test_redo_brings_back_and_a_scan_after_it_writes_nothing(house: House) -> None:
    scanned(house)
    before = house.wall
    house.undo(1)
    house.undo(1, redo=True)
    assert (house.wall, house.verdicts()) == (before, set())
    house.stage.wall.marks.clear()
    house.scan()
    house.write(verify=True)
    assert (house.wall, house.stage.wall.writes) == (before, 0)
    house.undo(1, redo=True)
    assert house.stage.wall.writes == 0


def test_undo_redo_and_undo_again_end_where_each_says(any_house: House) -> None:
    scanned(any_house)
    shown = any_house.wall
    for _ in range(2):
        any_house.undo(1)
        assert any_house.wall == BEFORE
        any_house.undo(1, redo=True)
        assert any_house.wall == shown
    any_house.undo(everything=True)
    assert any_house.wall == BEFORE
    any_house.undo(everything=True, redo=True)
    assert any_house.wall == shown


def test_the_last_undo_is_brought_back_by_its_own_run_too(house: House) -> None:
    scanned(house)
    shown = house.wall
    run = house.undo(1).run_id
    house.undo(run, redo=True)
    assert house.wall == shown


def test_last_means_the_last_run_that_wrote_something(house: House) -> None:
    with pytest.raises(ConfigError, match="No run has written"):
        house.undo(last=True)
    scanned(house)
    house.scan()
    house.undo(last=True)
    assert house.wall == BEFORE
    house.undo(last=True)
    assert house.wall == BEFORE
    house.undo(last=True, redo=True)
    assert house.wall != BEFORE


def test_what_the_user_changed_since_stays_as_the_user_left_it(house: House) -> None:
    scanned(house)
    house.stage.wall.user_removes("2", "dog")
    house.undo(1)
    house.stage.wall.user_adds("2", "sun")
    house.undo(1, redo=True)
    assert house.wall["2"] == {"sun"}
    house.write(verify=True)
    assert ("2", "sun", "yes") in house.verdicts()
    house.undo(1)
    assert house.wall["2"] == {"sun"}


def test_what_a_newer_run_changed_is_left_and_named(any_house: House) -> None:
    scanned(any_house)
    any_house.change("seer", prefix="tti")
    any_house.enable("other", False)
    second = any_house.write().run_id
    assert any_house.wall["1"] == {"mine", "dog", "sun", "tti_dog", "tti_cat"}
    report = any_house.undo(1)
    assert ("Summer/1.jpg", "cat") in report.overtaken
    assert any_house.wall["1"] == {"mine", "tti_dog", "tti_cat"}
    any_house.undo(second)
    assert any_house.wall["1"] == {"mine", "cat"}
    any_house.undo(1)
    assert any_house.wall == BEFORE


def test_a_removal_is_taken_back_and_stays_so(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog", 90), tag("cat", 50))
    house.scan()
    house.change("seer", min_confidence=60)
    second = house.write().run_id
    assert house.wall == {"1": {"dog"}}
    house.undo(second)
    for _ in range(2):
        assert house.wall == {"1": {"dog", "cat"}}
        house.write(verify=True)
    house.undo(second, redo=True)
    assert house.wall == {"1": {"dog"}}
    house.write(verify=True)
    assert house.wall == {"1": {"dog"}}


def test_undo_of_an_engine_leaves_what_another_wants_too(any_house: House) -> None:
    scanned(any_house)
    any_house.enable("other", False)
    any_house.undo(engine="other")
    assert any_house.wall == {"1": {"mine", "dog", "cat"}, "2": {"dog"}, "3": {"beach"}}
    assert {engines for _, _, origin, engines in any_house.ledger() if origin == "ours"} == {("seer",)}
    any_house.undo(engine="seer")
    assert any_house.wall == BEFORE


def test_a_tag_goes_when_its_last_engine_is_taken_back_and_the_other_no_longer_wants_it(house: House) -> None:
    scanned(house)
    house.enable("other", False)
    house.undo(engine="other")
    house.change("seer", min_confidence=95)
    house.write()
    assert house.wall == BEFORE


@pytest.mark.parametrize(
    ("order", "left"),
    [
        ({"tag": "DOG"}, {"1": {"mine", "cat", "sun"}, "2": {"sun"}, "3": {"beach", "sun"}}),
        ({"tag": "sun", "engine": "other"}, {"1": {"mine", "dog", "cat"}, "2": {"dog"}, "3": {"beach", "dog"}}),
        ({"source": "shelf"}, BEFORE),
        ({"everything": True}, BEFORE),
    ],
)
def test_a_part_can_be_taken_back(house: House, order: dict[str, object], left: dict[str, set[str]]) -> None:
    scanned(house)
    assert house.undo(**order).exit_code == 0  # type: ignore[arg-type]
    assert house.wall == left
    house.undo(redo=True, **order)  # type: ignore[arg-type]
    assert len(house.wall["1"]) == 4


def test_a_tag_is_found_by_its_name_before_the_prefix_too(house: House) -> None:
    house.engine("seer", prefix="tti")
    house.photo("1", tag("dog"), tag("cat"))
    house.scan()
    house.undo(tag="dog")
    assert house.wall == {"1": {"tti_cat"}}


def test_an_undo_holds_what_it_put_back_and_nothing_else(any_house: House) -> None:
    any_house.engine("seer")
    any_house.engine("other", prefix="tti")
    any_house.mind("other").default = lambda photo: [tag("dog", 50)]
    any_house.photo("1", tag("dog", 50), tag("cat", 90))
    any_house.scan()
    any_house.change("seer", min_confidence=60)
    any_house.undo(any_house.write().run_id)
    any_house.change("other", min_confidence=60)
    any_house.write(verify=True)
    assert any_house.wall == {"1": {"dog", "cat"}}


@pytest.mark.parametrize("order", [{"run_id": 99}, {"source": "attic"}, {}])
def test_an_undo_of_what_there_is_not_says_so(house: House, order: dict[str, object]) -> None:
    scanned(house)
    with pytest.raises(ConfigError):
        house.undo(**order)  # type: ignore[arg-type]


def test_photos_that_are_gone_took_their_tags_along(house: House) -> None:
    scanned(house)
    house.stage.wall.gone.add("2")
    report = house.undo(1)
    assert (report.exit_code, len(report.tally.gone)) == (0, 1)
    assert {key: tags for key, tags in house.wall.items() if key != "2"} == BEFORE


def test_another_photo_under_the_key_is_left_alone_and_named(house: House) -> None:
    scanned(house)
    house.stage.wall.other.add("2")
    report = house.undo(1)
    assert (report.exit_code, [path for path, _ in report.tally.failures]) == (3, ["Summer/2.jpg"])
    assert house.wall["2"] == {"dog", "sun"}


@pytest.mark.parametrize(
    "trouble",
    [
        lambda house: setattr(house.stage.wall, "down", Unreachable("Cannot reach the wall")),
        lambda house: house.stage.wall.refuses.update({"1": True, "2": True, "3": True}),
        lambda house: house.stage.wall.loses.update({"1": 4, "2": 4, "3": 4}),
    ],
    ids=["down", "refused", "lost"],
)
def test_an_undo_that_did_not_come_about_can_be_made_again(
    house: House, trouble: Callable[[House], None]
) -> None:
    scanned(house)
    trouble(house)
    assert house.undo(1).exit_code in (3, 5)
    house.stage.wall.down = None
    house.stage.wall.refuses.clear()
    house.stage.wall.loses.clear()
    assert (house.undo(1).exit_code, house.wall) == (0, BEFORE)


def test_an_undo_that_did_not_come_about_is_finished_by_the_next_scan(house: House) -> None:
    scanned(house)
    house.stage.wall.loses.update({"1": 4, "2": 4, "3": 4})
    house.undo(1)
    house.stage.wall.loses.clear()
    house.scan()
    assert house.wall == BEFORE


def test_a_tag_written_again_after_a_lifted_verdict_can_be_taken_back_again(house: House) -> None:
    from tigertag.app.writing import lift_verdicts

    scanned(house)
    house.undo(1)
    lift_verdicts(house.app, [row.id for row in house.rows(tables.Verdict)])
    run = house.write().run_id
    assert house.wall["2"] == {"dog", "sun"}
    house.undo(run)
    assert house.wall == BEFORE


def test_a_moved_photo_keeps_its_undo(house: House) -> None:
    scanned(house)
    house.undo(1)
    house.stage.shelf.photos["4"] = house.stage.shelf.photos.pop("2")
    house.scan()
    assert house.wall == BEFORE


def test_a_copy_that_an_undo_kept_bare_gets_its_tags_after_the_redo(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), number=1)
    any_house.scan()
    any_house.undo(1)
    any_house.photo("2", number=1)
    any_house.scan()
    assert any_house.wall == {}
    any_house.undo(1, redo=True)
    any_house.scan()
    assert any_house.wall == {"1": {"dog"}, "2": {"dog"}}


def test_a_redo_of_several_undos_of_one_tag_ends_as_before_the_first_and_twice_is_once(
    any_house: House,
) -> None:
    """The undos are taken back one upon the other, the newest first."""
    any_house.engine("seer")
    any_house.photo("1", tag("dog", 90), tag("cat", 50))
    any_house.scan()
    any_house.change("seer", min_confidence=60)
    any_house.undo(any_house.write().run_id)
    any_house.undo(everything=True)
    for _ in range(2):
        any_house.undo(everything=True, redo=True)
        assert any_house.wall == {"1": {"dog"}}


def test_what_a_run_took_off_and_hung_up_again_is_taken_back_at_once(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog", 50))
    house.scan()
    house.change("seer", min_confidence=60, level=1)
    house.mind("seer").says[content_id(drawn(1))] = [tag("dog", 70)]
    run = house.scan().run_id
    assert [(row.run_id, row.action) for row in house.rows(tables.Edit)][1:] == [(run, "remove"), (run, "add")]
    report = house.undo(run)
    for _ in range(2):
        assert (house.wall, house.ours("1"), report.overtaken) == ({"1": {"dog"}}, {"dog"}, [])
        report = house.undo(run)

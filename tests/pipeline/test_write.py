"""Bringing the target in line: read, plan, note the intent, write, confirm."""

from __future__ import annotations

import threading
import time

import pytest

from tests.house import House, content_id, reason_of
from tests.stage import drawn, tag
from tigertag.app.writing import lift_verdicts
from tigertag.errors import Unreachable
from tigertag.store import tables

# ── the owner's tags ──────────────────────────────────────────────────────────────────────────────────────


def test_tags_of_the_user_stay_whatever_is_written_and_taken_back(any_house: House) -> None:
    """I1."""
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("Beach"), tag("sea"))
    for name in ("Mine", "BEACH", "tti_dog"):
        any_house.stage.wall.user_adds("1", name)
    any_house.scan()
    any_house.change("seer", prefix="tti", max_tags=1)
    any_house.write()
    any_house.undo(everything=True)
    assert (any_house.wall["1"], any_house.stage.wall.damage) == ({"mine", "beach", "tti_dog"}, [])


def test_every_state_on_the_way_holds_what_was_and_stays(house: House) -> None:
    """I2: additions come before removals."""
    house.engine("seer")
    house.photo("1", tag("dog"), tag("cat"))
    house.stage.wall.user_adds("1", "mine")
    house.scan()
    house.stage.wall.marks.clear()
    house.change("seer", prefix="tti")
    house.write()
    assert [mark.action for mark in house.stage.wall.marks] == ["add", "add", "remove", "remove"]
    assert all("mine" in mark.after for mark in house.stage.wall.marks)


def test_a_tag_that_the_user_removed_never_comes_back_by_itself(house: House) -> None:
    """I11."""
    house.engine("seer")
    house.engine("other").default = lambda photo: [tag("dog")]
    house.photo("1", tag("dog"), tag("cat"))
    house.scan()
    house.stage.wall.user_removes("1", "dog")
    house.engine("third").default = lambda photo: [tag("sun")]
    house.scan()
    house.change("seer", prefix="x")
    house.write()
    house.retag()
    assert house.wall == {"1": {"x_cat", "sun"}}
    assert house.verdicts() == {("1", "dog", "no")}


def test_a_tag_that_the_user_adds_again_is_theirs_for_ever(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"))
    any_house.scan()
    any_house.stage.wall.user_removes("1", "dog")
    any_house.write(verify=True)
    any_house.stage.wall.user_adds("1", "dog")
    any_house.write(verify=True)
    assert any_house.verdicts() == {("1", "dog", "yes")}
    any_house.undo(everything=True)
    any_house.change("seer", min_confidence=99)
    any_house.write()
    assert any_house.wall == {"1": {"dog"}}


def test_the_users_removal_on_one_copy_is_not_made_on_another_but_stops_new_ones(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"), number=1)
    house.photo("2", number=1)
    house.scan()
    house.stage.wall.user_removes("1", "dog")
    house.write(verify=True)
    house.photo("3", number=1)
    house.scan()
    assert house.wall == {"2": {"dog"}}


def test_what_the_user_edits_between_our_read_and_our_write_is_kept(any_house: House) -> None:
    """P14."""
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("cat"))
    any_house.stage.wall.user_adds("1", "old")
    any_house.scan()
    wall = any_house.stage.wall

    def edit(key: str) -> None:
        wall.user_adds(key, "mine")
        wall.user_removes(key, "old")
        wall.user_removes(key, "cat")

    wall.before_write = edit
    any_house.engine("other").default = lambda photo: [tag("sun")]
    any_house.scan()
    wall.before_write = None
    any_house.write(verify=True)
    assert (any_house.wall, wall.damage) == ({"1": {"dog", "sun", "mine"}}, [])
    assert any_house.verdicts() == {("1", "cat", "no")}


# ── intents ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_intent_is_committed_before_the_wall_is_touched(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    seen: list[str] = []

    def look(key: str) -> None:
        seen.extend(row.state for row in house.rows(tables.Edit))

    house.stage.wall.before_write = look
    house.scan()
    assert seen == ["intended"]
    assert [row.state for row in house.rows(tables.Edit)] == ["confirmed"]


def test_a_write_that_was_answered_and_not_kept_is_made_again(house: House) -> None:
    """P12."""
    house.engine("seer")
    house.photo("1", tag("dog"), tag("cat"))
    house.stage.wall.loses["1"] = 1
    assert house.scan().exit_code == 3
    assert len(house.wall["1"]) == 1
    assert house.scan().exit_code == 0
    assert house.wall == {"1": {"cat", "dog"}}
    assert house.ours("1") == {"cat", "dog"}


@pytest.mark.parametrize(("again", "state"), [(True, "pending"), (False, "failed")])
def test_a_photo_that_is_refused_is_named_and_the_others_are_written(
    house: House, again: bool, state: str
) -> None:
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    house.photo("2")
    house.stage.wall.refuses["1"] = again
    report = house.scan()
    assert (report.exit_code, house.wall, reason_of(house, "1")[0]) == (3, {"2": {"dog"}}, state)
    assert house.write().exit_code == (3 if again else 0)
    house.stage.wall.refuses.clear()
    house.write()
    assert ("1" in house.wall) is again


def test_what_was_written_before_a_tag_was_refused_for_good_is_ours(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog", 0.9), tag("nameless", 0.8), tag("cat", 0.7))
    house.stage.wall.hates = "nameless"
    report = house.scan()
    written = house.wall["1"]
    assert (report.exit_code, reason_of(house, "1")[0]) == (3, "failed")
    assert written == house.ours("1") != set()
    assert report.tally.added == len(written)
    house.undo(everything=True)
    assert not house.wall.get("1")


def test_what_could_not_be_written_is_tried_again_where_a_person_asks_for_it(house: House) -> None:
    """A folder that was read-only is open again: nothing about the photo says so."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    house.stage.wall.refuses["1"] = False
    assert house.scan().exit_code == 3
    assert [house.scan(retry_failed=retry).exit_code for retry in (False, True)] == [0, 0], "known, no news"
    assert reason_of(house, "1")[0] == "failed"
    house.stage.wall.refuses.clear()
    assert (house.scan(retry_failed=True).exit_code, house.wall) == (0, {"1": {"dog"}})


def test_a_target_that_is_down_keeps_its_deliveries_for_the_next_run(house: House) -> None:
    """P1: nothing is paid twice."""
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    house.stage.wall.down = Unreachable("Cannot reach the wall. Is it running?")
    assert (house.scan().exit_code, house.wall) == (5, {})
    house.stage.wall.down = None
    assert (house.scan().exit_code, house.wall) == (0, {"1": {"dog"}})
    assert sum(mind.sent.values()) == 1


def test_a_photo_that_went_between_list_and_write_is_skipped(house: House) -> None:
    """P10."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    house.photo("2")
    house.stage.wall.gone.add("1")
    report = house.scan()
    assert (report.exit_code, house.wall, len(report.tally.gone)) == (0, {"2": {"dog"}}, 1)
    house.stage.wall.gone.clear()
    house.scan()
    assert set(house.wall) == {"1", "2"}


def test_a_key_that_means_another_photo_now_is_left_alone(house: House) -> None:
    """P11."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    house.stage.wall.other.add("1")
    report = house.scan()
    assert (report.exit_code, house.wall, house.verdicts()) == (3, {}, set())


def test_an_answer_that_comes_while_a_batch_is_written_is_brought_about_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.pipeline.courier.BATCH", 1)
    house.engine("seer", concurrency=1).default = lambda photo: [tag("dog")]
    late = house.engine("late", only=("*/a.jpg",))
    late.default = lambda photo: [tag("sun")]
    for key in ("a", "b"):
        house.photo(key, number=1)
    is_writing = threading.Event()
    late.waits_for = lambda photo: is_writing.wait(20)

    def write_slowly(key: str) -> None:
        is_writing.set()
        until = time.monotonic() + 20
        while time.monotonic() < until and not _is_answered(house, "late"):
            time.sleep(0.01)

    house.stage.wall.before_write = write_slowly
    house.scan()
    house.stage.wall.before_write = None
    house.scan()
    assert house.wall == {"a": {"dog", "sun"}, "b": {"dog", "sun"}}


def _is_answered(house: House, engine: str) -> bool:
    return bool(house.mind(engine).asked) and sum(state == "done" for *_, state in house.answered()) == 2


# ── copies ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_picture_number_is_the_same_photo() -> None:
    """The stage itself."""
    assert content_id(drawn(1)) == content_id(drawn(1, "keyword")) != content_id(drawn(2))
    assert len({content_id(drawn(number)) for number in range(300)}) == 300


@pytest.mark.parametrize("word", ["lifted", "added again"])
def test_a_copy_is_written_once_nothing_is_against_it_any_more(house: House, word: str) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"), number=1)
    house.scan()
    house.stage.wall.user_removes("1", "dog")
    house.write(verify=True)
    house.photo("2", number=1)
    house.scan()
    assert house.wall == {}
    if word == "lifted":
        lift_verdicts(house.app, [row.id for row in house.rows(tables.Verdict)])
    else:
        house.stage.wall.user_adds("1", "dog")
        house.write(verify=True)
    house.write()
    assert house.wall == {"1": {"dog"}, "2": {"dog"}}


def test_a_copy_that_is_written_together_with_it_gets_what_came_back(house: House) -> None:
    """What was against the copy went in the transaction that planned both."""
    house.engine("seer")
    house.photo("1", tag("dog"), number=1)
    house.scan()
    house.stage.wall.user_removes("1", "dog")
    house.write(verify=True)
    house.photo("2", number=1)
    house.scan()
    house.stage.wall.user_adds("1", "dog")
    house.engine("other").default = lambda photo: [tag("sun")]
    house.scan()
    house.write()
    assert house.wall == {"1": {"dog", "sun"}, "2": {"dog", "sun"}}

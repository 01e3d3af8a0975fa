"""Bringing the target in line: read, plan, note the intent, write, confirm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.fakes_pipeline import drawn, tag
from tests.house import House, content_id
from tigertag.app.writing import lift_verdicts
from tigertag.errors import Unreachable
from tigertag.store import tables


def dogs(house: House, count: int, *more: str) -> None:
    """Photos 00.. with the tag dog and more, scanned."""
    house.engine("seer").default = lambda photo: [tag("dog"), *(tag(name) for name in more)]
    for number in range(count):
        house.photo(f"{number:02}")
    house.scan()


def reason_of(house: House, key: str) -> tuple[str, str | None]:
    ids = {row.key: row.id for row in house.rows(tables.ItemRow)}
    (found,) = (row for row in house.rows(tables.Delivery) if row.item_id == ids[key])
    return found.state, found.reason


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


# ── restored from a copy (P20) ────────────────────────────────────────────────────────────────────────────


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


# ── in doubt ──────────────────────────────────────────────────────────────────────────────────────────────


def in_doubt(house: House, name: str, action: str, *, undoes: int | None = None) -> None:
    """A dead run was about to do this to photo 1 a minute ago."""
    with house.database.session() as session:
        item = session.query(tables.ItemRow).filter_by(key="1").one().id
        run = session.query(tables.Run).order_by(tables.Run.id.desc()).first()
        assert run is not None
        session.add(
            tables.Edit(
                run_id=run.id,
                target_id=1,
                item_id=item,
                action=action,
                state="intended",
                name=name,
                fold=name,
                kind="tag",
                canonical=name,
                engines=["seer"],
                undoes=undoes,
                at=house.now,
            )
        )
    house.later(1)


def test_an_addition_in_doubt_that_is_there_is_ours(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    house.stage.wall.edit("1", "add", "fog", by="us")
    in_doubt(house, "fog", "add")
    house.write()
    assert house.wall == {"1": {"dog"}}  # ours, and nobody wants it
    assert {row.state for row in house.rows(tables.Edit)} == {"confirmed"}


def test_an_addition_in_doubt_that_is_not_there_is_written_again_once(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "dog", "add")
    house.scan()
    assert (house.wall, house.stage.wall.writes) == ({"1": {"dog"}}, 1)
    assert sorted(row.state for row in house.rows(tables.Edit)) == ["confirmed", "withdrawn"]


def test_removals_in_doubt_are_made_again_or_done(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("cat", 50))
    any_house.scan()
    in_doubt(any_house, "cat", "remove")
    any_house.change("seer", min_confidence=60)
    any_house.write()
    assert (any_house.wall, any_house.ours("1")) == ({"1": {"dog"}}, {"dog"})
    assert any_house.verdicts() == set()


def test_an_addition_that_takes_effect_late_is_ours(house: House) -> None:
    """A write may come about after the process that sent it died, and after our first read."""
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "fog", "add")
    house.stage.wall.late.append(("1", "add", "fog"))
    house.write()
    assert house.ours("1") == {"dog", "fog"}
    house.write()
    assert house.wall == {"1": {"dog"}}


def test_an_addition_that_takes_effect_late_in_an_undo_is_ours_too(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    in_doubt(house, "fog", "add")
    house.stage.wall.late.append(("1", "add", "fog"))
    house.undo(1)
    house.write()
    assert house.wall == {}


def test_after_ten_minutes_nothing_is_late_any_more(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    in_doubt(house, "fog", "add")
    house.later(10)
    reads = house.stage.wall.reads
    house.write()
    assert house.stage.wall.reads <= reads + 2  # the survey and the delivery, no third look


def test_a_late_addition_is_not_taken_for_a_users(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "dog", "add")
    house.stage.wall.late.append(("1", "add", "dog"))
    house.scan()
    assert house.ours("1") == {"dog"}
    house.undo(everything=True)
    assert house.wall == {}


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

"""Which photos a scan takes up, and what it leaves for the next."""

from __future__ import annotations

import threading

import pytest

from tests.fakes_pipeline import MindEngine
from tests.house import House, content_id
from tests.stage import days, drawn, tag
from tigertag.app.scanning import ScanOrder
from tigertag.app.scanning import scan as run_scan
from tigertag.errors import LockHeld, PhotoError, PluginDown, TransientError
from tigertag.model import Vocabulary
from tigertag.store.database import Database
from tigertag.store.lock import RunLock


def five(house: House) -> None:
    """Photos 0..4, one for each day, each with the tag dog."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    for number in range(5):
        house.photo(str(number))
        house.stage.shelf.photos[str(number)].moment = days(number)


def test_every_photo_gets_its_tags(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("beach"))
    any_house.photo("2", tag("cat"))
    report = any_house.scan()
    assert (report.exit_code, any_house.wall) == (0, {"1": {"beach", "dog"}, "2": {"cat"}})
    assert (report.tally.added, report.due, len(report.tally.written_items)) == (3, 2, 2)


def test_a_limit_takes_the_first_and_the_next_scan_goes_on(any_house: House) -> None:
    five(any_house)
    assert (any_house.scan(limit=2).exit_code, set(any_house.wall)) == (0, {"3", "4"})
    any_house.scan(limit=2)
    assert set(any_house.wall) == {"1", "2", "3", "4"}


def test_since_is_inclusive_and_until_exclusive(house: House) -> None:
    five(house)
    house.stage.shelf.photos["0"].moment = None
    house.scan(since=days(2), until=days(4))
    assert set(house.wall) == {"2", "3"}


def test_paths_are_taken_as_shown_with_or_without_their_section(house: House) -> None:
    five(house)
    house.stage.shelf.section = "Photos"
    house.scan(paths=frozenset({"Summer/1.jpg", "Photos/Summer/3.jpg", "4.jpg"}))
    assert set(house.wall) == {"1", "3"}


def test_a_path_is_never_taken_for_that_of_another_folder(house: House) -> None:
    five(house)
    house.scan(paths=frozenset({"1.jpg", "Summer/2.jpg"}))
    assert set(house.wall) == {"2"}


def test_only_and_except_say_which_photos_an_engine_may_see(house: House) -> None:
    five(house)
    house.change("seer", only=("Summer/*",), except_=("*/3.jpg", "*/4.jpg"))
    house.stage.shelf.photos["0"].path = "Winter/0.jpg"
    house.engine("other").default = lambda photo: [tag("sun")]
    house.scan()
    assert {key for key, tags in house.wall.items() if "dog" in tags} == {"1", "2"}
    assert {key for key, tags in house.wall.items() if "sun" in tags} == set("01234")
    asked = sum(house.mind("seer").asked.values())
    house.scan()
    assert (asked, sum(house.mind("seer").asked.values())) == (2, 2)


def test_an_engine_that_may_see_more_now_is_asked_about_the_rest(house: House) -> None:
    five(house)
    house.change("seer", only=("*/1.jpg",))
    house.scan()
    house.change("seer", only=())
    house.scan()
    assert (len(house.wall), set(house.mind().asked.values())) == (5, {1})


def test_only_the_engines_named_are_asked_and_the_others_keep_their_tags(house: House) -> None:
    house.engine("one").default = lambda photo: [tag("one")]
    house.engine("two").default = lambda photo: [tag("two")]
    house.photo("1")
    house.scan(engines=("ONE",))
    assert (house.wall, dict(house.mind("two").asked)) == ({"1": {"one"}}, {})
    house.scan(engines=("two",))
    assert house.wall == {"1": {"one", "two"}}


def test_without_writing_the_answers_are_kept_for_later(house: House) -> None:
    five(house)
    report = house.scan(write=False)
    assert (report.exit_code, house.wall, house.stage.wall.reads) == (0, {}, 0)
    house.write()
    assert len(house.wall) == 5


def test_a_second_run_on_the_same_database_is_refused(any_house: House) -> None:
    """R1."""
    five(any_house)
    with RunLock().acquire(any_house.database, "scan"), pytest.raises(LockHeld, match="Another run") as refused:
        any_house.scan()
    assert (refused.value.exit_code, any_house.stage.shelf.opened) == (7, {})


def test_a_run_that_was_cut_off_is_marked_so(house: House, sqlite_database: Database) -> None:
    five(house)
    house.killed_at(30, house.scan)
    house.scan()
    from tigertag.store import tables

    assert [row.state for row in house.rows(tables.Run)] == ["cut off", "done"]


# ── policy and revisions ──────────────────────────────────────────────────────────────────────────────────


def test_a_higher_threshold_shrinks_tags_without_a_call(house: House) -> None:
    house.engine("seer", min_confidence=30)
    house.photo("1", tag("dog", 90), tag("beach", 40), tag("fog", 30), tag("sea", 29.9))
    house.scan()
    assert house.wall == {"1": {"dog", "beach", "fog"}}
    house.change("seer", min_confidence=60)
    report = house.write()
    assert (house.wall, report.tally.removed) == ({"1": {"dog"}}, 2)
    assert sum(house.mind().asked.values()) == 1


def test_a_prefix_renames_and_a_refused_tag_stays_refused(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("cat"))
    any_house.scan()
    any_house.stage.wall.user_removes("1", "dog")
    any_house.stage.wall.user_adds("1", "mine")
    any_house.change("seer", prefix="tti")
    for _ in range(2):
        any_house.write()
        assert any_house.wall == {"1": {"tti_cat", "mine"}}
    any_house.change("seer", prefix="")
    any_house.write()
    assert any_house.wall == {"1": {"cat", "mine"}}


def test_a_vocabulary_applies_without_a_call(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("doggy"), tag("indoors"), tag("sea"))
    house.scan()
    house.vocabulary = Vocabulary(deny=frozenset({"indoors"}), rename={"doggy": "dog"})
    house.write()
    assert house.wall == {"1": {"dog", "sea"}}
    assert sum(house.mind().asked.values()) == 1


def test_a_scan_brings_a_changed_policy_about_too(house: House) -> None:
    five(house)
    house.scan()
    house.change("seer", prefix="tti")
    house.scan()
    assert set(map(frozenset, house.wall.values())) == {frozenset({"tti_dog"})}


def test_a_new_revision_keeps_the_old_answer_until_the_new_one_is_there(any_house: House) -> None:
    mind = any_house.engine("seer")
    found = any_house.photo("1", tag("dog"))
    other = any_house.photo("2", tag("cat"))
    any_house.scan()
    any_house.change("seer", level=1)
    mind.says[found], mind.says[other] = [tag("wolf")], [tag("tiger")]
    mind.fails[other] = lambda photo: TransientError("503", photo)
    any_house.scan()
    assert any_house.wall == {"1": {"wolf"}, "2": {"cat"}}
    mind.fails[other] = lambda photo: PhotoError("415", photo)
    assert (any_house.scan().exit_code, any_house.wall["2"]) == (3, {"cat"})
    any_house.change("seer", level=0)
    any_house.scan()
    assert (any_house.wall, mind.asked[found]) == ({"1": {"dog"}, "2": {"cat"}}, 2)


def test_an_update_of_the_program_bills_nobody(house: House) -> None:
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    house.scan()
    house.change("seer", version="2")
    house.scan()
    assert sum(mind.sent.values()) == 1


def test_a_stop_ends_the_start_of_an_engine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """R5: nobody waits for minutes until a service is there."""
    house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    app, closed, ended = house.app, threading.Event(), list[bool]()

    def start(engine: MindEngine) -> None:
        app.stop.set()
        ended.append(closed.wait(10))
        raise PluginDown("nobody is there")

    monkeypatch.setattr(MindEngine, "start", start)
    monkeypatch.setattr(MindEngine, "close", lambda engine: closed.set())
    report = run_scan(app, ScanOrder())
    assert ended == [True]
    assert [(line.reason, line.planned) for line in report.engines] == [("the run was stopped", True)]


def test_changed_settings_of_a_billed_engine_need_a_yes(house: House) -> None:
    """C4."""
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    house.scan()
    house.change("seer", level=1)
    house.change("seer", cost_per_call=0.25)
    report = house.scan()
    assert (report.exit_code, sum(mind.sent.values())) == (9, 1)
    assert "1 photos that were paid for would be asked again (cost 0.25)" in str(report.tally.aside["seer"])
    assert house.wall == {"1": {"dog"}}
    assert (house.scan(sure=True).exit_code, sum(mind.sent.values())) == (0, 2)


def test_a_disabled_engine_keeps_its_tags_and_gets_them_back_into_force(any_house: House) -> None:
    any_house.engine("one").default = lambda photo: [tag("one"), tag("both")]
    any_house.engine("two").default = lambda photo: [tag("two"), tag("both")]
    any_house.photo("1")
    any_house.scan()
    any_house.enable("two", False)
    for act in (any_house.scan, any_house.write):
        act()
        assert any_house.wall == {"1": {"one", "two", "both"}}
    any_house.change("one", prefix="x")
    any_house.write()
    assert any_house.wall == {"1": {"x_one", "x_both", "two", "both"}}
    del any_house.engines["two"]
    any_house.write(verify=True)
    assert any_house.wall == {"1": {"x_one", "x_both", "two", "both"}}


def test_retag_asks_again_and_keeps_the_old_answer_until_then(house: House) -> None:
    mind = house.engine("seer")
    found = house.photo("1", tag("dog"))
    house.photo("2", tag("cat"))
    house.scan()
    mind.says[found] = [tag("wolf")]
    mind.fails[found] = lambda photo: TransientError("503", photo)
    house.retag("Summer/1.jpg")
    assert house.wall == {"1": {"dog"}, "2": {"cat"}}
    mind.fails.clear()
    house.scan()
    assert house.wall == {"1": {"wolf"}, "2": {"cat"}}
    assert mind.asked[content_id(drawn(2))] == 1


def test_retag_of_a_billed_engine_needs_a_yes(house: House) -> None:
    from tigertag.errors import Refused

    house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    house.scan()
    with pytest.raises(Refused, match="billed"):
        house.retag(sure=False)
    assert sum(house.mind().sent.values()) == 1

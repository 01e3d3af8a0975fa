"""Showing photos to engines: each once, side by side, whatever happens."""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import pytest

from tests.house import House, content_id
from tests.stage import Killed, days, drawn, tag
from tigertag.errors import MissingDecoder, PhotoError, PluginDown, StoreError, TransientError, Unreachable
from tigertag.media import File
from tigertag.model import Photo
from tigertag.pipeline import analyze
from tigertag.pipeline.lane import Answered
from tigertag.pipeline.work import Tally
from tigertag.store import tables
from tigertag.worker import Made, Render


def failed(photo: Photo) -> PhotoError:
    return PhotoError(f"{photo.name} ends early", photo)


def lost(photo: Photo) -> TransientError:
    return TransientError(f"{photo.name}: the answer was lost", photo)


# ── once, and for the right photo ─────────────────────────────────────────────────────────────────────────


def test_answers_are_tied_to_their_photo_under_eight_workers(house: House) -> None:
    """I13, E17: eight engines' threads that end in any order."""
    gate = threading.Barrier(8)
    mind = house.engine("seer", concurrency=8)
    mind.default = lambda photo: [tag(photo.content_id)]
    mind.waits_for = lambda photo: gate.wait(20)
    ids = {str(number): house.photo(str(number)) for number in range(32)}
    assert house.scan().exit_code == 0
    assert house.wall == {key: {found} for key, found in ids.items()}


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_number_of_workers_changes_nothing(house: House, workers: int) -> None:
    house.engine("one", concurrency=workers)
    house.engine("two", concurrency=workers, batch_size=3)
    for number in range(9):
        house.photo(str(number), tag(f"a{number}"), tag("shared"), by="one")
        house.mind("two").says[content_id(drawn(number + 1))] = [tag(f"b{number}"), tag("shared")]
    house.scan()
    assert house.wall == {str(number): {f"a{number}", f"b{number}", "shared"} for number in range(9)}
    assert ("0", "shared", "ours", ("one", "two")) in house.ledger()


def test_copies_are_billed_once(any_house: House) -> None:
    """I7: also when all are in flight together."""
    mind = any_house.engine("seer", billed=True, concurrency=4)
    mind.default = lambda photo: [tag("dog")]
    for number in range(5):
        any_house.photo(str(number), number=1)
    report = any_house.scan()
    assert (report.exit_code, list(mind.sent.values())) == (0, [1])
    assert any_house.wall == {str(number): {"dog"} for number in range(5)}


def test_a_copy_that_is_still_prepared_when_the_answer_comes_costs_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, begun = threading.Event(), itertools.count()
    render, react = Render._render, analyze._Showing._react_answered

    def slow_for_the_second(task: Render, file: File) -> Made:
        assert next(begun) == 0 or answered.wait(20)
        return render(task, file)

    def noticed(showing: analyze._Showing, event: Answered, tally: Tally) -> None:
        react(showing, event, tally)
        answered.set()

    monkeypatch.setattr(Render, "_render", slow_for_the_second)
    monkeypatch.setattr(analyze._Showing, "_react_answered", noticed)
    mind = house.engine("seer", billed=True, sees=8)
    mind.default = lambda photo: [tag("dog")]
    house.photo("1", number=1)
    house.photo("2", number=1)
    assert (house.scan().exit_code, list(mind.sent.values())) == (0, [1])
    assert house.wall == {"1": {"dog"}, "2": {"dog"}}


def test_a_copy_that_comes_later_costs_nothing(house: House) -> None:
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"), number=1)
    house.scan()
    house.photo("2", number=1)
    house.scan()
    assert (sum(mind.sent.values()), house.wall) == (1, {"1": {"dog"}, "2": {"dog"}})


def test_a_photo_whose_answer_was_lost_is_not_sent_again_for_each_of_its_copies(house: House) -> None:
    """E6: at most the engine's own resend for each photo and run."""
    mind = house.engine("seer", billed=True, concurrency=1)
    mind.fails[""] = lost
    for number in range(60):  # more than are in flight together
        house.photo(str(number), number=1)
    assert (house.scan().exit_code, list(mind.sent.values())) == (3, [1])
    mind.fails.clear()
    house.scan()
    assert list(mind.sent.values()) == [2]


def test_a_scan_again_asks_opens_reads_and_writes_nothing(any_house: House) -> None:
    """I5."""
    any_house.engine("seer")
    any_house.engine("other", reads="file")
    any_house.photo("1", tag("dog"))
    any_house.photo("2")
    any_house.scan()
    stage = any_house.stage
    before = (any_house.state(), dict(stage.shelf.opened), stage.wall.reads, stage.wall.writes)
    asked = {name: dict(mind.asked) for name, mind in stage.minds.items()}
    report = any_house.scan()
    assert (report.exit_code, report.due) == (0, 0)
    assert (any_house.state(), dict(stage.shelf.opened), stage.wall.reads, stage.wall.writes) == before
    assert {name: dict(mind.asked) for name, mind in stage.minds.items()} == asked


# ── what makes a photo due ────────────────────────────────────────────────────────────────────────────────


def test_changed_metadata_asks_only_the_engines_that_read_them(any_house: House) -> None:
    seer = any_house.engine("seer", billed=True)
    reader = any_house.engine("reader", reads="file")
    reader.default = lambda photo: [tag(f"in {photo.input[:6]}")]
    any_house.photo("1", tag("dog"), number=1)
    any_house.scan()
    before = any_house.wall["1"] - {"dog"}
    any_house.stage.shelf.put("1", drawn(1, "a keyword"))
    any_house.scan()
    assert (sum(seer.sent.values()), sum(reader.asked.values())) == (1, 2)
    assert "dog" in any_house.wall["1"] and len(any_house.wall["1"]) == 2
    assert not before & any_house.wall["1"]


def test_a_stamp_that_moved_without_the_bytes_costs_one_read_and_no_bill(house: House) -> None:
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"), number=1)
    house.scan()
    house.stage.shelf.put("1", drawn(1))
    for _ in range(2):
        assert house.scan().exit_code == 0
    assert (house.stage.shelf.opened["1"], sum(mind.sent.values())) == (2, 1)


def test_another_picture_under_the_same_name_gets_its_own_tags(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"), tag("beach"), number=1)
    house.scan()
    house.photo("1", tag("cat"), tag("beach"), number=2)
    house.scan()
    assert house.wall == {"1": {"cat", "beach"}}


def test_a_new_engine_is_asked_alone(house: House) -> None:
    first = house.engine("first")
    house.photo("1", tag("dog"))
    house.scan()
    house.engine("second").default = lambda photo: [tag("sun")]
    house.scan()
    assert (sum(first.asked.values()), house.wall) == (1, {"1": {"dog", "sun"}})


def test_a_picture_waits_for_its_decoder_and_is_looked_at_once_it_is_there(house: House) -> None:
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    lying = house.stage.shelf.photos["1"]
    lying.error = MissingDecoder("heic")
    report = house.scan()
    assert (report.exit_code, report.tally.needs, house.wall) == (0, {"heic": 1}, {})
    lying.error = None
    house.scan()
    assert house.wall == {"1": {"dog"}}


def test_a_picture_that_still_lacks_its_decoder_is_not_opened_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine("seer")
    house.photo("1")
    house.stage.shelf.photos["1"].error = MissingDecoder("heic")
    monkeypatch.setattr("tigertag.pipeline.scan.can_decode", lambda extra: False)
    house.scan()
    house.scan()
    assert house.stage.shelf.opened["1"] == 1


# ── failures ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [PhotoError, TransientError])
@pytest.mark.parametrize("words", ["a NUL: \0", "half a pair: \ud800"])
def test_words_that_no_database_takes_end_no_run(
    any_house: House, kind: type[PhotoError | TransientError], words: str
) -> None:
    """E8."""
    mind = any_house.engine("seer")
    mind.fails[any_house.photo("1")] = lambda photo: kind(words, photo)
    any_house.photo("2", tag("dog"))
    assert any_house.scan().exit_code == 3
    assert any_house.wall == {"2": {"dog"}}
    reasons = [row.reason for row in any_house.rows(tables.AnalysisRow) if row.reason]
    assert reasons == [words[:-1] + "\ufffd"]


def test_a_failed_photo_is_named_once_and_not_asked_again_until_told_to(any_house: House) -> None:
    mind = any_house.engine("seer", billed=True)
    bad = any_house.photo("1")
    any_house.photo("2", tag("dog"))
    mind.fails[bad] = failed
    first = any_house.scan()
    assert (first.exit_code, first.tally.failures) == (3, [("Summer/1.jpg", "Summer/1.jpg ends early")])
    second = any_house.scan()
    assert (second.exit_code, second.tally.failures, second.known_failures) == (0, [], 1)
    assert mind.sent[bad] == 1
    mind.fails.clear()
    mind.says[bad] = [tag("cat")]
    assert any_house.scan(retry_failed=True).exit_code == 0
    assert any_house.wall == {"1": {"cat"}, "2": {"dog"}}


def test_an_unreadable_photo_is_named_once_and_the_others_are_tagged(house: House) -> None:
    """I14."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    for key in "123":
        house.photo(key)
    house.stage.shelf.photos["2"].content = b"no picture at all"
    report = house.scan()
    assert (report.exit_code, [path for path, _ in report.tally.failures]) == (3, ["Summer/2.jpg"])
    assert house.wall == {"1": {"dog"}, "3": {"dog"}}
    assert (house.scan().exit_code, house.stage.shelf.opened["2"]) == (0, 1)
    again = house.scan(retry_failed=True)  # tried, and no news
    assert (again.exit_code, again.retried, again.known_failures) == (0, True, 1)
    assert house.stage.shelf.opened["2"] == 2


def test_one_engine_of_three_that_fails_leaves_the_others_delivered(house: House) -> None:
    """E12."""
    for name in ("one", "two", "three"):
        house.engine(name, billed=True).default = lambda photo, name=name: [tag(name)]  # type: ignore[misc]
    house.mind("two").fails[""] = lambda photo: TransientError("503 from the service", photo)
    house.photo("1")
    assert (house.scan().exit_code, house.wall) == (3, {"1": {"one", "three"}})
    house.mind("two").fails.clear()
    assert (house.scan().exit_code, house.wall) == (0, {"1": {"one", "two", "three"}})
    assert [sum(house.mind(name).sent.values()) for name in ("one", "two", "three")] == [1, 2, 1]


def test_an_engine_that_is_down_is_put_aside_and_its_photos_wait(house: House) -> None:
    house.engine("one").default = lambda photo: [tag("one")]
    house.engine("two").down = PluginDown("two rejected the API key")
    house.photo("1")
    report = house.scan()
    assert (report.exit_code, house.wall) == (4, {"1": {"one"}})
    assert [line.reason for line in report.engines if line.id == "two"] == ["two rejected the API key"]
    house.mind("two").down = None
    house.mind("two").default = lambda photo: [tag("two")]
    assert (house.scan().exit_code, house.wall) == (0, {"1": {"one", "two"}})


def test_an_engine_put_aside_in_mid_run_is_asked_no_more(house: House) -> None:
    mind = house.engine("seer", concurrency=1)
    mind.fails[""] = lambda photo: PluginDown("seer rejected the API key")
    for number in range(40):
        house.photo(str(number))
    assert house.scan().exit_code == 4
    assert sum(mind.asked.values()) <= 2
    assert {state for *_, state in house.answered()} <= {"waiting"}


def test_an_engine_that_breaks_is_recorded_and_put_aside_after_three_times(house: House) -> None:
    mind = house.engine("seer", concurrency=1)
    mind.fails[""] = lambda photo: ZeroDivisionError("a bug")
    house.engine("other").default = lambda photo: [tag("sun")]
    for number in range(30):
        house.photo(str(number))
    report = house.scan()
    assert (report.exit_code, len(house.wall)) == (4, 30)
    assert sum(mind.asked.values()) < 30


def test_a_source_that_falls_silent_is_put_aside_and_its_photos_wait(house: House) -> None:
    house.engine("seer").default = lambda photo: [tag("dog")]
    for number in range(3):
        house.photo(str(number))
        house.stage.shelf.photos[str(number)].error = Unreachable("Cannot reach the shelf")
    assert (house.scan().exit_code, house.wall) == (5, {})
    for lying in house.stage.shelf.photos.values():
        lying.error = None
    assert (house.scan().exit_code, len(house.wall)) == (0, 3)


def test_an_engine_that_ends_its_thread_ends_the_run_and_does_not_hang_it(house: House) -> None:
    house.engine("seer").waits_for = lambda photo: (_ for _ in ()).throw(SystemExit(3))
    house.photo("1")
    with pytest.raises(SystemExit):
        house.scan()


def test_engines_that_wait_for_a_permit_are_let_go_when_the_database_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine("seer", billed=True, concurrency=8)
    for number in range(24):
        house.photo(str(number))
    monkeypatch.setattr(
        "tigertag.store.sends.add", lambda *_: (_ for _ in ()).throw(StoreError("the database is away"))
    )
    with pytest.raises(StoreError):
        house.scan()
    assert not house.mind().sent


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_request_that_may_be_billed_is_written_down_before_it_leaves(any_house: House) -> None:
    """I18."""
    mind = any_house.engine("seer", billed=True)
    bad = any_house.photo("1")
    any_house.photo("2")
    mind.fails[bad] = lost
    any_house.scan()
    seen = [len(any_house.rows(tables.SendRow)), sum(mind.sent.values())]
    outcomes = Counter(row.outcome for row in any_house.rows(tables.SendRow))
    assert (seen, outcomes) == ([2, 2], {"unknown": 1, "billed": 1})


@pytest.mark.parametrize("workers", [1, 4])
def test_the_whole_of_a_quota_is_used_and_no_more(house: House, workers: int) -> None:
    mind = house.engine("seer", billed=True, concurrency=workers)
    mind.default = lambda photo: [tag("dog")]
    mind.left = 30
    house.engine("free").default = lambda photo: [tag("sun")]
    for number in range(60):
        house.photo(str(number))
    report = house.scan()
    assert (report.exit_code, sum(mind.sent.values()), mind.left) == (0, 30, 0)
    assert sum("dog" in tags for tags in house.wall.values()) == 30
    mind.left = 100
    house.scan()
    assert (sum(mind.sent.values()), set(mind.sent.values())) == (60, {1})


def test_a_quota_alone_is_used_whole(house: House) -> None:
    mind = house.engine("seer", billed=True, concurrency=4)
    mind.left = 50
    for number in range(70):
        house.photo(str(number))
    report = house.scan()
    assert (report.exit_code, sum(mind.sent.values())) == (0, 50)
    assert report.engines[0].waiting == 20


@pytest.mark.parametrize(
    ("order", "first"), [("newest", {"4", "3"}), ("oldest", {"0", "1"}), ("path", {"2", "0"})]
)
def test_the_order_decides_who_gets_a_limited_quota(house: House, order: str, first: set[str]) -> None:
    mind = house.engine("seer", billed=True, order=order, concurrency=1)
    mind.default = lambda photo: [tag("dog")]
    mind.left = 2
    for number in range(5):
        house.photo(str(number))
        lying = house.stage.shelf.photos[str(number)]
        lying.moment = days(number)
        lying.path = f"{'a' if number == 2 else 'b'}{number}.jpg"
    house.stage.shelf.photos["undated"] = house.stage.shelf.photos.pop("4")
    house.stage.shelf.photos["4"] = house.stage.shelf.photos.pop("undated")
    house.scan()
    assert set(house.wall) == first


def test_stopping_finishes_what_was_paid_for_and_begins_nothing_new(house: House) -> None:
    """R5."""
    mind = house.engine("seer", billed=True, concurrency=2)
    mind.default = lambda photo: [tag("dog")]
    for number in range(40):
        house.photo(str(number))
    app = house.app
    mind.waits_for = lambda photo: app.stop.set() if sum(mind.sent.values()) >= 5 else None
    from tigertag.app.scanning import ScanOrder, scan

    scan(app, ScanOrder())
    sent, done = sum(mind.sent.values()), sum(state == "done" for *_, state in house.answered())
    assert 5 <= sent <= 10 and done == sent
    assert {row.outcome for row in house.rows(tables.SendRow)} == {"billed"}
    mind.waits_for = None
    house.scan()
    assert (sum(mind.sent.values()), set(mind.sent.values()), len(house.wall)) == (40, {1}, 40)


def test_a_process_that_dies_in_an_engine_leaves_its_request_in_the_book(house: House) -> None:
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    mind.fails[""] = lambda photo: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        house.scan()
    assert [row.outcome for row in house.rows(tables.SendRow)] == ["unknown"]

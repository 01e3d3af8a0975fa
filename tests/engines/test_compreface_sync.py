"""The examples of a CompreFace service: brought in line, twice being once, whatever breaks in between."""

from __future__ import annotations

import io
import shutil
import uuid
from pathlib import Path

import pytest
from PIL import Image

from tests.engines.compreface_home import BEN, Home, home
from tests.pictures import heic_bytes
from tests.servers.base import Fault
from tests.servers.compreface import CORE_DOWN, CompreFace
from tests.servers.compreface_faces import Seen, draw_people
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import ConfigError, PluginDown
from tigertag.model import JSON, KnowsPeople, Synced

__all__ = ["home"]


def test_it_knows_people(home: Home) -> None:
    assert isinstance(home.engine(), KnowsPeople)


def test_missing_examples_are_added(home: Home) -> None:
    synced = home.sync()
    assert home.there() == {"Anna": 2, "Ben": 1}
    assert synced.added == ("Anna: Anna/1.jpg", "Anna: Anna/2.jpg", "Ben: Ben/1.jpg")
    assert (synced.removed, synced.kept, synced.problems) == ((), 0, ())


def test_a_second_sync_sends_no_writes(home: Home) -> None:
    home.sync()
    writes = home.service.writes
    assert home.sync() == Synced(kept=3)
    assert home.service.writes == writes and home.service.counts["img"] == 0


def test_a_start_syncs(home: Home) -> None:
    home.start()
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_a_sideways_example_is_sent_upright(home: Home) -> None:
    home.put("Clara/1.jpg", draw_people("cyan", size=(480, 640), orientation=6))
    assert home.sync().problems == ()
    assert home.there()["Clara"] == 1


def test_a_heic_example_is_sent_as_jpeg(home: Home) -> None:
    home.service.faces_in = lambda picture: (Seen("magenta", 0, 0, picture.width, picture.height),)
    home.put("Clara/1.heic", heic_bytes(1))
    assert home.sync().problems == ()
    assert home.service.of_subject("Clara")[0].content.startswith(b"\xff\xd8\xff")


PHOTOS = Path(__file__).parents[2] / "../shared/photos"


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos are not here")
def test_real_photos_are_sent_small_and_without_metadata(home: Home) -> None:
    home.service.faces_in = lambda picture: (Seen("magenta", 0, 0, picture.width, picture.height),)
    for path in sorted(PHOTOS.glob("Me*.jpg")):
        home.put(f"Me/{path.name}", path.read_bytes())
    assert home.sync().problems == ()
    for example in home.service.of_subject("Me"):
        with Image.open(io.BytesIO(example.content)) as sent:
            assert max(sent.size) <= 1600 and not sent.getexif()


def test_a_dry_run_tells_and_changes_nothing(home: Home) -> None:
    synced = home.sync(dry_run=True)
    assert len(synced.added) == 3
    assert home.service.writes == 0 and home.memory.rows == {} and home.there() == {}


def test_a_dry_run_tells_what_would_be_removed(home: Home) -> None:
    home.sync()
    rows = dict(home.memory.rows)
    shutil.rmtree(home.folder / "Ben")
    assert home.sync(dry_run=True).removed == ("Ben: Ben/1.jpg",)
    assert home.there() == {"Anna": 2, "Ben": 1} and home.memory.rows == rows


def test_an_example_that_is_no_longer_wanted_is_removed_alone(home: Home) -> None:
    foreign = home.service.seed("Ben", draw_people("lime", seed=9))
    home.sync()
    shutil.rmtree(home.folder / "Ben")
    assert home.sync().removed == ("Ben: Ben/1.jpg",)
    assert foreign in home.service.examples and home.there() == {"Anna": 2, "Ben": 1}


def test_photos_are_due_once_after_an_example_was_removed(home: Home) -> None:
    before = home.start().settings
    (home.folder / "Anna/2.jpg").unlink()
    home.sync()
    after = home.start().settings
    assert before != after == home.start().settings


@pytest.mark.parametrize("change", ["taken away", "exchanged", "renamed", "left out"])
def test_a_scan_removes_no_example_and_says_what_does(
    home: Home, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    home.start()
    if change == "taken away":
        shutil.rmtree(home.folder / "Ben")
    elif change == "exchanged":
        home.put("Ben/1.jpg", draw_people("lime", seed=7))
    elif change == "renamed":
        (home.folder / "Ben").rename(home.folder / "Benjamin")
    else:
        home.put("faces.yaml", b"faces:\n- tag: Anna\n  images:\n  - name: Anna/1.jpg\n  - name: Anna/2.jpg\n")
    engine = home.start()
    assert home.service.counts["delete"] == 0 and home.there()["Ben"] >= 1
    assert engine.settings == home.engine().settings == home.start().settings
    assert "Ben: Ben/1.jpg; `tigertag people sync` removes them" in caplog.text
    assert home.sync().removed == ("Ben: Ben/1.jpg",)
    caplog.clear()
    home.start()
    assert caplog.text == ""


def test_an_exchanged_file_is_added_before_the_old_one_goes(home: Home) -> None:
    home.sync()
    home.put("Ben/1.jpg", draw_people("lime", seed=7))
    synced = home.sync()
    assert synced.added == synced.removed == ("Ben: Ben/1.jpg",)
    kinds = [request.kind for request in home.service.requests if request.kind in ("add", "delete")]
    assert kinds[-2:] == ["add", "delete"] and home.there() == {"Anna": 2, "Ben": 1}


def test_a_renamed_file_is_no_change(home: Home) -> None:
    home.sync()
    (home.folder / "Ben/1.jpg").rename(home.folder / "Ben/best.jpg")
    assert home.sync() == Synced(kept=3)


def test_others_people_and_examples_stay_untouched(home: Home) -> None:
    foreign = {
        home.service.seed("Zoe", draw_people("cyan")),
        home.service.seed("Anna", draw_people("magenta", seed=9)),
    }
    home.sync()
    shutil.rmtree(home.folder / "Anna")
    home.sync()
    assert foreign <= home.service.examples.keys()
    assert home.there() == {"Zoe": 1, "Anna": 1, "Ben": 1}


def test_a_collection_over_many_pages_is_read_whole(home: Home) -> None:
    home.service.most_per_page = 4
    for seed in range(9):
        home.service.seed("Zoe", draw_people("cyan", seed=seed))
    home.sync()
    assert home.sync() == Synced(kept=3)
    assert home.there() == {"Zoe": 9, "Anna": 2, "Ben": 1}


def test_a_lost_memory_adds_nothing_twice_and_removes_nothing(home: Home) -> None:
    home.sync()
    home.memory.rows.clear()
    assert home.sync() == Synced(kept=3)
    shutil.rmtree(home.folder / "Ben")
    assert home.sync().removed == ()
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_the_same_file_added_by_somebody_else_is_enough(home: Home) -> None:
    home.service.seed("Ben", BEN)
    assert home.sync().added == ("Anna: Anna/1.jpg", "Anna: Anna/2.jpg")
    requests = len(home.service.requests)
    home.sync()
    assert home.service.counts["img"] == 1 and len(home.service.requests) > requests


def test_an_example_that_somebody_deleted_is_added_again(home: Home) -> None:
    home.sync()
    (gone,) = [i for i, example in home.service.examples.items() if example.subject == "Ben"]
    del home.service.examples[gone]
    assert home.sync().added == ("Ben: Ben/1.jpg",)
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_a_person_in_another_case_is_the_same_person(home: Home) -> None:
    home.service.seed_subject("ANNA")
    home.sync()
    assert home.there() == {"ANNA": 2, "Ben": 1}
    assert home.sync() == Synced(kept=3)


def test_an_example_that_a_human_gave_to_another_person_stays_there(home: Home) -> None:
    home.sync()
    (given,) = [i for i, example in home.service.examples.items() if example.subject == "Ben"]
    home.service.give(given, "Benjamin")
    (problem,) = home.sync().problems
    assert "from Ben to Benjamin" in problem
    shutil.rmtree(home.folder / "Ben")
    home.sync()
    assert home.there()["Benjamin"] == 1


@pytest.mark.parametrize(
    "fault", [Fault(reset="after"), Fault(cut=10), Fault(body=b"<html>"), Fault(body=b"{}")]
)
def test_an_add_whose_answer_is_lost_is_found_and_not_repeated(home: Home, fault: Fault) -> None:
    home.service.fail("add", fault)
    assert len(home.sync().added) == 3
    assert home.there() == {"Anna": 2, "Ben": 1} and home.service.counts["add"] == 3
    shutil.rmtree(home.folder / "Anna")
    assert len(home.sync().removed) == 2


@pytest.mark.parametrize("fault", [Fault(reset="before"), CORE_DOWN, Fault.html(502), Fault.html(504)])
def test_an_add_that_was_not_done_is_repeated(home: Home, fault: Fault) -> None:
    home.service.fail("add", fault, times=2)
    assert len(home.sync().added) == 3
    assert home.there() == {"Anna": 2, "Ben": 1}
    assert home.sync() == Synced(kept=3)


def test_an_add_that_keeps_failing_is_named_and_tried_by_the_next_sync(home: Home) -> None:
    home.service.fail("add", CORE_DOWN, times=4)
    synced = home.sync()
    assert len(synced.added) == 2 and "Anna/1.jpg (Anna): could not be added" in synced.problems[0]
    assert home.sync().added == ("Anna: Anna/1.jpg",)


def test_a_core_that_is_down_ends_the_sync(home: Home) -> None:
    home.service.fail("add", CORE_DOWN, times=1000)
    with pytest.raises(PluginDown, match="answered 500"):
        home.start()
    assert home.service.counts["add"] == 12


class Killed(Exception):
    """The process ends here."""


class KillingMemory(FakeMemory):
    """Ends the process at the `at`-th change."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def set(self, key: str, value: JSON) -> None:
        self._count()
        super().set(key, value)

    def delete(self, key: str) -> None:
        self._count()
        super().delete(key)


@pytest.mark.parametrize("at", range(9))
def test_a_kill_at_any_point_leaves_each_example_once_and_ours(home: Home, at: int) -> None:
    memory = KillingMemory(at)
    engine = home.engine(memory)
    with pytest.raises(Killed):
        engine.sync()
    engine.close()
    home.memory.rows = memory.rows
    home.sync()
    assert home.there() == {"Anna": 2, "Ben": 1}
    shutil.rmtree(home.folder / "Anna")
    assert len(home.sync().removed) == 2


def test_a_late_double_of_a_lost_add_is_ours_and_goes(home: Home) -> None:
    home.service.fail("add", Fault.html(504))
    home.sync()
    late = next(example for example in home.service.examples.values() if example.subject == "Anna")
    home.service.examples["0f6c35b3-9d1c-4f0e-8b1d-5b7a6a3f2c99"] = late
    assert len(home.sync().removed) == 1
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_a_service_that_keeps_no_pictures_still_gets_each_once(home: Home) -> None:
    home.service.keeps_pictures = False
    home.service.fail("add", Fault(reset="after"))
    home.sync()
    assert home.sync() == Synced(kept=3)
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_an_example_without_a_face_or_with_two_is_named_and_the_rest_goes_on(home: Home) -> None:
    home.put("Anna/nobody.jpg", draw_people(seed=4))
    home.put("Anna/crowd.jpg", draw_people("magenta", "lime"))
    synced = home.sync()
    assert home.there() == {"Anna": 2, "Ben": 1}
    assert sorted(synced.problems) == [
        "Anna/crowd.jpg (Anna): it shows more than one face",
        "Anna/nobody.jpg (Anna): no face was found in it",
    ]
    adds = home.service.counts["add"]
    assert home.sync().problems == synced.problems and home.service.counts["add"] == adds


def test_a_file_that_is_no_picture_is_named_and_the_rest_goes_on(home: Home) -> None:
    home.put("Anna/3.jpg", b"this is text")
    (problem,) = home.sync().problems
    assert problem.startswith("Anna/3.jpg (Anna): ") and home.there() == {"Anna": 2, "Ben": 1}


def test_a_bad_exchange_keeps_the_old_example(home: Home) -> None:
    home.sync()
    home.put("Ben/1.jpg", draw_people(seed=4))
    assert home.sync().removed == ()
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_a_missing_faces_folder_removes_nothing(home: Home) -> None:
    home.sync()
    home.folder.rename(home.folder.with_name("elsewhere"))
    (problem,) = home.sync().problems
    assert "is not there" in problem and home.there() == {"Anna": 2, "Ben": 1}


def test_an_empty_faces_folder_removes_nothing(home: Home) -> None:
    home.sync()
    shutil.rmtree(home.folder)
    home.folder.mkdir()
    (problem,) = home.sync().problems
    assert "no example was removed" in problem and home.there() == {"Anna": 2, "Ben": 1}


def test_without_a_faces_folder_nothing_is_removed(home: Home) -> None:
    home.sync()
    (problem,) = home.sync(faces_folder=None).problems
    assert "FACES_FOLDER" in problem and home.there() == {"Anna": 2, "Ben": 1}


def test_a_file_of_the_yaml_that_is_missing_keeps_its_example(home: Home) -> None:
    home.put("faces.yaml", b"faces:\n- tag: Anna\n  images:\n  - name: Anna/1.jpg\n  - name: Anna/2.jpg\n")
    home.sync()
    (home.folder / "Anna/2.jpg").unlink()
    assert home.sync().problems == ("Anna/2.jpg (Anna) is not there",)
    assert home.there() == {"Anna": 2}


def test_a_yaml_that_asks_for_nobody_removes_ours(home: Home) -> None:
    home.sync()
    home.put("faces.yaml", b"faces: []\n")
    assert len(home.sync().removed) == 3


def test_a_malformed_yaml_stops_with_file_and_line(home: Home) -> None:
    home.put("faces.yaml", b"faces:\n- tag: Anna\n  images: [\n")
    with pytest.raises(ConfigError, match=r"faces\.yaml line \d+"):
        home.engine().start()
    assert home.service.writes == 0


def test_problems_are_warned_of_at_the_start_and_stop_nothing(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.put("Bad;Name/1.jpg", BEN)
    home.start()
    assert len([record for record in caplog.records if "Bad;Name" in record.getMessage()]) == 1
    assert home.there() == {"Anna": 2, "Ben": 1}


def test_two_services_do_not_mix_their_examples(home: Home) -> None:
    home.sync()
    with CompreFace(key=str(uuid.uuid4())) as other:
        elsewhere = Home(other, home.folder)
        elsewhere.memory = home.memory
        elsewhere.sync()
        assert elsewhere.there() == {"Anna": 2, "Ben": 1}
    shutil.rmtree(home.folder / "Ben")
    assert home.sync() == Synced(removed=("Ben: Ben/1.jpg",), kept=2)

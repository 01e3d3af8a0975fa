"""What can be seen without the lock."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.stage import tag
from tigertag.app import looking
from tigertag.errors import ConfigError, PhotoError
from tigertag.store.lock import RunLock


def furnished(house: House) -> str:
    """A photo and its copy, one that fails with an engine and one that cannot be read. The first one's id."""
    house.stage.shelf.section = "Photos"
    mind = house.engine("seer", min_confidence=30, max_tags=2)
    found = house.photo("1", tag("dog", 90), tag("cat", 80), tag("sea", 70), tag("fog", 20), number=1)
    house.photo("2", number=1)
    mind.fails[house.photo("3", number=3)] = lambda photo: PhotoError("the service said 415", photo)
    house.photo("4", number=4)
    house.stage.shelf.photos["4"].content = b"no picture"
    house.scan()
    return found


def test_status_counts_what_is_done_waiting_and_failed(any_house: House) -> None:
    furnished(any_house)
    any_house.photo("5", number=5)
    any_house.stage.wall.refuses["5"] = True
    any_house.scan()
    with RunLock().acquire(any_house.database, "scan"):
        found = looking.status(any_house.app)
    (source,), (engine,), (target,) = found.sources, found.engines, found.targets
    assert (source.items, source.waiting, source.unreadable) == (5, 0, 1)
    assert (engine.done, engine.waiting, engine.failed) == (2, 0, 1)
    assert target.done + target.waiting >= 3
    reasons = {(path, who): why for path, who, why in found.failures}
    assert any(who == "seer" and "415" in why for (_, who), why in reasons.items())
    assert any(path.endswith("Summer/4.jpg") for path, _ in reasons)
    assert "scan" in found.running


@pytest.mark.parametrize("name", ["Summer/1.jpg", "Photos/Summer/1.jpg", "1", "id"])
def test_a_photo_is_found_by_each_of_its_names(house: House, name: str) -> None:
    found = furnished(house)
    shown = looking.show(house.app, found[:14] if name == "id" else name)
    assert shown[0].content_id == found
    assert [each.name for each in shown[0].tags] == ["Dog", "Cat"]
    assert shown[0].copies == ["Photos/Summer/2.jpg"]
    assert len(shown[0].answers[0].annotations) == 4


def test_a_photo_that_is_not_known_is_said_so(house: House) -> None:
    furnished(house)
    with pytest.raises(ConfigError, match=r"No photo is known as `nowhere\.jpg`"):
        looking.show(house.app, "nowhere.jpg")


def test_runs_show_what_they_did_and_what_became_of_it(any_house: House) -> None:
    furnished(any_house)
    any_house.undo(1)
    newest, oldest = looking.past_runs(any_house.app)
    assert (newest.command, newest.removed, oldest.command, oldest.added) == ("undo", 4, "scan", 4)
    detail = looking.run_detail(any_house.app, 1)
    assert {state for *_, state in detail.edits} == {"taken back"}
    any_house.undo(1, redo=True)
    assert {state for *_, state in looking.run_detail(any_house.app, 1).edits} == {"done"}
    with pytest.raises(ConfigError, match="no run 7"):
        looking.run_detail(any_house.app, 7)


def test_verdicts_are_listed_with_their_photo(house: House) -> None:
    furnished(house)
    house.stage.wall.user_removes("1", "dog")
    house.write(verify=True)
    ((path, name, value),) = [(each.path, each.tag, each.value) for each in looking.verdicts(house.app)]
    assert (path.endswith("Summer/1.jpg"), name.casefold(), value) == (True, "dog", "no")


def test_looking_needs_no_database(house: House, tmp_path: object) -> None:
    house.url = f"sqlite:///{tmp_path}/none/tigertag.db"
    house.engine("seer")
    assert (looking.past_runs(house.app), looking.verdicts(house.app)) == ([], [])
    assert looking.status(house.app).last_run is None

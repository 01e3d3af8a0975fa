"""The main job, end to end, as the user and the three services see it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world
from tests.servers.base import Fault
from tigertag.plexserver import Pace

PHOTOS = 200


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[int, set[str]], str]]:
    """A library after its first scan, what it showed before, and what the scan printed."""
    with world(tmp_path_factory.mktemp("world"), PHOTOS) as place:
        before = place.tags()
        result = place.ok("scan")
        yield place, before, result.output


def test_every_photo_has_its_tags_and_nothing_else_has_changed(
    scanned: tuple[World, dict[int, set[str]], str],
) -> None:
    place, before, _ = scanned
    for key, tags in place.tags().items():
        assert before[key] <= tags
        assert 3 <= len(tags - before[key]) <= 9
    place.assert_no_damage()


def test_each_engine_is_asked_once_for_each_photo(scanned: tuple[World, dict[int, set[str]], str]) -> None:
    place, _, _ = scanned
    assert place.asked() == (PHOTOS, PHOTOS)
    assert len(place.imagga.billed) == len(set(place.imagga.billed)) == PHOTOS


def test_plex_is_asked_little(scanned: tuple[World, dict[int, set[str]], str]) -> None:
    place, before, _ = scanned
    counts = place.plex.counts()
    edits = counts.pop("edit")
    assert counts.total() <= 1.1 * PHOTOS, counts
    added = {key: frozenset(tags - before[key]) for key, tags in place.tags().items()}
    by_set, by_tag = len(set(added.values())), len({tag for tags in added.values() for tag in tags})
    assert edits <= 1.1 * min(by_set, by_tag), (edits, by_set, by_tag)


def test_the_end_of_a_scan_tells_what_was_done(scanned: tuple[World, dict[int, set[str]], str]) -> None:
    _, _, output = scanned
    assert f"{PHOTOS} photos" in output
    assert "sends 300 px copies without metadata" in output
    assert "tigertag undo 1" in output


# The tests below change their library, so each has its own, smaller one.


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, 40) as made:
        yield made


def test_a_second_scan_does_nothing_at_all(place: World) -> None:
    place.ok("scan")
    place.forget()
    result = place.ok("scan")
    counts = place.plex.counts()
    assert (counts["download"], counts["read"], counts["edit"]) == (0, 0, 0)
    assert place.asked() == (0, 0)
    assert "up to date" in result.output


def test_a_replaced_photo_is_fetched_and_asked_once(place: World) -> None:
    place.ok("scan")
    place.forget()
    place.plex.replace(next(iter(place.plex.photos)), list(different_pictures(41))[-1])
    place.ok("scan")
    assert place.plex.counts()["download"] == 1
    assert place.asked() == (1, 1)


def test_an_engine_that_joins_later_is_the_only_one_asked(place: World) -> None:
    place.ok("scan")
    place.forget()
    place.settings["ENGINE_METADATA_NAME"] = "metadata"
    place.ok("scan")
    assert place.asked() == (0, 0)
    assert all("2019" in tags or tags for tags in place.tags().values())
    assert place.json("status")


def test_what_the_user_removed_and_added_stays_as_the_user_left_it(place: World) -> None:
    place.settings["ENGINE_COMPREFACE_ENABLED"] = "false"
    place.settings["ENGINE_IMAGGA_MIN_CONFIDENCE"] = "60"
    place.ok("scan")
    key = next(key for key, tags in place.tags().items() if not tags & {"Holiday"})
    removed = sorted(place.tags()[key])[0]
    place.plex.user_remove(key, removed)
    place.settings["ENGINE_IMAGGA_MIN_CONFIDENCE"] = "40"
    place.ok("write")
    assert removed not in place.tags()[key]
    place.plex.user_add(key, "Theirs")
    for confidence in ("70", "20", "99"):
        place.settings["ENGINE_IMAGGA_MIN_CONFIDENCE"] = confidence
        place.ok("write")
        assert removed not in place.tags()[key]
    place.ok("undo", "--all", "--yes")
    place.assert_no_damage()


def test_undo_leaves_what_was_there_and_what_the_user_added_since(place: World) -> None:
    before = place.tags()
    place.ok("scan")
    after = place.tags()
    key = next(iter(place.plex.photos))
    place.plex.user_add(key, "Added since")
    place.ok("undo", "1", "--yes")
    expected = {**before, key: before[key] | {"Added since"}}
    assert place.tags() == expected
    place.forget()
    place.ok("scan")
    assert place.tags() == expected
    assert place.plex.counts()["edit"] == 0
    place.ok("undo", "1", "--redo", "--yes")
    assert place.tags() == {**after, key: after[key] | {"Added since"}}
    place.assert_no_damage()


def test_policy_changes_cost_no_engine_call(place: World) -> None:
    place.ok("scan")
    count = sum(map(len, place.tags().values()))
    place.forget()
    place.settings["ENGINE_IMAGGA_MIN_CONFIDENCE"] = "60"
    place.ok("write")
    assert sum(map(len, place.tags().values())) < count
    place.settings["ENGINE_IMAGGA_PREFIX"] = "tti"
    place.ok("write")
    assert any(tag.startswith("Tti_") for tags in place.tags().values() for tag in tags)
    assert place.asked() == (0, 0)
    place.assert_no_damage()


def test_a_refused_tag_stays_refused_under_a_prefix(place: World) -> None:
    place.settings["ENGINE_COMPREFACE_ENABLED"] = "false"
    place.ok("scan")
    key = list(place.plex.photos)[1]
    removed = sorted(place.tags()[key])[0]
    place.plex.user_remove(key, removed)
    place.settings["ENGINE_IMAGGA_PREFIX"] = "tti"
    place.ok("write")
    shown = {tag.casefold() for tag in place.tags()[key]}
    assert f"tti_{removed.casefold()}" not in shown
    assert removed.casefold() not in shown


def test_a_spent_quota_is_no_alarm_and_the_next_month_goes_on(place: World) -> None:
    place.imagga.limit = 15
    result = place.run("scan")
    assert result.exit_code == 0, result.output
    assert "25 for imagga" in result.output
    assert place.asked() == (15, 40)
    place.imagga.limit = 1000
    place.ok("scan")
    assert place.asked() == (40, 40)
    assert len(set(place.imagga.billed)) == 40
    place.assert_no_damage()


def test_a_restored_server_teaches_nothing(place: World) -> None:
    place.ok("scan")
    written = place.tags()
    place.plex.wipe_client_tags()
    bare = place.tags()
    place.forget()
    result = place.run("write", "--verify")
    assert result.exit_code == 9
    assert "Was it restored?" in result.output
    assert place.plex.counts()["edit"] == 0
    assert place.json("verdicts") == []
    place.ok("write", "--restore", "--yes")
    assert place.tags() == written
    place.plex.wipe_client_tags()
    place.ok("write", "--accept", "--yes")
    assert place.tags() == bare
    place.settings["ENGINE_IMAGGA_MIN_CONFIDENCE"] = "31"
    place.ok("write")
    assert place.tags() == bare


def test_an_engine_that_fails_for_a_while_holds_nobody_up(place: World) -> None:
    slow = Fault(status=500, body=b'{"message": "Error during synchronization", "code": 41}')
    place.compreface.fail("recognise", slow, times=4000)
    first = place.run("scan")
    assert first.exit_code in (3, 4), first.output
    assert place.imagga.counts["tags"] == 40
    assert all(place.tags().values())
    place.compreface.heal()
    place.forget()
    place.ok("scan")
    assert place.imagga.counts["tags"] == 0
    assert place.compreface.counts["recognise"] == 40


def test_a_wrong_token_and_a_wrong_section_are_one_clear_line(place: World) -> None:
    place.settings["PLEX_SECTIONS"] = "Fotos"
    result = place.run("scan")
    assert result.exit_code == 2
    assert "Fotos" in result.output
    assert "Photos" in result.output
    place.settings["PLEX_SECTIONS"] = "Photos"
    place.settings["PLEX_TOKEN"] = "not-the-token"
    result = place.run("scan")
    assert result.exit_code == 2
    assert "token" in result.output
    assert "not-the-token" not in result.output


def test_an_engine_that_cannot_start_says_how_many_photos_wait_for_it(place: World) -> None:
    key = place.settings["ENGINE_IMAGGA_API_KEY"]
    place.settings["ENGINE_IMAGGA_API_KEY"] = "wrong"
    result = place.run("scan")
    assert result.exit_code == 4
    assert "40 for imagga" in result.output
    assert place.asked()[1] == 40
    place.settings["ENGINE_IMAGGA_API_KEY"] = key
    assert "asked about 40 photos" in place.ok("scan", "--dry-run").output
    place.ok("scan")
    assert place.imagga.counts["tags"] == 40
    place.assert_no_damage()


def test_check_and_scan_agree_on_what_is_wrong_with_plex(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = functools.partial(Pace, sleep=lambda seconds: None)  # else they try for half a minute each
    for part in ("tigertag.plexserver.connection", "tigertag.targets.plex"):
        monkeypatch.setattr(f"{part}.Pace", hasty)
    place.settings["PLEX_TOKEN"] = "wrong"
    assert (place.run("check").exit_code, place.run("scan").exit_code) == (2, 2)
    place.settings |= {"PLEX_TOKEN": place.plex.token, "PLEX_SECTIONS": "Fotos"}
    assert (place.run("check").exit_code, place.run("scan").exit_code) == (2, 2)
    place.plex.stop()
    assert (place.run("check").exit_code, place.run("scan").exit_code) == (5, 5)
    place.plex.start()


def test_a_bad_photo_is_named_and_the_rest_goes_on(place: World) -> None:
    good = next(different_pictures(1))
    place.plex.add_photo("Summer", "cut.jpg", good[: len(good) // 2])
    place.plex.add_photo("Summer", "letter.jpg", b"Dear photo, I am a text.\n" * 40)
    result = place.run("scan")
    assert result.exit_code == 3
    assert "cut.jpg" in result.output
    assert "letter.jpg" in result.output
    assert place.asked() == (40, 40)
    again = place.run("scan")
    assert again.exit_code == 0, again.output
    assert "2 known" in again.output

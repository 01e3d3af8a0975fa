"""A server in the place of the one whose photos are known: nothing of the one is taken for the other (C5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world
from tigertag.plexserver import Pace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Three photos after their first scan; then another server with other photos under the same keys."""
    with world(tmp_path, 3) as made:
        made.settings["ENGINE_COMPREFACE_ENABLED"] = "false"
        made.ok("scan")
        made.plex.machine = "an0ther"
        made.plex.wipe_client_tags()
        new = itertools.islice(different_pictures(40), 30, None)
        for key, content in zip(sorted(made.plex.photos), new, strict=False):
            made.plex.replace(key, content)
            made.plex.user_add(key, "Theirs")
        made.forget()
        yield made
        made.assert_no_damage()


@pytest.mark.parametrize("command", [("scan",), ("scan", "--dry-run")])
def test_another_server_is_told_and_left_alone(place: World, command: tuple[str, ...]) -> None:
    before = place.tags()
    result = place.run(*command)
    assert result.exit_code == 9, result.output
    assert "is another server than the one with the 3 photos that are known" in result.output
    assert (place.imagga.counts["tags"], place.plex.counts()["edit"], place.tags()) == (0, 0, before)
    assert place.json("verdicts") == []


@pytest.mark.parametrize(
    "command", ["write", "write --verify", "write --dry-run", "undo --all --yes", "undo 1 --yes"]
)
def test_what_was_written_on_one_server_is_not_looked_for_on_another(place: World, command: str) -> None:
    before = place.tags()
    result = place.run(*command.split())
    assert result.exit_code == 9, result.output
    assert (
        result.stderr.count("\n") == 1 and "is another server than the one with the 3 photos" in result.stderr
    )
    assert (place.plex.counts()["edit"], place.tags()) == (0, before)
    assert place.json("verdicts") == []


def test_an_undo_on_a_server_that_is_away_says_that_and_no_more(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.targets.plex.Pace", partial(Pace, sleep=lambda seconds: None))
    place.plex.stop()
    result = place.run("undo", "--all", "--yes")
    place.plex.start()
    assert (result.exit_code, result.stderr.count("\n")) == (5, 1), result.stderr
    assert "Cannot reach Plex" in result.stderr


def test_a_person_who_means_it_says_so_once(place: World) -> None:
    place.ok("--yes", "scan")
    assert all("Theirs" in tags and len(tags) > 1 for tags in place.tags().values())
    assert place.imagga.counts["tags"] == 3
    place.ok("scan")
    place.plex.machine = "m4chine"
    place.ok("scan")

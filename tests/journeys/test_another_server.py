"""A server in the place of the one whose photos are known: nothing of the one is taken for the other (C5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world


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


@pytest.mark.parametrize("command", [("write", "--verify"), ("undo", "--all", "--yes")])
def test_what_was_written_on_one_server_is_not_looked_for_on_another(
    place: World, command: tuple[str, ...]
) -> None:
    before = place.tags()
    place.run(*command)
    assert (place.plex.counts()["edit"], place.tags()) == (0, before)
    assert place.json("verdicts") == []


def test_a_person_who_means_it_says_so_once(place: World) -> None:
    place.ok("--yes", "scan")
    assert all("Theirs" in tags and len(tags) > 1 for tags in place.tags().values())
    assert place.imagga.counts["tags"] == 3
    place.ok("scan")
    place.plex.machine = "m4chine"
    place.ok("scan")

"""Two photo sections of one Plex server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Photos in `Photos`, and one in `Work`, after a scan of both."""
    with world(tmp_path, 5) as made:
        made.settings |= {"ENGINE_COMPREFACE_ENABLED": "false", "PLEX_SECTIONS": "Photos, Work"}
        picture = next(itertools.islice(different_pictures(61), 60, None))
        made.plex.add_photo("", "desk.jpg", picture, section=made.plex.add_section("Work"))
        made.ok("scan")
        yield made
        made.assert_no_damage()


def test_an_undo_of_one_section_leaves_the_other_alone(place: World) -> None:
    before = place.tags()
    at_work = max(before)
    place.ok("undo", "--source", "work", "--yes")
    assert place.tags() == {**before, at_work: set()}
    place.ok("undo", "--source", "Photos", "--redo", "--yes")
    assert place.tags() == {**before, at_work: set()}
    place.ok("undo", "--source", "Work", "--redo", "--yes")
    assert place.tags() == before


def test_an_unknown_source_is_named_with_those_there_are(place: World) -> None:
    result = place.run("undo", "--source", "Wrok", "--yes")
    assert result.exit_code == 2
    assert 'There is no source or section `Wrok`; known are: Plex "Photos", "Work" on' in result.output

"""A Plex server that was restored from a copy without our tags (RELIABILITY P20), and what only looks so."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """A library of 24 photos after its first scan."""
    with world(tmp_path, 24) as made:
        made.settings["ENGINE_COMPREFACE_ENABLED"] = "false"
        made.ok("scan")
        yield made
        made.assert_no_damage()


def _add_a_new_photo(place: World) -> int:
    return place.plex.add_photo("", "new.jpg", next(itertools.islice(different_pictures(61), 60, None)))


@pytest.mark.parametrize("command", ["scan", "write"])
def test_a_restored_server_is_noticed_though_its_old_photos_are_not_due(place: World, command: str) -> None:
    place.plex.wipe_client_tags()
    _add_a_new_photo(place)
    place.forget()
    result = place.run(command)
    assert (result.exit_code, place.plex.counts()["edit"]) == (9, 0)
    assert "none of the tags written to 24 photos. Was it restored?" in result.output
    assert place.json("verdicts") == []
    assert place.plex.counts()["read"] <= 2


def test_a_tag_that_its_owner_removed_everywhere_holds_up_no_scan(place: World) -> None:
    everywhere = set.union(*place.tags().values()) - {"Holiday", "My dog"}
    common = max(everywhere, key=lambda tag: sum(tag in tags for tags in place.tags().values()))
    for key in place.plex.photos:
        place.plex.user_remove(key, common)
    new = _add_a_new_photo(place)
    place.ok("scan")
    assert place.tags()[new]

"""Other photos than before under the keys of Plex: tags stay with the picture that they are about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.world import World, different_pictures, world
from tests.servers.plex.library import Photo


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, 6) as made:
        made.settings["ENGINE_COMPREFACE_ENABLED"] = "false"
        yield made
        made.assert_no_damage()


def test_what_was_said_of_a_photo_is_not_written_to_its_replacement(place: World) -> None:
    key = next(iter(place.plex.photos))
    place.ok("scan", "--no-write")
    place.plex.replace(key, _another_picture())
    place.ok("scan")
    edits = [request.url for request in place.plex.requests if request.kind == "edit"]
    assert all("tag.tag-" not in url for url in edits)
    assert place.tags()[key] > {"Holiday", "My dog"}


def test_a_key_that_another_photo_got_brings_it_no_tags_verdicts_or_undo(place: World) -> None:
    key = list(place.plex.photos)[1]
    place.ok("scan")
    written = sorted(place.tags()[key])
    _give_key_to_another(place.plex.photos[key])
    place.plex.photos[key].tags.clear()
    place.plex.photos[key].by_client.clear()
    place.plex.user_add(key, written[0])
    place.ok("scan")
    assert place.json("verdicts") == []
    place.ok("undo", "--all", "--yes")
    assert place.tags()[key] == {written[0]}


def test_photos_that_exchange_their_keys_keep_their_own_tags(place: World) -> None:
    one, two = list(place.plex.photos)[1:3]
    place.ok("scan")
    before = place.tags()
    photos = place.plex.photos
    photos[one], photos[two] = photos[two], photos[one]
    photos[one].key, photos[two].key = one, two
    place.ok("scan")
    place.ok("write", "--verify")
    assert place.tags() == {**before, one: before[two], two: before[one]}
    assert place.json("verdicts") == []


def test_a_photo_that_moved_and_kept_its_key_keeps_what_is_known_of_it(place: World) -> None:
    key = list(place.plex.photos)[1]
    place.ok("scan")
    before, asked = place.tags(), place.asked()
    photo = place.plex.photos[key]
    photo.path, photo.part = "/data/Photos/Elsewhere/moved.jpg", photo.part + 900_000
    place.plex.parts[photo.part] = photo
    place.ok("scan")
    assert (place.tags(), place.asked()) == (before, asked)
    place.ok("undo", "--all", "--yes")
    assert place.tags()[key] == set()


def _another_picture() -> bytes:
    return next(itertools.islice(different_pictures(61), 60, None))


def _give_key_to_another(photo: Photo) -> None:
    photo.content = _another_picture()
    photo.size, photo.changed = len(_another_picture()), photo.changed + 1_000
    photo.name, photo.path = "another.jpg", "/data/Photos/another.jpg"

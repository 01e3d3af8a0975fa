"""Clips of a Plex photo section: listed and tagged where they are asked for, by edits of their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.terminal import Terminal
from tests.formats import video
from tests.pictures import jpeg_bytes
from tests.servers.imagga import Imagga
from tests.servers.plex import TOKEN, PlexServer
from tests.targets.plex_wall import PATIENT, PlexWall, hung, write
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import MissingDecoder, Unreachable
from tigertag.model import Item
from tigertag.plexserver import Pace
from tigertag.sources.plex import PlexSource, PlexSourceOptions

FILM, OTHER_FILM = video(1), video(2, container="mov")


def source_of(plex: PlexServer, videos: bool = True) -> PlexSource:
    settings = {"url": plex.url, "token": TOKEN, "videos": videos}
    return PlexSource(
        PlexSourceOptions.model_validate(settings), FakeMemory(), Pace(read=5, sleep=lambda seconds: None)
    )


def listed(plex: PlexServer, videos: bool = True) -> dict[str, Item]:
    source = source_of(plex, videos)
    try:
        return {item.path: item for item in source.items()}
    finally:
        source.close()


@pytest.fixture
def plex() -> Iterator[PlexServer]:
    with PlexServer() as server:
        server.add_section("Photos")
        yield server
        assert server.damage() == []


# Listing.


def test_clips_are_listed_with_the_photos_at_any_depth(plex: PlexServer) -> None:
    plex.add_photo("A/B", "a.jpg", b"x")
    plex.add_photo("A/B/C", "deep.mp4", b"x", clip=True)
    plex.add_photo("", "loose.mov", b"x", clip=True)
    assert sorted(listed(plex)) == ["A/B/C/deep.mp4", "A/B/a.jpg", "loose.mov"]


def test_listing_clips_costs_no_more_requests_than_counting_them(plex: PlexServer) -> None:
    for number in range(400):
        plex.add_photo("A", f"{number}.jpg", b"x")
        plex.add_photo("A", f"{number}.mp4", b"x", clip=True)
    assert len(listed(plex)) == 800
    assert sum(plex.counts().values()) == 4  # connect, sections, one page of photos, one of clips


@pytest.mark.parametrize("rule", ["flat_listing", "zoom_is_ignored"])
def test_where_a_server_does_not_list_flat_clips_are_found_in_albums(plex: PlexServer, rule: str) -> None:
    setattr(plex.rules, rule, rule == "zoom_is_ignored")
    plex.add_photo("A/B", "a.jpg", b"x")
    plex.add_photo("A/B/C", "deep.mp4", b"x", clip=True)
    plex.add_photo("", "loose.mp4", b"x", clip=True)
    source = source_of(plex)
    paths = [item.path for item in source.items()]
    assert sorted(paths) == ["A/B/C/deep.mp4", "A/B/a.jpg", "loose.mp4"]


def test_clips_that_plex_does_not_list_are_unknown_not_gone(plex: PlexServer) -> None:
    plex.add_photo("A", "a.jpg", b"x")
    plex.add_photo("A", "a.mp4", b"x", clip=True)
    plex.fault("listing", "status", after=1, times=1, status=400)
    with pytest.raises(Unreachable, match="unknown, not gone"):
        listed(plex)


def test_a_clip_too_long_to_be_read_is_counted_and_never_fetched(plex: PlexServer) -> None:
    plex.add_photo("A", "long.mp4", b"x", clip=True, size=(512 << 20) + 1)
    source = source_of(plex)
    assert (list(source.items()), dict(source.skipped)) == ([], {"clips over 512 MiB": 1})


def test_without_the_extra_no_clip_is_fetched(plex: PlexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    plex.add_photo("A", "a.mp4", FILM, clip=True)
    monkeypatch.setattr("tigertag.sources.plex.can_decode", lambda extra: False)
    source = source_of(plex)
    (item,) = source.items()
    with pytest.raises(MissingDecoder, match=r"needs tigertag\[video\]"), source.open(item):
        pass
    assert plex.counts()["download"] == 0


def test_check_counts_clips_and_says_what_they_wait_for(
    plex: PlexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plex.add_photo("A", "a.jpg", b"x")
    plex.add_photo("A", "a.mp4", b"x", clip=True)
    *_, counted = source_of(plex).check()
    assert (counted.text, counted.advice) == ('section "Photos" lists 1 photos and 1 clips', "")
    monkeypatch.setattr("tigertag.sources.plex.can_decode", lambda extra: False)
    *_, counted = source_of(plex).check()
    assert counted.advice == "Clips wait until tigertag[video] is installed."


# Tags.


def clips(wall: PlexWall, count: int, *tags: str, locked: bool = False) -> list[Item]:
    for number in range(count):
        wall.plex.add_photo("C", f"{number}.mp4", b"x", tags=tags, locked=locked, clip=True)
        wall.plex.add_photo("C", f"{number}.jpg", b"x", tags=tags, locked=locked)
    items = list(listed(wall.plex).values())
    wall.plex.forget_requests()
    return items


@pytest.fixture
def wall() -> Iterator[PlexWall]:
    with hung() as wall:
        yield wall
        assert wall.plex.damage() == []


def test_photos_and_clips_with_one_tag_cost_an_edit_each(wall: PlexWall) -> None:
    items = clips(wall, 30, "Holiday", locked=True)
    assert len(write(wall.target(pace=PATIENT), items, add=["dog"])) == 60
    assert all(wall.tags(item) == ["Holiday", "Dog"] for item in items)
    edits = [parse_qs(urlsplit(one.url).query) for one in wall.plex.requests if one.kind == "edit"]
    assert sorted(edit["type"][0] for edit in edits) == ["12", "13"]
    assert not any("tag.locked" in edit for edit in edits)


def test_tags_of_clips_are_read_together_with_those_of_photos(wall: PlexWall) -> None:
    items = clips(wall, 3, "Holiday", "a", "b", "c")
    shown = list(wall.target(pace=PATIENT).read(items))
    assert [one.tags for one in shown] == [("Holiday", "A", "B", "C")] * 6  # type: ignore[union-attr]
    assert wall.plex.counts()["read"] == 1


@pytest.mark.parametrize("adding", ["merge", "replace"])
@pytest.mark.parametrize("locks_itself", [False, True])
def test_a_clips_other_tags_and_its_lock_survive_whatever_the_server_does(
    adding: str, locks_itself: bool
) -> None:
    with hung() as wall:
        wall.plex.rules.adding = adding  # type: ignore[assignment]
        wall.plex.rules.locks_itself = locks_itself
        items = clips(wall, 3, "Holiday", "My dog")
        target = wall.target(pace=PATIENT)
        write(target, items, add=["beach"])
        write(target, items, add=["sea"], remove=["Beach"])
        assert all(set(wall.tags(item)) == {"Holiday", "My dog", "Sea"} for item in items)
        assert not any(wall.plex.photos[int(item.key)].locked for item in items)


# A run.


@pytest.fixture
def terminal(tmp_path: Path, plex: PlexServer) -> Terminal:
    plex.add_photo("Summer", "a.jpg", jpeg_bytes(2, size=(64, 48)), tags=["Holiday"])
    plex.add_photo("Summer", "film.mp4", FILM, clip=True, tags=["Holiday"], locked=True)
    plex.add_photo("Summer", "other.mov", OTHER_FILM, clip=True)
    plex.add_photo("Summer", "copy.mp4", FILM, clip=True)
    made = Terminal(tmp_path)
    made.settings |= {"PLEX_URL": plex.url, "PLEX_TOKEN": plex.token, "PLEX_VIDEOS": "true"}
    return made


def tags(plex: PlexServer, name: str) -> set[str]:
    return set(plex.tags(plex.key_of(f"Summer/{name}")))


def scan(terminal: Terminal) -> str:
    return terminal.ok("scan", "--executor", "threads")


def test_clips_get_tags_that_can_be_taken_back_and_stay_removed(terminal: Terminal, plex: PlexServer) -> None:
    scan(terminal)
    assert tags(plex, "film.mp4") == tags(plex, "copy.mp4") | {"Holiday"} >= {"Landscape", "Holiday"}
    plex.forget_requests()
    assert "Nothing to do" in scan(terminal)
    assert plex.counts()["edit"] == plex.counts()["download"] == 0

    plex.user_remove(plex.key_of("Summer/other.mov"), "Landscape")
    scan(terminal)
    terminal.settings |= {"ENGINE_METADATA_PREFIX": "t/"}
    scan(terminal)
    assert {"T/landscape"} <= tags(plex, "film.mp4") and "Landscape" not in tags(plex, "film.mp4")
    assert "T/landscape" not in tags(plex, "other.mov"), "what a person removed does not come back"

    terminal.ok("undo", "--all", "--yes")
    assert (tags(plex, "film.mp4"), tags(plex, "other.mov")) == ({"Holiday"}, set())


def test_clips_wait_for_the_extra_and_are_named_once(
    terminal: Terminal, plex: PlexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        for place in ("tigertag.sources.plex", "tigertag.pipeline.scan"):
            without.setattr(f"{place}.can_decode", lambda extra: extra != "video")
        said = " ".join(scan(terminal).split())
        assert "3 needs tigertag[video]: pip install 'tigertag[video]'" in said
        assert plex.counts()["download"] == 1
        scan(terminal)
        assert plex.counts()["download"] == 1
    scan(terminal)
    assert "Landscape" in tags(plex, "film.mp4")


def test_a_service_is_sent_one_picture_of_a_clip_however_often_it_lies_there(
    terminal: Terminal, plex: PlexServer
) -> None:
    with Imagga() as imagga:
        terminal.settings = {key: value for key, value in terminal.settings.items() if "METADATA" not in key}
        terminal.settings |= {
            f"ENGINE_IMAGGA_{key.upper()}": str(value) for key, value in imagga.options.items()
        }
        scan(terminal)
        scan(terminal)
        assert len(imagga.billed) == 3  # a photo, and two clips of which one lies there twice
        assert list(imagga.damage) == []
    assert tags(plex, "film.mp4") == tags(plex, "copy.mp4") | {"Holiday"} > {"Holiday"}


def test_clips_are_counted_where_nobody_asks_for_them(terminal: Terminal, plex: PlexServer) -> None:
    del terminal.settings["PLEX_VIDEOS"]
    assert "3 clips not looked at" in scan(terminal)
    assert tags(plex, "film.mp4") == {"Holiday"}

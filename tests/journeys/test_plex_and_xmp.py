"""Plex and sidecars over the same photos: an owner removes a tag here and adds one there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.journeys.world import different_pictures
from tests.pictures import jpeg_bytes
from tests.servers.plex import PlexServer
from tigertag.xmp.fields import Field, Fields, shown
from tigertag.xmp.packet import Packet

PHOTOS = 3


@dataclass
class Home(Terminal):
    """Photos on a disk that Plex lists, with a sidecar beside each."""

    plex: PlexServer = field(default_factory=PlexServer)
    keys: list[int] = field(default_factory=list)

    def in_plex(self, number: int) -> set[str]:
        return {tag.casefold() for tag in self.plex.tags(self.keys[number])}

    def packet(self, number: int) -> Packet:
        path = self.pictures / f"IMG_{number}.jpg.xmp"
        return Packet.parse(path.read_bytes()) if path.exists() else Packet.new()

    def beside(self, number: int) -> set[str]:
        return set(shown(self.packet(number).fields()))

    def removes_in_digikam(self, number: int, name: str) -> None:
        packet = self.packet(number)
        now = packet.fields()
        values = {each: tuple(value for value in now.of(each) if value != name) for each in Field}
        packet.apply(Fields({each: left for each, left in values.items() if left}, now.caption, now.provenance))
        (self.pictures / f"IMG_{number}.jpg.xmp").write_bytes(packet.to_bytes())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with PlexServer() as plex:
        made = Home(tmp_path, plex=plex)
        made.pictures.mkdir()
        section = plex.add_section("Photos")
        for number, content in enumerate(different_pictures(PHOTOS, size=64)):
            (made.pictures / f"IMG_{number}.jpg").write_bytes(content)
            made.keys.append(plex.add_photo("", f"IMG_{number}.jpg", content))
        made.settings |= {
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.token,
            "PLEX_PATH_MAP": f"{section.location}={made.pictures}",
            "TARGET_XMP_NAME": "xmp",
            "ENGINE_METADATA_WORDS": "orientation,camera,year",
        }
        yield made


def test_one_scan_keeps_both(home: Home) -> None:
    home.ok("scan")
    for number in range(PHOTOS):
        assert home.in_plex(number) == {tag.casefold() for tag in home.beside(number)} != set()
    home.plex.forget_requests()
    home.ok("scan")
    assert home.plex.counts()["edit"] == 0


def test_by_itself_what_is_removed_in_one_place_stays_in_the_other(home: Home) -> None:
    home.ok("scan")
    (tag,) = home.beside(0)
    home.removes_in_digikam(0, tag)
    for _ in range(2):
        home.ok("write", "--verify")
        assert (home.beside(0), home.in_plex(0)) == (set(), {tag})


def test_where_plex_follows_what_is_removed_in_a_sidecar_goes_from_plex_too(home: Home) -> None:
    home.settings["TARGET_PLEX_FOLLOW"] = "true"
    home.ok("scan")
    (tag,) = home.beside(0)
    home.removes_in_digikam(0, tag)
    home.plex.user_add(home.keys[0], "Grandma")
    told = home.ok("write", "--verify", "--dry-run")
    assert f"-{tag.capitalize()}" in told and f"({tag} was removed by you and stays away)" in told
    assert (home.beside(0), home.in_plex(0)) == (set(), {tag, "grandma"})
    home.ok("write", "--verify")
    assert home.in_plex(0) == {tag, "grandma"}  # Plex was written before the sidecar was looked at
    assert f"-{tag.capitalize()}" in home.ok("write", "--dry-run")
    for _ in range(2):
        home.ok("scan")
        assert (home.beside(0), home.in_plex(0)) == (set(), {"grandma"})
    assert home.in_plex(1) == home.beside(1) != set()
    assert home.plex.damage() == []


def test_where_sidecars_follow_what_is_removed_in_plex_goes_from_them_and_comes_back_with_it(
    home: Home,
) -> None:
    home.settings["TARGET_XMP_FOLLOW"] = "true"
    home.ok("scan")
    (tag,) = home.beside(0)
    home.plex.user_remove(home.keys[0], tag.capitalize())
    home.ok("write", "--verify")
    assert (home.beside(0), home.in_plex(0)) == (set(), set())
    home.plex.user_add(home.keys[0], tag)
    for _ in range(2):
        home.ok("write", "--verify")
        assert (home.beside(0), home.in_plex(0)) == ({tag}, {tag})


def test_keywords_inside_a_photo_are_carried_to_plex_only_where_asked_for_and_back(home: Home) -> None:
    content = jpeg_bytes(7, size=(64, 48), keywords=["Holiday", "Aunt Ada"])
    (home.pictures / "mine.jpg").write_bytes(content)
    key = home.plex.add_photo("", "mine.jpg", content)
    home.ok("scan")
    assert "Holiday" not in home.plex.tags(key)
    home.settings["PLEX_IMPORT_KEYWORDS"] = "true"
    home.ok("scan")
    assert {"Holiday", "Aunt Ada"} <= set(home.plex.tags(key))
    home.ok("undo", "--engine", "keywords", "--yes")
    assert not {"Holiday", "Aunt Ada"} & set(home.plex.tags(key))
    assert (home.pictures / "mine.jpg").read_bytes() == content

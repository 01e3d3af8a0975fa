from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.servers.plex import TOKEN, PlexServer
from tigertag.contract.source import Shelf, SourceContract, picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import ConfigError, Incomplete, PhotoError, TransientError, Unreachable
from tigertag.media.server_paths import Mapped, local_path, parse_path_map, relative
from tigertag.model import Item
from tigertag.plexserver import Pace
from tigertag.sources.plex import PlexSource, PlexSourceOptions

IMPATIENT = Pace(connect=2, read=0.3, sleep=lambda seconds: None)
PATIENT = Pace(sleep=lambda seconds: None)
"""For pages so long that they take their time."""


def source_of(plex: PlexServer, token: str = TOKEN, pace: Pace = IMPATIENT, **options: str) -> PlexSource:
    settings = {"url": plex.url, "token": token, **options}
    return PlexSource(PlexSourceOptions.model_validate(settings), FakeMemory(), pace)


def read(source: PlexSource, item: Item) -> bytes:
    with source.open(item) as file:
        return file.read()


@pytest.fixture
def plex() -> Iterator[PlexServer]:
    with PlexServer() as server:
        yield server


class PlexShelf:
    def __init__(self, plex: PlexServer) -> None:
        self.plex = plex
        self.built: list[PlexSource] = []
        self.plex.add_section("Photos")

    def add(self, path: str, content: bytes) -> None:
        album, _, name = path.rpartition("/")
        self.plex.add_photo(album, name, content)

    def replace(self, path: str, content: bytes) -> None:
        self.plex.replace(self.plex.key_of(path), content)

    def remove(self, path: str) -> None:
        self.plex.remove_photo(self.plex.key_of(path))

    def source(self) -> PlexSource:
        self.built.append(source_of(self.plex))
        return self.built[-1]


class TestPlexIsASource(SourceContract):
    @pytest.fixture
    def shelf(self, plex: PlexServer) -> Iterator[Shelf]:
        shelf = PlexShelf(plex)
        yield shelf
        for source in shelf.built:
            source.close()
        assert plex.damage() == []


def fill(plex: PlexServer, count: int) -> None:
    for number in range(count):
        plex.add_photo(f"Year {number % 7}/Month {number % 3}", f"{number:04}.jpg", b"x")


def paths(source: PlexSource) -> set[str]:
    return {item.path for item in source.items()}


# What a listing costs and shows.


def test_200_photos_cost_four_requests_to_list(plex: PlexServer) -> None:
    fill(plex, 200)
    source = source_of(plex)
    assert len(list(source.items())) == 200
    assert sum(plex.counts().values()) == 4  # connect, sections, one page, clips


def test_listing_asks_for_no_photo_singly(plex: PlexServer) -> None:
    fill(plex, 1200)
    items = list(source_of(plex, pace=PATIENT).items())
    assert len(items) == len({item.key for item in items}) == 1200
    assert plex.counts()["read"] == 0
    assert plex.counts()["listing"] == 4


def test_clips_are_counted_and_not_looked_at(plex: PlexServer) -> None:
    plex.add_photo("Summer", "a.jpg", b"x")
    plex.add_photo("Summer", "b.mp4", b"x", clip=True)
    source = source_of(plex)
    assert (paths(source), dict(source.skipped)) == ({"Summer/a.jpg"}, {"clips": 1})


def test_clips_that_cannot_be_counted_stop_no_walk(plex: PlexServer) -> None:
    plex.add_photo("Summer", "a.jpg", b"x")
    plex.fault("listing", "status", 99, after=1)
    assert paths(source_of(plex)) == {"Summer/a.jpg"}


def test_a_server_that_does_not_list_its_sections_is_waited_for_once(plex: PlexServer) -> None:
    plex.fault("connect", "status", 99, after=1)
    source = source_of(plex)
    for _ in range(2):
        assert source.label == f"Plex at {plex.url}"
        with pytest.raises(Unreachable, match="503"):
            list(source.items())
    assert plex.counts()["connect"] == 7  # the first answers


def test_a_server_that_is_away_is_waited_for_once(plex: PlexServer) -> None:
    plex.fault("connect", "status", 99)
    source = source_of(plex)
    for _ in range(2):
        with pytest.raises(Unreachable, match="503"):
            list(source.items())
    assert plex.counts()["connect"] == 6


def test_a_photo_without_a_file_is_named_and_the_walk_goes_on(
    plex: PlexServer, caplog: pytest.LogCaptureFixture
) -> None:
    plex.add_photo("", "lost.jpg", b"x", parts=0)
    plex.add_photo("", "twice.jpg", b"x", parts=2)
    source = source_of(plex)
    with caplog.at_level(logging.WARNING):
        assert paths(source) == {"twice.jpg"}
    assert source.skipped["photos without a file"] == source.skipped["second files"] == 1
    assert '"lost"' in caplog.text


def test_a_tag_edit_that_moves_updated_at_is_no_change(plex: PlexServer) -> None:
    plex.rules.moves_updated_at = True
    key = plex.add_photo("", "a.jpg", b"x")
    (before,) = source_of(plex).items()
    plex.edit(plex.section, [("id", str(key)), ("type", "13"), ("tag[0].tag.tag", "dog")])
    assert list(source_of(plex).items()) == [before]


@pytest.mark.parametrize("rule", [{"flat_listing": False}, {"zoom_is_ignored": True}], ids=["empty", "loose"])
def test_where_a_server_does_not_list_flat_the_albums_are_walked(
    plex: PlexServer, caplog: pytest.LogCaptureFixture, rule: dict[str, bool]
) -> None:
    plex.rules = replace(plex.rules, **rule)  # type: ignore[arg-type]
    plex.add_photo("", "loose.jpg", b"x")
    plex.add_photo("A/B/C", "deep.jpg", b"x")
    plex.add_photo("A/B/C", "deep.mp4", b"x", clip=True)
    found = [item.path for item in source_of(plex).items()]
    assert sorted(found) == ["A/B/C/deep.jpg", "loose.jpg"]
    assert "Photos" in caplog.text


def test_loose_photos_alone_are_no_reason_to_walk_albums(plex: PlexServer) -> None:
    plex.add_photo("", "loose.jpg", b"x")
    assert paths(source_of(plex)) == {"loose.jpg"}
    assert not any("/children" in request.url for request in plex.requests)


def test_an_empty_section_is_no_error(plex: PlexServer) -> None:
    plex.add_section("Photos")
    assert paths(source_of(plex)) == set()


# Sections.


def test_sections_are_found_by_title_and_key_and_walked_once(plex: PlexServer) -> None:
    for title in ("Photos", "Family", "Work"):
        plex.add_photo("", f"{title}.jpg", b"x", section=plex.add_section(title))
    source = source_of(plex, sections="family, 1, Photos")
    assert paths(source) == {"Photos.jpg", "Family.jpg"}
    assert source.scope == ("Family", "Photos")
    assert source.label == 'Plex "Family", "Photos" on nas'


def test_all_photo_sections_are_walked_where_none_is_named(plex: PlexServer) -> None:
    plex.add_section("Films", "movie")
    plex.add_photo("", "a.jpg", b"x", section=plex.add_section("Photos"))
    plex.add_photo("", "b.jpg", b"x", section=plex.add_section("Family"))
    source = source_of(plex)
    assert (paths(source), source.scope) == ({"a.jpg", "b.jpg"}, ())


def test_each_wrong_section_is_named_with_those_there_are(plex: PlexServer) -> None:
    plex.add_section("Films", "movie")
    plex.add_section("Photos")
    with pytest.raises(ConfigError) as error:
        list(source_of(plex, sections="Fotos,Films").items())
    wrong, films = error.value.faults
    assert wrong == 'Plex has no section "Fotos" (did you mean "Photos"?). Photo sections: "Photos" (key 2).'
    assert (
        films == 'Plex section "Films" holds no photos (its type is movie). Photo sections: "Photos" (key 2).'
    )


# A library that changes during the walk.


def test_a_deletion_during_the_walk_hides_no_photo(plex: PlexServer) -> None:
    fill(plex, 1100)
    plex.before("listing", lambda: plex.remove_photo(plex.key_of("Year 0/Month 0/0000.jpg")), after=1)
    assert len(paths(source_of(plex, pace=PATIENT)) - {"Year 0/Month 0/0000.jpg"}) == 1099


def test_a_deletion_that_an_addition_makes_up_for_hides_no_photo(plex: PlexServer) -> None:
    fill(plex, 600)

    def swap() -> None:
        plex.remove_photo(plex.key_of("Year 0/Month 0/0000.jpg"))
        plex.add_photo("", "new.jpg", b"x")

    plex.before("listing", swap, after=1)
    assert len(paths(source_of(plex, pace=PATIENT)) - {"Year 0/Month 0/0000.jpg"}) == 600


def test_a_photo_that_comes_during_the_walk_is_listed(plex: PlexServer) -> None:
    fill(plex, 600)
    plex.before("listing", lambda: plex.add_photo("", "new.jpg", b"x"), after=1)
    assert "new.jpg" in paths(source_of(plex, pace=PATIENT))


def test_a_listing_that_never_adds_up_is_incomplete_after_all_was_shown(plex: PlexServer) -> None:
    fill(plex, 1100)
    for after, number in ((1, 0), (4, 21)):
        key = plex.key_of(f"Year 0/Month 0/{number:04}.jpg")
        plex.before("listing", partial(plex.remove_photo, key), after=after)
    seen = set()
    with pytest.raises(Incomplete, match=r"unknown, not gone"):
        for item in source_of(plex, pace=PATIENT).items():
            seen.add(item.path)
    assert len(seen) >= 1098


@pytest.mark.parametrize("status", [400, 404])
def test_a_listing_that_is_refused_on_the_way_shows_nothing_as_gone(plex: PlexServer, status: int) -> None:
    fill(plex, 1100)
    plex.fault("listing", "status", 99, after=1, status=status)
    with pytest.raises(Unreachable, match=rf"\({status}.*unknown, not gone"):
        list(source_of(plex, pace=PATIENT).items())


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_refuses_every_list_is_no_empty_one(plex: PlexServer, status: int) -> None:
    fill(plex, 3)
    plex.fault("listing", "status", 99, status=status)
    with pytest.raises(Unreachable, match="unknown, not gone"):
        list(source_of(plex).items())


def test_a_listing_that_breaks_off_says_so(plex: PlexServer) -> None:
    fill(plex, 1100)
    plex.fault("listing", "status", 99, after=1)
    seen: list[Item] = []
    with pytest.raises(Unreachable, match="503"):
        seen.extend(source_of(plex, pace=PATIENT).items())
    assert len(seen) == 500


# The bytes.


@pytest.mark.parametrize("how", ["reset", "cut", "short", "status"])
def test_a_download_that_fails_at_first_is_begun_again(plex: PlexServer, how: str) -> None:
    plex.add_photo("", "a.jpg", picture(1))
    plex.fault("download", how, 3)  # type: ignore[arg-type]
    source = source_of(plex)
    (item,) = source.items()
    assert read(source, item) == picture(1)
    assert plex.counts()["download"] == 4


@pytest.mark.parametrize("how", ["reset", "cut", "short", "hang"])
def test_a_photo_that_never_comes_whole_is_not_given_out(plex: PlexServer, how: str) -> None:
    plex.add_photo("", "a.jpg", picture(1))
    plex.fault("download", how, 99)  # type: ignore[arg-type]
    source = source_of(plex)
    (item,) = source.items()
    with pytest.raises(TransientError, match=r"a\.jpg"):
        read(source, item)


def test_a_large_original_arrives_whole(plex: PlexServer) -> None:
    content = bytes(range(256)) * 80_000
    plex.add_photo("", "a.jpg", lambda: content, size=len(content))
    source = source_of(plex)
    (item,) = source.items()
    assert read(source, item) == content


def test_forbidden_downloads_are_said_to_be_forbidden(plex: PlexServer) -> None:
    plex.add_photo("", "a.jpg", b"x")
    plex.fault("download", "status", 99, status=403)
    source = source_of(plex)
    (item,) = source.items()
    for _ in range(2):
        with pytest.raises(TransientError, match="forbids downloads"):
            read(source, item)
    with pytest.raises(Unreachable, match="forbids downloads"):
        read(source, item)


def test_a_photo_that_was_replaced_since_the_listing_is_not_taken_for_the_old_one(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", picture(1))
    source = source_of(plex)
    (item,) = source.items()
    plex.replace(key, picture(2))
    with pytest.raises(PhotoError, match=r"a\.jpg"):
        read(source, item)


def test_a_file_that_lies_here_is_not_downloaded(plex: PlexServer, tmp_path: Path) -> None:
    plex.add_photo("Summer", "a.jpg", picture(1))
    (tmp_path / "Summer").mkdir()
    (tmp_path / "Summer/a.jpg").write_bytes(picture(1))
    source = source_of(plex, path_map=f"/data/Photos={tmp_path}")
    (item,) = source.items()
    assert (read(source, item), plex.counts()["download"]) == (picture(1), 0)


@pytest.mark.parametrize("there", ["missing", "other size", "folder", "link to outside"])
def test_what_lies_here_and_is_not_the_photo_is_not_taken(plex: PlexServer, tmp_path: Path, there: str) -> None:
    plex.add_photo("", "a.jpg", picture(1))
    outside, root = tmp_path / "outside.jpg", tmp_path / "root"
    root.mkdir()
    outside.write_bytes(b"-" * len(picture(1)))
    if there == "other size":
        (root / "a.jpg").write_bytes(b"short")
    elif there == "folder":
        (root / "a.jpg").mkdir()
    elif there == "link to outside":
        (root / "a.jpg").symlink_to(outside)
    source = source_of(plex, path_map=f"/data/Photos={root}")
    (item,) = source.items()
    assert (read(source, item), plex.counts()["download"]) == (picture(1), 1)


# Words.


def test_check_names_server_version_sections_and_counts(plex: PlexServer) -> None:
    fill(plex, 12)
    texts = [finding.text for finding in source_of(plex).check()]
    assert '"nas" 1.43.4' in texts[0]
    assert texts[1] == 'section "Photos" lists 12 photos'


def test_check_says_what_is_wrong_and_never_the_token(plex: PlexServer) -> None:
    plex.add_section("Photos")
    (finding,) = source_of(plex, token="wrong-token").check()
    assert not finding.ok
    assert "Plex rejected the token" in finding.text
    assert "wrong-token" not in finding.text + finding.advice


@pytest.mark.parametrize(
    ("file", "here"),
    [
        ("/data/Photos/a/b.jpg", "/mnt/p/a/b.jpg"),
        ("/data/x.jpg", "/mnt/d/x.jpg"),
        ("/database/x.jpg", None),
        ("c:\\bilder\\Été\\a.jpg", "/mnt/c/Été/a.jpg"),
        ("/data/../etc/passwd", None),
    ],
)
def test_the_longest_prefix_of_a_path_map_wins(file: str, here: str | None) -> None:
    path_map = parse_path_map("/data=/mnt/d, /data/Photos/=/mnt/p\nC:\\Bilder=/mnt/c")
    assert local_path(file, path_map) == (Path(here) if here else None)


def test_a_path_map_that_is_none_is_refused() -> None:
    assert parse_path_map(" ") == ()
    assert parse_path_map("/a=/b") == (Mapped("/a", "/b"),)
    with pytest.raises(ValueError, match="'/a:/b'"):
        parse_path_map("/a=/b,/a:/b")


def test_albums_are_told_from_the_folders_of_a_section() -> None:
    assert relative("/data/Photos/Summer/Sea/a.jpg", ["/data", "/data/Photos"]) == "Summer/Sea/a.jpg"
    assert relative("D:\\Photos\\Summer\\a.jpg", ["d:\\photos\\"]) == "Summer/a.jpg"
    assert relative("/elsewhere/a.jpg", ["/data"]) is None

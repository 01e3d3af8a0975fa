"""The stand-in, driven by plexapi and requests: it answers as the real one is recorded to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer as Client

from tests.servers.plex import TOKEN, PlexServer
from tigertag.contract.source import picture


@pytest.fixture
def plex() -> Iterator[PlexServer]:
    with PlexServer() as server:
        yield server


def client(plex: PlexServer, token: str = TOKEN) -> Any:
    return Client(plex.url, token)  # type: ignore[no-untyped-call]


def photos_of(plex: PlexServer) -> Any:
    return client(plex).library.section("Photos")


def get(plex: PlexServer, path: str, **headers: str) -> requests.Response:
    return requests.get(plex.url + path, headers={"X-Plex-Token": TOKEN, **headers}, timeout=5)


def put(plex: PlexServer, query: str) -> int:
    address = f"{plex.url}/library/sections/1/all?{query}"
    return requests.put(address, headers={"X-Plex-Token": TOKEN}, timeout=5).status_code


FLAT = "/library/sections/1/all?type=13&clusterZoomLevel=1"


def test_a_wrong_token_is_refused_and_identity_needs_none(plex: PlexServer) -> None:
    with pytest.raises(Unauthorized):
        client(plex, "wrong")
    assert "m4chine" in requests.get(f"{plex.url}/identity", timeout=5).text


def test_only_the_flat_listing_shows_nested_photos(plex: PlexServer) -> None:
    plex.add_photo("", "loose.jpg", b"x")
    plex.add_photo("A/B", "deep.jpg", b"x")
    section = photos_of(plex)
    assert [photo.title for photo in section.searchPhotos()] == ["loose"]
    assert [album.title for album in section.all()] == ["A"]
    flat = section.fetchItems(FLAT)
    assert {photo.title for photo in flat} == {"loose", "deep"}


def test_a_filter_flattens_too(plex: PlexServer) -> None:
    plex.add_photo("A/B", "deep.jpg", b"x")
    filtered = photos_of(plex).fetchItems("/library/sections/1/all?type=13&addedAt>>=86400")
    assert [photo.title for photo in filtered] == ["deep"]


def test_albums_nest_and_hold_photos_and_clips(plex: PlexServer) -> None:
    plex.add_photo("A/B", "deep.jpg", b"x")
    plex.add_photo("A", "film.mp4", b"x", clip=True)
    (album,) = photos_of(plex).all()
    assert [inner.title for inner in album.albums()] == ["B"]
    assert [clip.title for clip in album.clips()] == ["film"]
    assert photos_of(plex).totalViewSize("photo") == 2


def test_a_page_without_a_size_or_over_1000_is_refused(plex: PlexServer) -> None:
    plex.add_photo("", "a.jpg", b"x")
    assert get(plex, FLAT).status_code == 400
    assert get(plex, FLAT, **{"X-Plex-Container-Size": "1001"}).status_code == 400
    page = get(plex, FLAT, **{"X-Plex-Container-Size": "1000"})
    assert (page.status_code, page.headers["X-Plex-Container-Total-Size"]) == (200, "1")


def test_a_listing_cuts_tags_short_and_a_multi_get_does_not(plex: PlexServer) -> None:
    keys = [plex.add_photo("", f"{n}.jpg", b"x", tags=["a", "b", "c"]) for n in range(2)]
    server = client(plex)
    listed = server.fetchItems(FLAT)
    assert all(len(photo._data.findall("Tag")) == 2 for photo in listed)
    fetched = server.fetchItems(keys)
    assert [[tag.tag for tag in photo.tags] for photo in fetched] == [["A", "B", "C"]] * 2


def test_a_multi_get_leaves_out_stale_keys(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"x")
    assert [photo.ratingKey for photo in client(plex).fetchItems([key, 4711])] == [key]
    with pytest.raises(NotFound):
        client(plex).fetchItem(4711)


def test_plexapi_adds_and_removes_tags_of_any_name(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"x", tags=["a"], locked=True)
    photo = client(plex).fetchItem(key)
    photo.addTag(["tti_x", "c, d & 50%", "🐕"], locked=True)
    assert plex.tags(key) == ["A", "Tti_x", "C, d & 50%", "🐕"]
    photo.reload().removeTag(["C, d & 50%"], locked=True)
    assert plex.tags(key) == ["A", "Tti_x", "🐕"]
    assert plex.photos[key].locked


def test_one_row_is_shared_and_the_first_spelling_wins(plex: PlexServer) -> None:
    one, two = plex.add_photo("", "a.jpg", b"x", tags=["nASA"]), plex.add_photo("", "b.jpg", b"x")
    client(plex).fetchItem(two).addTag(["Nasa"], locked=False)
    assert plex.tags(one) == plex.tags(two) == ["NASA"]


def test_locks_show_in_the_details(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"x", locked=True)
    photo = client(plex).fetchItem(key)
    assert [(field.name, field.locked) for field in photo.fields] == [("tag", True)]


def test_a_batch_edit_reaches_each_of_its_photos(plex: PlexServer) -> None:
    keys = [plex.add_photo("", f"{n}.jpg", b"x", tags=["holiday"]) for n in range(5)]
    section = photos_of(plex)
    section.multiEdit(client(plex).fetchItems(keys), **{"tag[0].tag.tag": "dog"})
    assert all(plex.tags(key) == ["Holiday", "Dog"] for key in keys)
    assert plex.damage() == []


def test_a_replacing_server_loses_what_is_not_sent_and_says_so(plex: PlexServer) -> None:
    plex.rules.adding = "replace"
    key = plex.add_photo("", "a.jpg", b"x", tags=["holiday"])
    assert put(plex, f"id={key}&type=13&tag%5B0%5D.tag.tag=dog") == 200
    assert (plex.tags(key), plex.damage()) == (["Dog"], ["user tag Holiday of a.jpg removed"])


@pytest.mark.parametrize(
    ("query", "damage"),
    [
        ("type=13&tag%5B0%5D.tag.tag=dog", "whole-section edit"),
        ("id={key}&type=13&tag%5B%5D.tag.tag-=holiday", "user tag Holiday of a.jpg removed"),
        ("id={key}&type=13&tag%5B0%5D.tag.tag=Holiday", "edit that changed nothing on a.jpg"),
        ("id={key}&type=13&tag%5B0%5D.tag.tag=x&tag.locked=0", "lock of a.jpg set to 0 against the user"),
        ("id={key}&type=13&tag%5B0%5D.tag.tag=x&tag%5B%5D.tag.tag-=x", "x added and removed in one edit"),
    ],
)
def test_harm_is_reported(plex: PlexServer, query: str, damage: str) -> None:
    key = plex.add_photo("", "a.jpg", b"x", tags=["holiday"], locked=True)
    assert put(plex, query.format(key=key)) == 200
    assert damage in plex.damage()[0]


@pytest.mark.parametrize("query", ["id={key}&tag%5B0%5D.tag.tag=x", "id={key}&type=13&tag%5B1%5D.tag.tag=x"])
def test_an_edit_without_type_or_with_a_hole_in_its_list_is_refused(plex: PlexServer, query: str) -> None:
    key = plex.add_photo("", "a.jpg", b"x")
    assert put(plex, query.format(key=key)) == 400
    assert plex.tags(key) == []


def test_long_urls_and_stale_keys_are_refused(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"x")
    assert put(plex, f"id={key}&type=13&tag%5B0%5D.tag.tag={'x' * 9000}") == 414
    assert put(plex, f"id={key},4711&type=13&tag%5B0%5D.tag.tag=x") == 404
    with pytest.raises(BadRequest):
        client(plex).query("/library/sections/1/all?type=13&sort=nonsense&X-Plex-Container-Size=1")


def test_originals_come_whole_or_in_ranges_and_move_with_their_stamp(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"0123456789")
    (photo,) = client(plex).fetchItems([key])
    part = photo.media[0].parts[0].key
    assert get(plex, f"{part}?download=1").content == b"0123456789"
    ranged = get(plex, part, Range="bytes=2-5")
    assert (ranged.status_code, ranged.content) == (206, b"2345")
    assert ranged.headers["Content-Range"] == "bytes 2-5/10"
    plex.replace(key, b"new")
    assert get(plex, part).status_code == 404


def test_the_transcoder_makes_a_small_jpeg(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", picture(1, size=(400, 300)))
    photo = client(plex).fetchItem(key)
    address = client(plex).transcodeImage(photo.thumb, 100, 100, minSize=False, upscale=False)
    answer = requests.get(address, timeout=5)
    assert Image.open(io.BytesIO(answer.content)).size == (100, 75)


def test_requests_are_counted_by_kind_and_faults_come_when_asked(plex: PlexServer) -> None:
    plex.add_photo("", "a.jpg", b"x")
    plex.fault("listing", "status", after=1)
    assert [get(plex, FLAT, **{"X-Plex-Container-Size": "9"}).status_code for _ in range(3)] == [200, 503, 200]
    assert plex.counts() == {"listing": 3}


def test_a_copy_from_before_has_none_of_the_clients_tags(plex: PlexServer) -> None:
    key = plex.add_photo("", "a.jpg", b"x", tags=["holiday"])
    put(plex, f"id={key}&type=13&tag%5B0%5D.tag.tag=dog")
    assert plex.user_tags(key) == ["Holiday"]
    plex.wipe_client_tags()
    assert plex.tags(key) == ["Holiday"]

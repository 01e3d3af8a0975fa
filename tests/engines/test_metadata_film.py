"""What a video and a file of several pages say of themselves."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from datetime import datetime

import pytest
from PIL import Image, TiffImagePlugin

from tests.formats import cr2, dng, encoded, film, pages
from tests.pictures import draw
from tigertag import blocks
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.engines.metadata import MetadataEngine, MetadataOptions
from tigertag.engines.metadata_words import GROUPS
from tigertag.media import open_photo
from tigertag.model import JSON, Analysis, Kind

SCENE = draw(1, (160, 120))


def answer(content: bytes, *words: str) -> Analysis:
    options = MetadataOptions.model_validate({"words": words} if words else {})
    engine = MetadataEngine(options, FakeMemory(), lambda: datetime(2024, 6, 1, 12))
    with open_photo(io.BytesIO(content), "a") as photo:
        (found,) = engine.analyze([photo], FakePermit())
    assert isinstance(found, Analysis)
    return found


def tags(content: bytes, *words: str) -> list[str]:
    return [one.name for one in answer(content, *words).annotations if one.kind is Kind.TAG]


def measures(content: bytes) -> Mapping[str, JSON]:
    return {one.name: one.value for one in answer(content).annotations if one.kind is Kind.MEASURE}


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "mpeg4"), ("mov", "mpeg4"), ("matroska", "mpeg4"), ("webm", "vp8"), ("mpegts", "mpeg2video")],
)
def test_duration_codec_and_size_of_a_video_are_measures(container: str, codec: str) -> None:
    found = measures(film([SCENE], each=36, container=container, turned=90 if container == "mp4" else 0))
    assert found["duration"] == pytest.approx(1.5, abs=0.05)
    assert (found["codec"], round(float(str(found["frames per second"])))) == (codec, 24)
    upright = (120, 160) if container == "mp4" else (160, 120)
    assert (found["frame width"], found["frame height"]) == upright


def test_a_video_is_tagged_as_one_unless_nobody_wants_that() -> None:
    content = film([SCENE], each=2)
    assert tags(content) == ["landscape", "video"]
    assert tags(content, "orientation") == ["landscape"]
    assert tags(encoded("PNG", 1), "video") == []


APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 12",
    "com.apple.quicktime.creationdate": "2021-06-05T22:03:02+0200",
    "com.apple.quicktime.location.ISO6709": "+46.0511+014.5051+295.000/",
    "creation_time": "2021-06-05T20:03:02.000000Z",
}


def test_a_phones_video_has_camera_date_and_place() -> None:
    content = film([SCENE], each=2, container="mov", said=APPLE)
    assert {"Apple iPhone 12", "2021", "June", "summer", "video"} <= set(tags(content, *GROUPS))
    assert measures(content)["latitude"] == pytest.approx(46.0511)
    assert measures(content)["longitude"] == pytest.approx(14.5051)
    assert "evening" in tags(content, "daypart") or "night" in tags(content, "daypart")


def test_where_only_the_hour_at_greenwich_is_known_there_is_a_day_and_no_part_of_it() -> None:
    content = film([SCENE], each=2, said={"creation_time": "2021-06-05T20:03:02.000000Z"})
    assert tags(content, "year", "month", "daypart") == ["2021", "June"]


def test_the_day_that_clocks_of_films_start_on_is_no_date() -> None:
    assert tags(film([SCENE], each=2, said={"creation_time": "1904-01-01T00:00:00.000000Z"}), "year") == []


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ("+46.0511+014.5051+295.000/", (46.0511, 14.5051)),
        ("-3330.5-07045.25/", (-33.508333, -70.754167)),
        ("+462330+0143000CRSWGS_84/", (46.391667, 14.5)),
        ("+46.05.11+014.5/", None),
        ("+95.0+014.5/", None),
        ("+00.0000+000.0000/", None),
        ("nowhere", None),
    ],
)
def test_places_as_films_write_them(written: str, where: tuple[float, float] | None) -> None:
    content = film([SCENE], each=2, container="matroska", said={"location": written})
    found = blocks.coordinates(blocks.read(io.BytesIO(content), "a"))
    assert found == (pytest.approx(where, abs=1e-5) if where else None)


@pytest.mark.parametrize("number", [2, 3, 12])
def test_pages_of_a_tiff_are_counted(number: int) -> None:
    assert measures(pages(number, (32, 24)))["pages"] == number


def test_one_page_is_nothing_to_speak_of() -> None:
    for content in (pages(1), encoded("GIF", 1), encoded("JPEG", 1), dng(1, preview=(800, 600)), cr2(1)):
        assert "pages" not in measures(content)


def saved(number: int, **how: object) -> bytes:
    file = io.BytesIO()
    first, *others = (draw(seed, (32, 24)) for seed in range(number))
    first.save(file, "TIFF", save_all=True, append_images=others, **how)
    return file.getvalue()


def test_large_files_have_pages_too() -> None:
    assert measures(saved(3, big_tiff=True))["pages"] == 3


def test_a_smaller_copy_of_a_picture_is_no_page() -> None:
    file = io.BytesIO()
    smaller = draw(1, (16, 12))
    smaller.encoderinfo = {"tiffinfo": {254: 1}}
    draw(1, (32, 24)).save(file, "TIFF", save_all=True, append_images=[smaller])
    with Image.open(io.BytesIO(file.getvalue())) as both:
        both.seek(1)
        assert isinstance(both, TiffImagePlugin.TiffImageFile) and both.tag_v2[254] == 1
    assert "pages" not in measures(file.getvalue())


def test_pages_that_lead_back_to_the_first_end() -> None:
    content = bytearray(pages(2, (32, 24)))
    start = struct.unpack_from("<I", content, 4)[0]
    second_link = start + 2 + 12 * struct.unpack_from("<H", content, start)[0]
    second = struct.unpack_from("<I", content, second_link)[0]
    at = second + 2 + 12 * struct.unpack_from("<H", content, second)[0]
    struct.pack_into("<I", content, at, start)
    assert measures(bytes(content))["pages"] == 2

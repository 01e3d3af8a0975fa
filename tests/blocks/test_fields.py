"""What the fields of metadata hold."""

from __future__ import annotations

import io
from datetime import timedelta
from math import inf, nan

import pytest
from PIL.TiffImagePlugin import IFDRational

from tests.engines.metadata_files import block, photo
from tests.pictures import draw, segment, with_segments, xmp
from tigertag import blocks
from tigertag.blocks.fields import degrees, number, offset, position, text, within

XMP_PLACE = (
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51.504N" exif:GPSLongitude="2,17.67E"'
)
EXIF_PLACE = {1: "N", 2: (46.0, 3.0, 0.0), 3: "W", 4: (14.0, 30.0, 36.0)}


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("+02:00", 2),
        ("-0330", -3.5),
        ("2024-06-20T12:00:00+05:45", 5.75),
        ("2024-06-20T12:00:00Z", 0),
        ("Z", 0),
        ("140829+0200", 2),
        ("+02:00\0", 2),
        ("2024-06-20", None),  # the day is no zone
        ("2024:06:20 12:00:00", None),
        ("+25:00", None),
        ("+02:75", None),
        ("   :  ", None),
        ("", None),
    ],
)
def test_how_far_a_clock_is_ahead(written: str, hours: float | None) -> None:
    assert offset(written) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("value", "side", "found"),
    [
        ((46.0, 3.0, 0.0), "N", 46.05),
        ((46.0, 3.0, 36.0), "S", -46.06),
        ((46.5,), "W", -46.5),
        (46.5, "E", 46.5),
        ((46.0, nan, nan), "N", 46.0),
        ((46.0, 59.0, 60.0), "N", 47.0),  # rounded up
        ((46.0, 61.0, 0.0), "N", None),
        ((46.0, 3.0, -1.0), "N", None),
        ((46.0, 3.0, 0.0), "", None),
        ((46.0, 3.0, 0.0), "X", None),
        ((), "N", None),
        (None, "N", None),
        ("46", "n", 46.0),
    ],
)
def test_degrees_minutes_and_seconds(value: object, side: str, found: float | None) -> None:
    assert degrees(value, side) == (None if found is None else pytest.approx(found))


@pytest.mark.parametrize("at", [(0.0, 0.0), (90.1, 0.0), (-1.0, -180.1), (None, 3.0), (3.0, None)])
def test_what_is_no_position(at: tuple[float | None, float | None]) -> None:
    assert position(*at) is None


@pytest.mark.parametrize("at", [(0.0, 9.4), (51.48, 0.0), (-90.0, 180.0)])
def test_a_position_on_the_equator_or_the_meridian_is_one(at: tuple[float, float]) -> None:
    assert position(*at) == at


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (IFDRational(1, 4), 0.25),
        ((IFDRational(1, 4),), 0.25),
        (IFDRational(0xFFFFFFFF, 1), 0xFFFFFFFF),
        (IFDRational(0xFFFFFFFF, 0xFFFFFFFF), None),  # never written to
        (IFDRational(0, 0), None),
        (inf, None),
        ("f/8", None),
        ((1.0, 2.0), None),
    ],
)
def test_numbers(value: object, found: float | None) -> None:
    assert number(value) == found


def test_a_number_is_kept_where_it_makes_sense() -> None:
    assert [within(value, 1, 3) for value in (0.9, 1, 3, 3.1, None)] == [None, 1, 3, None, None]


def test_a_text_ends_at_its_first_zero_and_has_no_needless_blanks() -> None:
    assert [text(value) for value in (b"NIKON  D750\0junk", " a\tb ", b"\xff", 7, None)] == [
        *("NIKON D750", "a b", "\ufffd"),
        *("", ""),
    ]


def read(content: bytes) -> tuple[float, float] | None:
    return blocks.coordinates(blocks.read(io.BytesIO(content), "a.jpg"))


def test_a_position_is_read_from_exif_then_from_xmp() -> None:
    packet = xmp(more=XMP_PLACE)
    assert read(photo(block(place=EXIF_PLACE), xmp=packet)) == pytest.approx((46.05, -14.51))
    assert read(photo(xmp=packet)) == pytest.approx((48.8584, 2.2945))
    assert read(photo(block(place={1: "N", 2: (46.0, 3.0, 0.0)}), xmp=packet)) == pytest.approx(
        (48.8584, 2.2945)
    )
    assert read(photo()) is None


def test_blocks_that_are_broken_raise_no_error_and_give_no_position_off_the_earth() -> None:
    whole = block(place=EXIF_PLACE)
    file = io.BytesIO()
    draw(1, (64, 48)).save(file, "JPEG")
    for cut in range(0, len(whole), 5):
        spoiled = whole[:cut] + b"\xff" * (len(whole) - cut)
        found = read(with_segments(file.getvalue(), segment(0xE1, spoiled)))
        assert found is None or position(*found) == found
    assert read(with_segments(file.getvalue(), segment(0xE1, whole[: len(whole) // 2]))) is None

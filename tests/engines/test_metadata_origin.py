"""Words for where a file comes from."""

from __future__ import annotations

import struct

import pytest

from tests.engines.metadata_files import block, measures, photo, tags
from tests.pictures import xmp
from tigertag.engines.metadata_origin import program

MAKE, MODEL, SOFTWARE, RATING, RATING_PERCENT = 0x010F, 0x0110, 0x0131, 0x4746, 0x4749
SHUTTER, MAKER_NOTE, COMMENT, FILE_SOURCE = 0x829A, 0x927C, 0x9286, 0xA300
PHONE = (1170, 2532)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Adobe Photoshop Lightroom Classic 9.2 (Windows)", "Lightroom"),
        ("Adobe Photoshop CC 2018 (Macintosh)", "Photoshop"),
        ("Adobe Photoshop Elements 15.0", "Photoshop Elements"),
        ("GIMP 2.10.8", "GIMP"),
        ("Picasa", "Picasa"),
        ("darktable 4.2.1", "darktable"),
        ("Snapseed 2.0", "Snapseed"),
        ("Photos 3.0", "Apple Photos"),
        ("Microsoft Windows Photo Gallery 6.0", "Windows Photos"),
        ("Ver.1.00 ", ""),
        ("G955USQU5CRIA", ""),
        ("ILCE-7M2 v4.00", ""),
        ("12.1.2", ""),
        ("HDR+ 1.0.220943774z", ""),
        ("", ""),
    ],
)
def test_programs_have_a_name_and_firmware_has_none(written: str, name: str) -> None:
    assert program(written) == name


def test_a_program_is_named_and_its_picture_edited() -> None:
    exported = photo(block(exif={MAKE: "SONY", SOFTWARE: "Adobe Photoshop Lightroom 6.1 (Macintosh)"}))
    assert tags(exported, "software", "edited") == ["Lightroom", "edited"]
    by_xmp = photo(xmp=xmp(more='xmp:CreatorTool="Adobe Photoshop Camera Raw 9.1"'))
    assert tags(by_xmp, "software", "edited") == ["Camera Raw", "edited"]
    assert tags(photo(block(exif={MAKE: "SONY", SOFTWARE: "v1.20"})), "software", "edited") == []


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_screenshot_says_so(form: str) -> None:
    said = block({COMMENT: b"ASCII\0\0\0Screenshot"})
    assert tags(photo(said, form=form), "screenshot") == ["screenshot"]
    by_xmp = xmp(more='xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:UserComment="Screenshot"')
    assert tags(photo(form=form, xmp=by_xmp), "screenshot") == ["screenshot"]


def test_a_png_with_the_size_of_a_screen_is_a_screenshot_unless_a_camera_made_it() -> None:
    assert tags(photo(form="PNG", size=PHONE), "screenshot") == ["screenshot"]
    assert tags(photo(form="PNG", size=PHONE[::-1]), "screenshot") == ["screenshot"]
    assert tags(photo(form="PNG", size=(1170, 2531)), "screenshot") == []
    assert tags(photo(form="JPEG", size=PHONE), "screenshot") == []
    assert tags(photo(block(exif={MODEL: "X100"}), form="PNG", size=PHONE), "screenshot") == []
    assert tags(photo(block({SHUTTER: 0.01}), form="PNG", size=PHONE), "screenshot") == []


@pytest.mark.parametrize(
    ("exif", "details"),
    [
        ({}, {FILE_SOURCE: b"\x01"}),
        ({}, {FILE_SOURCE: b"\x02"}),
        ({MAKE: "EPSON", MODEL: "Perfection V600"}, {}),
        ({MAKE: "Canon", MODEL: "CanoScan 9000F"}, {}),
        ({MAKE: "Nikon", MODEL: "Nikon SUPER COOLSCAN 5000 ED"}, {}),
        ({SOFTWARE: "VueScan 9 x64 (9.5.24)"}, {}),
        ({SOFTWARE: "Google PhotoScan"}, {}),
    ],
)
def test_a_scan_is_known_by_its_scanner(exif: dict[int, object], details: dict[int, object]) -> None:
    assert tags(photo(block(details, exif=exif)), "scan") == ["scan"]


@pytest.mark.parametrize("exif", [{MAKE: "EPSON", MODEL: "R-D1"}, {MODEL: "Scania"}, {SOFTWARE: "Landscape 2"}])
def test_what_only_sounds_like_a_scanner_is_none(exif: dict[int, object]) -> None:
    assert tags(photo(block({FILE_SOURCE: b"\x03"}, exif=exif)), "scan") == []


def apple_note(*tags: int) -> bytes:
    entries = b"".join(struct.pack(">HHI4s", tag, 2, 37, b"\0\0\0\x50") for tag in tags)
    return b"Apple iOS\0\0\x01MM" + struct.pack(">H", len(tags)) + entries + bytes(64)


def test_a_live_photo_is_tied_to_its_film() -> None:
    assert tags(photo(block({MAKER_NOTE: apple_note(1, 3, 0x11)})), "live") == ["live photo"]
    assert tags(photo(block({MAKER_NOTE: apple_note(1, 3)})), "live") == []


@pytest.mark.parametrize(
    "note", [b"", b"Apple iOS\0", b"Apple iOS\0\0\x01MM\xff\xff", b"Nikon\0\x02\x11", bytes(400)]
)
def test_a_maker_note_that_is_cut_or_anothers_says_nothing(note: bytes) -> None:
    assert tags(photo(block({MAKER_NOTE: note})), "live") == []


@pytest.mark.parametrize(
    ("property_", "words"),
    [
        ('GCamera:MotionPhoto="1"', ["motion photo"]),
        ('GCamera:MicroVideo="1" GCamera:MicroVideoOffset="4032"', ["motion photo"]),
        ('GCamera:MotionPhoto="0"', []),
    ],
)
def test_a_motion_photo_says_so(property_: str, words: list[str]) -> None:
    packet = xmp(more=f'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" {property_}')
    assert tags(photo(xmp=packet), "live") == words


@pytest.mark.parametrize(
    ("exif", "packet", "stars"),
    [
        ({}, 'xmp:Rating="3"', 3),
        ({}, 'xmp:Rating="-1"', -1),
        ({RATING: 4}, "", 4),
        ({RATING: 4}, 'xmp:Rating="2"', 2),
        ({RATING: 4}, 'xmp:Rating="99"', 4),
        ({RATING_PERCENT: 75}, "", 4),
        ({RATING_PERCENT: 1}, "", 1),
        ({RATING_PERCENT: 0}, "", 0),
        ({}, 'xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" MicrosoftPhoto:Rating="99"', 5),
    ],
)
def test_ratings_are_stars(exif: dict[int, object], packet: str, stars: float) -> None:
    assert measures(photo(block(exif=exif), xmp=xmp(more=packet) if packet else b""))["rating"] == stars


def test_only_what_a_person_would_look_for_is_given_unasked() -> None:
    exif = {MAKE: "SONY", MODEL: "ILCE-7", SOFTWARE: "GIMP 2.10"}
    usual = tags(photo(block({0x9003: "2018:06:09 14:08:29", 0xA405: 16, 0x9209: 1}, exif=exif)))
    assert usual == ["Sony ILCE-7", "2018", "June", "summer", "afternoon", "flash", "landscape"]
    assert tags(photo(block({0x9003: "2018:06:09 14:08:29"})), "weekday") == ["Saturday"]

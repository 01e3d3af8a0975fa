"""Tags from EXIF, IPTC and XMP."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.pictures import draw, exif, iptc, jpeg_bytes, segment, with_segments, xmp
from tigertag.blocks.fields import moment, xmp_degrees
from tigertag.contract.engine import Bench, EngineContract
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.engines.metadata import MetadataEngine, MetadataOptions
from tigertag.engines.metadata_sun import daypart
from tigertag.engines.metadata_words import camera, lens, season
from tigertag.media import open_photo
from tigertag.model import Analysis, Kind
from tigertag.xmp.fields import Tag, Way
from tigertag.xmp.merging import Edit, merged
from tigertag.xmp.packet import Packet

PHOTOS = Path(__file__).parents[2] / ".." / "shared" / "photos"
NOW = datetime(2024, 6, 1, 12)


class TestContract(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(MetadataEngine, options={})


def answer(content: bytes, words: Sequence[str] | None = None) -> Analysis:
    options = MetadataOptions.model_validate({} if words is None else {"words": tuple(words)})
    engine = MetadataEngine(options, FakeMemory(), lambda: NOW)
    with open_photo(io.BytesIO(content), "a.jpg") as photo:
        (found,) = engine.analyze([photo], FakePermit())
    assert isinstance(found, Analysis)
    return found


def tags(content: bytes, *words: str) -> list[str]:
    found = answer(content, words or None)
    return [one.name for one in found.annotations if one.kind is Kind.TAG]


def measures(content: bytes) -> dict[str, float]:
    found = answer(content).annotations
    return {one.name: float(str(one.value)) for one in found if one.kind is Kind.MEASURE}


def plain(size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    draw(1, size).save(file, "JPEG")
    return file.getvalue()


def with_xmp(packet: bytes) -> bytes:
    return with_segments(plain(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))


def test_a_photo_gets_the_words_a_person_would_look_for() -> None:
    content = jpeg_bytes(
        1,
        taken=datetime(2018, 6, 9, 14, 8, 29),
        camera=("SONY", "ILCE-7M2"),
        lens="FE 24-70mm F4 ZA OSS",
        gps=(38.5, -122.5),
        keywords=["balloon", "Napa"],
    )
    assert tags(content) == [
        *("Sony ILCE-7M2", "FE 24-70mm F4 ZA OSS", "2018", "June", "summer", "afternoon", "landscape"),
        *("balloon", "Napa"),
    ]


def test_a_photo_without_metadata_is_still_upright_or_wide() -> None:
    assert tags(plain((48, 64))) == ["portrait"]
    assert tags(plain((64, 64))) == ["square"]
    assert tags(plain((128, 64))) == ["landscape", "panorama"]


def test_orientation_is_that_of_the_upright_picture() -> None:
    assert tags(jpeg_bytes(1, size=(64, 48), orientation=6), "orientation") == ["portrait"]


def test_june_is_winter_south_of_the_equator() -> None:
    south = jpeg_bytes(1, taken=datetime(2018, 6, 9, 14), gps=(-50.9, -73.4))
    assert tags(south, "season") == ["winter"]
    assert tags(jpeg_bytes(1, taken=datetime(2018, 6, 9, 14)), "season") == ["summer"]


@pytest.mark.parametrize(
    ("month", "north", "south"),
    [(12, "winter", "summer"), (2, "winter", "summer"), (3, "spring", "autumn"), (8, "summer", "winter")],
)
def test_seasons_change_with_whole_months(month: int, north: str, south: str) -> None:
    assert (season(month, 45.0), season(month, -45.0), season(month, None)) == (north, south, north)


@pytest.mark.parametrize(
    ("hour", "part"),
    [(4, "night"), (5, "morning"), (11, "morning"), (12, "afternoon"), (17, "evening"), (21, "night")],
)
def test_parts_of_the_day(hour: int, part: str) -> None:
    assert daypart(hour) == part


@pytest.mark.parametrize(
    "taken",
    [
        *("0000:00:00 00:00:00", "    :  :     :  :  ", "", "2018:13:41 10:00:00", "1970:01:01 01:00:00"),
        *(
            "1980:01:01 00:00:00",
            "2031:01:01 10:00:00",
            "2018-06",
            "yesterday",
            "\0\0\0",
            "99999:01:01 00:00:00",
        ),
    ],
)
def test_a_broken_date_gives_no_words(taken: str) -> None:
    assert tags(jpeg_bytes(1, taken=taken, camera=("", "X")), "year", "month", "season", "daypart") == []


def test_a_date_without_a_time_gives_no_part_of_the_day() -> None:
    dates = ("year", "month", "daypart")
    assert tags(jpeg_bytes(1, taken="2018:06:09 00:00:00"), *dates) == ["2018", "June"]
    assert moment("2018:06:09") == (datetime(2018, 6, 9), False)


def test_a_date_stands_in_xmp_and_iptc_too() -> None:
    packet = xmp(
        more='xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="2017-05-04T18:30:00+02:00"'
    )
    assert tags(with_xmp(packet), "year", "month", "daypart") == ["2017", "May", "evening"]
    records = b"\x1c\x02\x37\x00\x0820160203\x1c\x02\x3c\x00\x0b081500+0000"
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    dated = with_segments(plain(), segment(0xED, resource))
    assert tags(dated, "year", "month", "daypart") == ["2016", "February", "morning"]


def test_the_date_of_a_change_counts_only_where_a_camera_wrote_it() -> None:
    exported, old_camera = Image.Exif(), Image.Exif()
    exported[0x0132] = old_camera[0x0132] = "2012:02:03 10:00:00"
    old_camera[0x0110] = "C-2000Z"
    assert tags(with_segments(plain(), segment(0xE1, exported.tobytes())), "year") == []
    assert tags(with_segments(plain(), segment(0xE1, old_camera.tobytes())), "year") == ["2012"]


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("NIKON CORPORATION", "NIKON D750", "Nikon D750"),
        ("Canon", "Canon EOS 6D", "Canon EOS 6D"),
        ("SONY", "ILCE-7", "Sony ILCE-7"),
        ("samsung", "SM-G955U", "Samsung SM-G955U"),
        ("Apple", "iPhone 8", "Apple iPhone 8"),
        ("OLYMPUS IMAGING CORP.  ", "E-M10", "Olympus E-M10"),
        ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-3", "Pentax K-3"),
        ("EASTMAN KODAK COMPANY", "KODAK EASYSHARE C183", "Kodak EASYSHARE C183"),
        ("Hewlett-Packard", "HP PhotoSmart R707", "HP PhotoSmart R707"),
        ("LEICA CAMERA AG", "LEICA Q2", "Leica Q2"),
        ("HUAWEI", "HUAWEI P30", "Huawei P30"),
        ("DJI", "FC300S", "DJI FC300S"),
        ("", "Pixel", "Pixel"),
        ("Canon", "", "Canon"),
        ("", "", ""),
    ],
)
def test_the_make_is_told_once_and_not_shouted(make: str, model: str, name: str) -> None:
    assert camera(make, model) == name


@pytest.mark.parametrize("name", ["----", "0.0 mm f/0.0", "Unknown (-1)", " ", "n/a"])
def test_a_lens_the_camera_does_not_know_is_none(name: str) -> None:
    assert lens(name) == ""


def test_keywords_come_from_every_field_once_and_without_their_tree() -> None:
    packet = xmp(
        ["dog", "Été"],
        hierarchy=["Animals|Dog", "Places|Spain|Sevilla"],
        tags=["Places/Spain/Sevilla", "People/Ada", "_Digikam_Internal_Tags_/Color Label None"],
    )
    content = with_segments(with_xmp(packet), segment(0xED, iptc(["DOG", "sea & sun"])))
    assert tags(content, "keywords") == ["dog", "Été", "Sevilla", "Ada", "sea & sun"]


def test_old_iptc_without_a_character_set_is_latin_1() -> None:
    content = with_segments(plain(), segment(0xED, iptc(["Müsli", "café"], "latin-1")))
    assert tags(content, "keywords") == ["Müsli", "café"]


def test_keywords_that_windows_wrote() -> None:
    block = Image.Exif()
    block[0x9C9E] = "Strand;Meer; Urlaub \0".encode("utf-16-le")
    assert tags(with_segments(plain(), segment(0xE1, block.tobytes())), "keywords") == [
        "Strand",
        "Meer",
        "Urlaub",
    ]


def test_names_that_are_no_good_are_left_out_and_counted() -> None:
    found = answer(
        with_segments(plain(), segment(0xED, iptc(["good", "bell\x07", "x" * 600, "", "two\nlines"])))
    )
    assert [one.name for one in found.annotations if one.kind is Kind.TAG] == ["landscape", "good", "two lines"]
    assert found.dropped == 2


def test_ten_thousand_keywords_are_capped() -> None:
    found = answer(with_xmp(xmp([f"k{n}" for n in range(2000)])))
    assert (len(found.annotations), found.dropped) == (201, 1800)


def test_xmp_with_entities_is_not_expanded() -> None:
    # Not `x:xmpmeta`: what stands before that is no part of the packet.
    packet = xmp(["&a;"]).replace(b"&amp;a;", b"&a;").replace(b"x:xmpmeta", b"x:meta")
    packet = packet.partition(b"?>")[2]
    assert tags(with_xmp(packet.replace(b"&a;", b"dog")), "keywords") == ["dog"]
    assert tags(with_xmp(b'<!DOCTYPE x [<!ENTITY a "dog">]>' + packet), "keywords") == []


@pytest.mark.parametrize("packet", [b"", b"<x:xmpmeta", b"\xff\xfe\0", xmp(["dog"])[:-60], b"<a>" * 5000])
def test_broken_xmp_is_as_good_as_none(packet: bytes) -> None:
    assert tags(with_xmp(packet)) == ["landscape"]


def test_broken_exif_is_as_good_as_none() -> None:
    block = exif(taken=datetime(2018, 6, 9, 14), camera=("SONY", "ILCE-7"), gps=(1.0, 2.0))
    for cut in range(0, len(block), 7):
        content = with_segments(plain(), segment(0xE1, block[:cut] + b"\xff" * (len(block) - cut)))
        assert "landscape" in tags(content)


def test_places_and_settings_are_measures() -> None:
    found = measures(jpeg_bytes(1, gps=(-33.8568, 151.2153)))
    assert found == pytest.approx({"latitude": -33.8568, "longitude": 151.2153}, abs=1e-5)
    rated = measures(with_xmp(xmp(more='xmp:Rating="4"')))
    assert rated == {"rating": 4.0}


@pytest.mark.parametrize("gps", [(0.0, 0.0), (95.0, 10.0), (10.0, 200.0)])
def test_a_place_that_is_none_is_left_out(gps: tuple[float, float]) -> None:
    assert measures(jpeg_bytes(1, gps=gps)) == {}


def test_xmp_has_its_own_way_to_write_a_place() -> None:
    assert xmp_degrees("25,45.8418N") == pytest.approx(25.76403)
    assert xmp_degrees("80,11,21.8W") == pytest.approx(-80.18939, abs=1e-5)
    assert xmp_degrees("80.5") is None


def test_png_and_webp_say_it_too() -> None:
    block, packet = exif(taken=datetime(2018, 6, 9, 14), camera=("SONY", "ILCE-7")), xmp(["dog"])
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    said = ["Sony ILCE-7", "2018", "June", "summer", "afternoon", "landscape", "dog"]
    png, webp = io.BytesIO(), io.BytesIO()
    draw(1, (64, 48)).save(png, "PNG", exif=block, pnginfo=texts)
    draw(1, (64, 48)).save(webp, "WEBP", exif=block, xmp=packet)
    assert tags(png.getvalue()) == tags(webp.getvalue()) == said


def test_only_the_chosen_groups_are_given_and_they_change_the_answer() -> None:
    content = jpeg_bytes(1, taken=datetime(2018, 6, 9, 14), camera=("SONY", "ILCE-7"))
    assert tags(content, "year", "camera") == ["Sony ILCE-7", "2018"]
    few, usual = (MetadataOptions.model_validate(words) for words in ({"words": "year"}, {}))
    assert MetadataEngine(few, FakeMemory()).settings != MetadataEngine(usual, FakeMemory()).settings


def test_an_unknown_group_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="there is no group `yaer`"):
        MetadataOptions.model_validate({"words": "yaer"})


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos are not here")
def test_real_photos_say_what_is_known_of_them() -> None:
    for known in json.loads((PHOTOS / "manifest.json").read_text()):
        content = (PHOTOS / known["file"]).read_bytes()
        found, taken = tags(content), datetime.strptime(known["taken"], "%Y:%m:%d %H:%M:%S")
        assert any(known["camera"].casefold() in tag.casefold() for tag in found), (known, found)
        assert {str(taken.year), f"{taken:%B}", daypart(taken.hour)} <= set(found), (known, found)
        if "lat" in known:
            place = measures(content)
            assert place["latitude"] == pytest.approx(known["lat"], abs=2e-5), known
            assert place["longitude"] == pytest.approx(known["lon"], abs=2e-5), known


def test_what_tigertag_put_there_itself_is_no_keyword() -> None:
    """Evidence, never ours: a tag that another engine gave up would stand for ever on our own word."""
    packet = Packet.parse(xmp(["beach"]))
    packet.apply(merged(packet.fields(), Edit((Tag("dog", ("animal",)),)), Way(root="Auto", iptc=True)))
    content = with_segments(with_xmp(packet.to_bytes()), segment(0xED, iptc(["beach", "dog"])))
    assert tags(content, "keywords") == ["beach"]


def test_people_whose_faces_another_program_marked_are_people_with_a_box() -> None:
    marked = (
        'xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"'
        ' xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"'
    )
    face = (
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li'
        ' MPReg:Rectangle="0.1, 0.2, 0.3, 0.4" MPReg:PersonDisplayName="Ada"/></rdf:Bag></MPRI:Regions>'
        "</MP:RegionInfo>"
    )
    packet = xmp(more=marked).replace(b"</rdf:Description>", face.encode() + b"</rdf:Description>")
    turned = segment(0xE1, exif(orientation=3))
    content = with_segments(plain(), turned, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    (person,) = answer(content, ["people"]).annotations[:1]
    assert (person.kind, person.name) == (Kind.PERSON, "Ada") and person.box is not None
    assert person.box.x == pytest.approx(0.6) and person.box.y == pytest.approx(0.4)
    assert all(one.kind is not Kind.PERSON for one in answer(content, ["keywords"]).annotations)

"""Embedded keywords as others read them: exiftool, Exiv2, Pillow; and IPTC."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.targets.embeddable import latin, plain, tagged
from tests.targets.embedding import (
    ADDED,
    NAMES,
    made,
    needs_exiftool,
    read_by_exiftool,
    saved,
)
from tigertag.exiftool import ExifTool, file
from tigertag.targets.xmp.embedded import Embedded
from tigertag.xmp.fields import Field, Tag, Way
from tigertag.xmp.merging import Edit

# What other programs read.


@needs_exiftool
def test_every_program_finds_the_whole_list_where_it_looks_first(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    embedded.edit(photo, Edit((Tag("Hund", ("Tier",)), Tag("blau"))))
    assert read_by_exiftool(embedded.tool, photo) == {
        "Subject": ["Hund", "blau"],
        "TagsList": ["Tier/Hund", "blau"],
        "HierarchicalSubject": ["Tier|Hund", "blau"],
        "Keywords": ["Hund", "blau"],
    }


@needs_exiftool
@pytest.mark.parametrize("kind", ["plain.jpg", "busy.png", "plain.webp", "busy.tif", "plain.heic"])
def test_odd_names_are_read_by_others_as_they_were_written(
    tmp_path: Path, embedded: Embedded, kind: str
) -> None:
    photo = made(tmp_path, kind)
    others = read_by_exiftool(embedded.tool, photo)["Subject"]
    embedded.edit(photo, ADDED)
    assert set(read_by_exiftool(embedded.tool, photo)["Subject"]) >= {*others, *NAMES}


@needs_exiftool
def test_what_other_programs_wrote_stays_beside_ours(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, tagged())
    embedded.edit(photo, Edit((Tag("cat"),)))
    assert read_by_exiftool(embedded.tool, photo)["Subject"] == ["dog", "a, b", "cat"]
    assert read_by_exiftool(embedded.tool, photo)["Keywords"] == ["dog", "a, b", "cat"]


# IPTC.


def iptc_of(tool: ExifTool, path: Path) -> dict[str, object]:
    said = tool.ask("-j", "-IPTC:all", "-IPTCDigest", "-CurrentIPTCDigest", file(path), name=path.name)
    found: dict[str, object] = json.loads(said.text)[0]
    return found


@needs_exiftool
def test_iptc_is_made_for_a_jpeg_in_utf8_and_marked_as_in_step(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    embedded.edit(photo, Edit((Tag("Tür"), Tag("x" * 65))))
    found = iptc_of(embedded.tool, photo)
    assert (found["Keywords"], found["CodedCharacterSet"]) == ("Tür", "UTF8")  # the other is too long for it
    assert found["IPTCDigest"] == found["CurrentIPTCDigest"]


@needs_exiftool
@pytest.mark.parametrize(("data", "has_it"), [(plain, False), (tagged, True)])
def test_iptc_only_where_there_is_some(
    tmp_path: Path, tool: ExifTool, data: Callable[[], bytes], has_it: bool
) -> None:
    photo = saved(tmp_path, data())
    Embedded(tool, Way(), iptc="existing").edit(photo, Edit((Tag("cat"),)))
    assert ("cat" in str(iptc_of(tool, photo).get("Keywords"))) is has_it


@needs_exiftool
@pytest.mark.parametrize("kind", ["plain.png", "plain.webp", "plain.tif", "plain.heic"])
def test_no_iptc_where_nobody_looks_for_it(tmp_path: Path, embedded: Embedded, kind: str) -> None:
    photo = made(tmp_path, kind)
    fields = embedded.edit(photo, Edit((Tag("cat"),)))
    assert fields.of(Field.IPTC) == ()
    assert "Keywords" not in iptc_of(embedded.tool, photo)


@needs_exiftool
def test_iptc_of_an_old_program_becomes_utf8(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, latin())
    embedded.edit(photo, Edit((Tag("Tür"), Tag("日本"))))
    found = iptc_of(embedded.tool, photo)
    assert (found["Keywords"], found["Caption-Abstract"]) == (["Haus", "Tür", "日本"], "Tür")
    assert found["CodedCharacterSet"] == "UTF8"
    embedded.edit(photo, Edit(remove=("Tür", "日本")))
    found = iptc_of(embedded.tool, photo)
    assert (found["Keywords"], found["Caption-Abstract"]) == ("Haus", "Tür")


@needs_exiftool
@pytest.mark.parametrize(("digest", "fits"), [("new", True), ("0123456789abcdef0123456789abcdef", False)])
def test_the_digest_says_in_step_only_where_it_said_so_before(
    tmp_path: Path, embedded: Embedded, digest: str, fits: bool
) -> None:
    photo = saved(tmp_path, tagged())
    embedded.tool.ask(f"-IPTCDigest={digest}", "-overwrite_original", file(photo), name="x.jpg")
    embedded.edit(photo, Edit((Tag("cat"),)))
    found = iptc_of(embedded.tool, photo)
    assert (found["IPTCDigest"] == found["CurrentIPTCDigest"]) is fits
    assert fits or found["IPTCDigest"] == digest


# Two more that read.


@needs_exiftool
@pytest.mark.parametrize("kind", ["plain.jpg", "busy.jpg", "plain.png", "plain.webp", "busy.tif", "busy.heic"])
def test_a_second_library_reads_the_same_set(tmp_path: Path, embedded: Embedded, kind: str) -> None:
    exiv2 = pytest.importorskip("pyexiv2", reason="pyexiv2 is not installed")
    exiv2.set_log_level(4)
    photo = made(tmp_path, kind)
    before = embedded.edit(photo, ADDED)
    with exiv2.Image(str(photo)) as image:
        xmp = image.read_xmp()
    assert sorted(xmp["Xmp.dc.subject"]) == sorted(before.of(Field.SUBJECT))
    assert {f"animal/{name}" for name in NAMES} <= set(xmp["Xmp.digiKam.TagsList"])
    assert {f"animal|{name}" for name in NAMES} <= set(xmp["Xmp.lr.hierarchicalSubject"])


@needs_exiftool
@pytest.mark.parametrize("kind", ["plain.jpg", "busy.jpg", "plain.png", "plain.webp", "busy.tif", "busy.heic"])
def test_pillow_reads_the_same_set(tmp_path: Path, embedded: Embedded, kind: str) -> None:
    photo = made(tmp_path, kind)
    fields = embedded.edit(photo, ADDED)
    with Image.open(photo) as picture:
        said = picture.getxmp()["xmpmeta"]["RDF"]["Description"]
    found = next(each["subject"] for each in (said if isinstance(said, list) else [said]) if "subject" in each)
    assert sorted(found["Bag"]["li"]) == sorted(fields.of(Field.SUBJECT))

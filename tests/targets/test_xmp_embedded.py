"""Keywords inside picture files: written where programs look, nothing else touched, and taken out again."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.targets.embeddable import FOREIGN, KINDS, declared, packet, plain, tagged, with_xmp
from tests.targets.embedding import (
    ADDED,
    NAMES,
    REAL,
    TAKEN,
    differences,
    identity,
    made,
    needs_exiftool,
    pixels,
    rest,
    saved,
)
from tigertag.errors import PhotoError, TransientError
from tigertag.exiftool import ExifTool, file
from tigertag.targets.xmp.embedded import Embedded
from tigertag.xmp.fields import Fields, Way, shown


@pytest.fixture(params=KINDS)
def photo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return made(tmp_path, request.param)


# Every kind of file.


@needs_exiftool
def test_the_tags_are_there_and_nothing_else_has_changed(photo: Path, embedded: Embedded) -> None:
    before, seen = rest(embedded.tool, photo), pixels(photo)
    others = shown(embedded.read(photo))
    fields = embedded.edit(photo, ADDED)
    assert set(shown(fields)) == {*others, *NAMES}
    assert differences(before, rest(embedded.tool, photo)) == {}
    assert pixels(photo) == seen
    assert {each.name for each in photo.parent.iterdir()} == {photo.name}


@needs_exiftool
def test_taking_the_tags_out_again_gives_the_former_values(photo: Path, embedded: Embedded) -> None:
    fields, before, seen = embedded.read(photo), rest(embedded.tool, photo), pixels(photo)
    embedded.edit(photo, ADDED)
    assert embedded.edit(photo, TAKEN) == fields
    assert differences(before, rest(embedded.tool, photo)) == {}
    assert pixels(photo) == seen


@needs_exiftool
@pytest.mark.parametrize("kind", ["busy.jpg", "latin.jpg", "busy.png", "busy.webp", "busy.tif", "busy.heic"])
def test_a_second_write_of_the_same_writes_nothing(tmp_path: Path, embedded: Embedded, kind: str) -> None:
    photo = made(tmp_path, kind)
    embedded.edit(photo, ADDED)
    before = photo.stat().st_ino
    embedded.edit(photo, ADDED)
    assert photo.stat().st_ino == before


@needs_exiftool
@pytest.mark.parametrize(
    "kind", ["plain.jpg", "cmyk.jpg", "several.jpg", "plain.png", "plain.webp", "animated.webp", "plain.tif"]
)
def test_a_file_without_keywords_is_the_same_to_the_byte_again(
    tmp_path: Path, embedded: Embedded, kind: str
) -> None:
    photo = made(tmp_path, kind)
    before = photo.read_bytes()
    embedded.edit(photo, ADDED)
    embedded.edit(photo, TAKEN)
    after = photo.read_bytes()
    assert len(after) == len(before) or kind == "plain.webp"  # whose header grew
    assert after == before or kind == "plain.webp"


@needs_exiftool
@pytest.mark.parametrize(
    "said",
    [
        packet(),
        packet().replace(b"end='w'", b"end='r'"),  # as cameras write that leave no room
        packet().replace(b"\n", b"\r\n"),
        packet("<!-- by hand --><?a b?><odd:thing ></odd:thing >"),
        packet()[packet().index(b"<x:") : packet().index(b"</x:xmpmeta>") + 12],
    ],
    ids=["with room", "said to be fixed", "lines of Windows", "remarks", "without marks"],
)
def test_a_jpeg_with_a_packet_is_the_same_to_the_byte_again(
    tmp_path: Path, embedded: Embedded, said: bytes
) -> None:
    photo = saved(tmp_path, with_xmp(plain(), said))
    before = photo.read_bytes()
    embedded.edit(photo, replace(ADDED, caption="A dog"))
    assert photo.read_bytes() != before
    embedded.edit(photo, TAKEN)
    assert photo.read_bytes() == before


@needs_exiftool
@pytest.mark.parametrize("kind", [each for each in KINDS if each.endswith(("jpg", "png", "webp"))])
def test_a_written_photo_is_the_same_photo(tmp_path: Path, embedded: Embedded, kind: str) -> None:
    photo = made(tmp_path, kind)
    before = identity(photo)
    embedded.edit(photo, ADDED)
    assert identity(photo) == before


@needs_exiftool
@pytest.mark.skipif(not REAL.is_dir(), reason="the real photos are not here")
def test_real_photos(tmp_path: Path, embedded: Embedded) -> None:
    for original in sorted(REAL.glob("*.jpg"))[::12]:
        photo = saved(tmp_path, original.read_bytes(), original.name)
        fields, before, known = embedded.read(photo), rest(embedded.tool, photo), identity(photo)
        assert set(NAMES) <= set(shown(embedded.edit(photo, ADDED)))
        assert differences(before, rest(embedded.tool, photo)) == {}
        assert embedded.edit(photo, TAKEN) == fields
        assert photo.read_bytes() == original.read_bytes()
        assert identity(photo) == known


# The file on the disk.


@needs_exiftool
def test_what_the_file_will_be_is_told_before(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    told = []
    embedded.edit(photo, ADDED, lambda sha256: told.append((sha256, photo.read_bytes())))
    assert told == [(hashlib.sha256(photo.read_bytes()).hexdigest(), plain())]


def overwrite(photo: Path) -> None:
    photo.write_bytes(tagged())


@needs_exiftool
def test_an_edit_of_another_program_meanwhile_stays(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    with pytest.raises(TransientError, match="changed by another program"):
        embedded.edit(photo, ADDED, lambda sha256: overwrite(photo))
    assert photo.read_bytes() == tagged()


@needs_exiftool
def test_a_link_stays_a_link_and_the_photo_is_written(tmp_path: Path, embedded: Embedded) -> None:
    (tmp_path / "album %d").mkdir()
    (tmp_path / "photos %f").mkdir()
    photo, link = saved(tmp_path / "photos %f", plain()), tmp_path / "album %d" / "link.jpg"
    link.symlink_to(photo)
    embedded.edit(link, ADDED)
    assert link.is_symlink()
    assert set(shown(embedded.read(photo))) == set(NAMES)
    assert [each.name for each in (*photo.parent.iterdir(), *link.parent.iterdir())] == ["x.jpg", "link.jpg"]


@needs_exiftool
def test_a_read_only_file_is_named_and_left(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    photo.chmod(0o444)
    with pytest.raises(PhotoError, match=r"x\.jpg is read-only"):
        embedded.edit(photo, ADDED)
    assert (photo.read_bytes(), photo.stat().st_mode & 0o777) == (plain(), 0o444)


@needs_exiftool
@pytest.mark.parametrize("keeps", [True, False])
def test_the_time_of_the_file(tmp_path: Path, tool: ExifTool, keeps: bool) -> None:
    photo = saved(tmp_path, plain())
    os.utime(photo, (1_500_000_000, 1_500_000_000))
    Embedded(tool, Way(), keep_times=keeps).edit(photo, ADDED)
    assert (photo.stat().st_mtime == 1_500_000_000) is keeps


@needs_exiftool
def test_foreign_parts_of_a_packet_stay_to_the_letter(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, with_xmp(plain(), packet()))
    embedded.edit(photo, ADDED)
    text = photo.read_bytes()
    assert b" " * 99 in text  # the room for more
    assert b"<rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li>" in text
    assert FOREIGN.count("<dc:title>") == text.count(b"<dc:title>") == 1


@needs_exiftool
def test_a_packet_in_an_old_encoding_becomes_utf8(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, declared("iso-8859-1"))
    embedded.edit(photo, ADDED)
    assert set(shown(embedded.read(photo))) == set(NAMES)
    assert "<odd:thing>Tür</odd:thing>".encode() in photo.read_bytes()


@needs_exiftool
def test_a_caption_is_written_and_taken_out(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain())
    fields = embedded.edit(photo, replace(ADDED, caption="A dog\nat the sea"))
    assert fields.caption == "A dog\nat the sea"
    assert embedded.edit(photo, TAKEN) == Fields()
    assert photo.read_bytes() == plain()


@needs_exiftool
def test_a_heic_keeps_an_empty_packet_rather_than_one_without_bytes(tmp_path: Path, embedded: Embedded) -> None:
    photo = made(tmp_path, "plain.heic")
    embedded.edit(photo, ADDED)
    assert embedded.edit(photo, TAKEN) == Fields()
    said = embedded.tool.ask("-b", "-XMP", file(photo), name=photo.name).text
    assert said.rstrip().startswith(b"<?xpacket") and b"dc:subject" not in said


@needs_exiftool
def test_a_heic_whose_packet_exiftool_has_deleted_can_be_written(tmp_path: Path, embedded: Embedded) -> None:
    photo = made(tmp_path, "plain.heic")
    embedded.edit(photo, ADDED)
    embedded.tool.ask("-XMP:all=", "-overwrite_original", file(photo), name=photo.name)
    assert embedded.read(photo) == Fields()
    assert set(shown(embedded.edit(photo, ADDED))) == set(NAMES)

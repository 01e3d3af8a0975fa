"""Files that are not written to, and copies that are thrown away (RELIABILITY M2, M3, I8)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.targets.embeddable import KINDS, NOTES, REFUSED, busy, packet, plain, several, tagged
from tests.targets.embedding import (
    ADDED,
    made,
    needs_exiftool,
    saved,
)
from tigertag.errors import DiskError, PhotoError, PluginDown, TransientError
from tigertag.exiftool import Answer, ExifTool
from tigertag.targets.xmp.embedded import Embedded
from tigertag.xmp.fields import Tag, Way, shown
from tigertag.xmp.merging import Edit

# Files that are left as they are.


@needs_exiftool
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_damaged_or_odd_is_left_and_named(tmp_path: Path, embedded: Embedded, name: str) -> None:
    make, says = REFUSED[name]
    if name.endswith("heic"):
        pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    photo = saved(tmp_path, make(), name)
    before = (photo.read_bytes(), photo.stat().st_ino)
    with pytest.raises(PhotoError, match=rf"^{name} .*{says}"):
        embedded.edit(photo, ADDED)
    assert (photo.read_bytes(), photo.stat().st_ino) == before
    assert [each.name for each in tmp_path.iterdir()] == [name]


def spoiled(photo: Path, embedded: Embedded, spoil: Callable[[bytes], bytes]) -> str:
    """Lets exiftool's work be spoiled, and gives the words of the refusal."""

    class Spoiling(ExifTool):
        def ask(self, *arguments: str, name: str, limit: float | None = None) -> Answer:
            answer = embedded.tool.ask(*arguments, name=name, limit=limit)
            if "-o" in arguments:
                draft = photo.with_name(arguments[arguments.index("-o") + 1].removeprefix("%d"))
                data = draft.read_bytes()
                draft.write_bytes(spoil(data))
                assert draft.read_bytes() != data
            return answer

    before = photo.read_bytes()
    with pytest.raises(PhotoError, match=rf"^Refused to write {photo.name}: check failed \(") as caught:
        replace(embedded, tool=Spoiling()).edit(photo, Edit((Tag("cat"),)))
    assert photo.read_bytes() == before
    assert [each.name for each in photo.parent.iterdir()] == [photo.name]
    return str(caught.value)


@needs_exiftool
def test_further_pictures_that_would_not_be_found_any_more(
    tmp_path: Path, embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.targets.xmp.embedded.container._mend", lambda draft, held, packet: None)
    photo = saved(tmp_path, several(packet()))  # exiftool leaves the index as it is
    before = photo.read_bytes()
    with pytest.raises(PhotoError, match=r"check failed \(the index of further pictures has changed\)"):
        embedded.edit(photo, ADDED)
    assert photo.read_bytes() == before


@needs_exiftool
def test_extended_xmp_that_would_be_lost(
    tmp_path: Path, embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.targets.xmp.embedded.container._mend", lambda draft, held, packet: None)
    photo = made(tmp_path, "extended.jpg")
    before = photo.read_bytes()
    with pytest.raises(PhotoError, match=r"check failed \(extended XMP has changed\)"):
        embedded.edit(photo, ADDED)
    assert photo.read_bytes() == before


@needs_exiftool
def test_makers_notes_that_have_changed(tmp_path: Path, embedded: Embedded) -> None:
    photo = made(tmp_path, "busy.tif")
    said = spoiled(photo, embedded, lambda data: flipped(data, data.index(NOTES) + NOTES.index(b"\x0e")))
    assert "values of other fields have changed" in said


@needs_exiftool
def test_a_file_that_changes_between_reading_and_writing(tmp_path: Path, embedded: Embedded) -> None:
    photo = made(tmp_path, "plain.tif")
    other = KINDS["busy.tif"]()

    class Slow(ExifTool):
        def ask(self, *arguments: str, name: str, limit: float | None = None) -> Answer:
            answer = embedded.tool.ask(*arguments, name=name, limit=limit)
            if "-X" in arguments:  # the first question, about the file as it is
                photo.write_bytes(other)
            return answer

    with pytest.raises(TransientError, match="changed by another program"):
        replace(embedded, tool=Slow()).edit(photo, ADDED)
    assert photo.read_bytes() == other


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@needs_exiftool
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: flipped(data, data.rindex(b"\xff\xda") + 40),  # coded data
        lambda data: flipped(data, data.index(b"\xff\xdb") + 20),  # a table
        lambda data: flipped(data, data.index(b"Model")),  # EXIF
        lambda data: flipped(data, data.index(b"ICC_PROFILE") + 80),
        lambda data: flipped(data, data.index(b"a comment")),
        lambda data: flipped(data, data.index(b"Ducky") + 6),
        lambda data: data + b"trailer",
        lambda data: data[:-3],
        lambda data: data.replace(b"'+0.50'", b"'+0.60'"),
        lambda data: data.replace(b"x &amp; y", b"x &amp; z"),
        lambda data: data.replace(b">Meer<", b">Mehr<"),
        lambda data: data.replace(b"<rdf:li>cat</rdf:li>", b"<rdf:li>car</rdf:li>", 1),
        lambda data: data.replace(b"\x19\x00\x03dog", b"\x19\x00\x03dot"),
        lambda data: data.replace(b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xap/2.0/\0"),
    ],
)
def test_a_jpeg_that_is_not_as_it_should_be_is_thrown_away(
    tmp_path: Path, embedded: Embedded, spoil: Callable[[bytes], bytes]
) -> None:
    spoiled(saved(tmp_path, busy()), embedded, spoil)


@needs_exiftool
@pytest.mark.parametrize("kind", ["busy.png", "busy.webp", "busy.tif", "busy.heic", "odd.dng"])
def test_a_picture_of_any_kind_that_has_changed_is_thrown_away(
    tmp_path: Path, embedded: Embedded, kind: str
) -> None:
    photo = made(tmp_path, kind)
    where = coded(photo)

    def spoil(data: bytes) -> bytes:
        return flipped(data, data.index(where) + len(where) // 2)

    assert "changed" in spoiled(photo, embedded, spoil)


def coded(photo: Path) -> bytes:
    """Some bytes of the coded picture, as they will also stand in a copy of it."""
    data = photo.read_bytes()
    if photo.suffix == ".heic":
        return data[data.index(b"mdat") + 200 :][:64]
    if photo.suffix in (".tif", ".dng"):
        with Image.open(photo) as picture:
            start = picture.tile[0].offset if photo.suffix == ".dng" else picture.tag_v2[273][0]  # type: ignore[attr-defined]
        return data[start + 100 : start + 164]
    start = data.index(b"IDAT" if photo.suffix == ".png" else b"VP8 ")
    return data[start + 100 : start + 164]


@needs_exiftool
def test_the_error_of_exiftool_is_told_and_the_file_is_left(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain(), "x.png")  # exiftool minds the wrong ending
    with pytest.raises(
        PhotoError, match=r"x\.png stays as it is: exiftool cannot write it \(.*looks more like"
    ):
        embedded.edit(photo, ADDED)
    assert photo.read_bytes() == plain()


@needs_exiftool
@pytest.mark.parametrize(("free", "kind"), [(1000, DiskError), (1 << 30, TransientError)])
def test_a_full_disk_is_told_from_another_fault_of_it(
    tmp_path: Path, embedded: Embedded, monkeypatch: pytest.MonkeyPatch, free: int, kind: type[Exception]
) -> None:
    photo = saved(tmp_path, plain())

    class Failing(ExifTool):
        def ask(self, *arguments: str, name: str, limit: float | None = None) -> Answer:
            photo.with_name(arguments[arguments.index("-o") + 1].removeprefix("%d")).write_bytes(b"half")
            return Answer(b"", (), (f"Error writing output file - {photo}",))

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))
    with pytest.raises(kind, match=r"x\.jpg"):
        replace(embedded, tool=Failing()).edit(photo, ADDED)
    assert photo.read_bytes() == plain()
    assert [each.name for each in tmp_path.iterdir()] == ["x.jpg"]


def test_without_exiftool_nothing_is_written_but_all_is_read(tmp_path: Path) -> None:
    photo = saved(tmp_path, tagged())
    embedded = Embedded(ExifTool((str(tmp_path / "none"),)), Way())
    assert shown(embedded.read(photo)) == ("dog", "a, b")
    with pytest.raises(PluginDown, match="not installed"):
        embedded.edit(photo, ADDED)
    assert photo.read_bytes() == tagged()


@needs_exiftool
def test_a_path_that_cannot_be_an_argument_is_named(tmp_path: Path, embedded: Embedded) -> None:
    photo = saved(tmp_path, plain(), "a\nb.jpg")
    with pytest.raises(PhotoError, match="line break"):
        embedded.edit(photo, ADDED)
    assert photo.read_bytes() == plain()

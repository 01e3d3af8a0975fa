"""What is no picture, a broken one, or one that is too much."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.opening import SMALL, content_id, difference, opened, png_chunk, rendered, saved
from tests.pictures import draw, exif, jpeg_bytes, segment, with_segments
from tigertag.errors import PhotoError
from tigertag.media import open_photo
from tigertag.model import Rendition


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"Dear diary,\n", r"is not a picture \(text\)"),
        (b"<!DOCTYPE html><html>", r"is not a picture \(an HTML page\)"),
        (b"%PDF-1.7\n", r"is not a picture \(a PDF document\)"),
        (b"PK\x03\x04zip", r"is not a picture \(an archive\)"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "is a video that cannot be decoded"),
        (bytes(4000), r"is not a picture \(only zeros\)"),
        (b"\x7fELF\2\1\1\0\3", "is not a picture"),
        (b"\xff\xd8\xff\xd9", "is damaged"),
    ],
)
def test_what_is_no_picture_is_named_with_its_kind(content: bytes, why: str) -> None:
    with pytest.raises(PhotoError, match=rf"^Summer/a\.jpg {why}"):
        opened(content)


def test_the_name_of_a_file_makes_no_difference() -> None:
    with opened(saved("PNG"), "photo.jpg") as photo:
        assert photo.content_id.startswith("png1:")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_picture_that_ends_early_is_noticed_without_decoding(form: str, share: float) -> None:
    content = saved(form, draw(1, (200, 150)))
    with pytest.raises(PhotoError, match=r"Summer/a\.jpg (ends early|cannot be decoded)"):
        opened(content[: int(len(content) * share)])


def test_zeros_where_the_rest_should_be_are_an_early_end() -> None:
    content = jpeg_bytes(1)
    with pytest.raises(PhotoError, match="ends early"):
        opened(content[: len(content) // 2] + bytes(len(content) // 2))


def test_a_picture_with_too_many_pixels_is_named_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(9)))
    with pytest.raises(PhotoError, match="is too large"):
        opened(bomb + png_chunk(b"IEND", b""))


def test_a_jpeg_with_thousands_of_passes_is_not_decoded() -> None:
    plain = saved("JPEG", progressive=True)
    start = plain.rindex(b"\xff\xda")
    with pytest.raises(PhotoError, match="passes over the picture"):
        opened(plain[:start] + plain[start:-2] * 2000 + plain[-2:])


def test_texts_that_are_too_long_keep_no_png_from_being_shown() -> None:
    plain = saved("PNG")
    long = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(4 << 20)))
    content = (
        plain[:33] + long + plain[33:-12] + long + png_chunk(b"eXIf", exif(orientation=6)[6:]) + plain[-12:]
    )
    assert difference(rendered(content), rendered(plain).transpose(Image.Transpose.ROTATE_270)) < 8


def test_what_keeps_a_picture_from_being_decoded_is_told_to_each_engine_by_itself() -> None:
    with opened(saved("JPEG")) as photo:
        wanted = Rendition(long_side=20)
        photo.keep({wanted: PhotoError("a.jpg ends early")})
        for _ in range(2):
            with pytest.raises(PhotoError, match="ends early") as raised:
                photo.jpeg(wanted)
            assert raised.value.photo is None
            raised.value.photo = photo  # an engine says which photo of its batch that was


def test_a_file_over_the_limit_is_not_read_to_its_end() -> None:
    with pytest.raises(PhotoError, match=r"is too large \(over 1 MiB\)"):
        open_photo(io.BytesIO(bytes(3 << 20)), "a.jpg", limit=1 << 20)


def test_a_large_file_over_the_limit_is_not_read_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    os.truncate(path, 2 << 40)
    with path.open("rb", buffering=0) as file:
        with pytest.raises(PhotoError, match=r"is too large \(over 512 MiB\)"):
            open_photo(file, "a.jpg")
        assert file.tell() == 0


def in_crumbs(form: str) -> bytes:
    """A picture with hundreds of thousands of pieces, each as small as can be."""
    plain = saved(form)
    if form == "JPEG":
        return with_segments(plain, segment(0xFE, b"") * 300_000)
    if form == "PNG":
        return plain[:33] + png_chunk(b"tEXt", b"") * 300_000 + plain[33:]
    if form == "WEBP":
        chunks = plain[12:] + b"XMP \0\0\0\0" * 300_000
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
    if form == "GIF":
        return plain[:-1] + b"!\xfe" + b"\1x" * 5_000_000 + b"\0;"
    return plain + b"\0\0\0\x08free" * 300_000


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_picture_of_too_many_pieces_costs_neither_memory_nor_time(form: str) -> None:
    with pytest.raises(PhotoError, match=r"is damaged \(over [\d,]+ pieces\)"):
        opened(in_crumbs(form))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("place", ["in the picture", "between segments", "at the end"])
def test_fill_bytes_without_number_are_stepped_over_quickly(place: str) -> None:
    plain = jpeg_bytes(1, size=SMALL)
    middle = {"in the picture": len(plain) - 40, "between segments": 2, "at the end": len(plain) - 1}[place]
    filled = (
        plain[:middle] + b"\xff" * 2_000_000 + (b"\0" if place == "in the picture" else b"") + plain[middle:]
    )
    assert content_id(filled).startswith("jpeg1:")


@given(data=st.data())
def test_damage_anywhere_is_a_photo_error_or_nothing(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with opened(bytes(content)) as photo:
            photo.jpeg(Rendition(long_side=20))
    except PhotoError as error:
        assert "\n" not in str(error)


GOOD = [saved(form) for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP")] + [
    jpeg_bytes(1, size=SMALL, orientation=6)
]

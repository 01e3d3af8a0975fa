"""Pictures: what counts as one, when two files hold the same one, and what engines are shown of it."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat, PngImagePlugin

from tests.pictures import draw, exif, heic_bytes, iptc, jpeg_bytes, segment, with_segments, xmp
from tigertag.errors import MissingDecoder, PhotoError, TransientError
from tigertag.media import OpenPhoto, can_decode, open_photo
from tigertag.model import Rendition

PHOTOS = Path(__file__).parents[1] / ".." / "shared" / "photos"
SMALL = (64, 48)


def saved(form: str, picture: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (picture or draw(1, SMALL)).save(file, form, **options)
    return file.getvalue()


def opened(content: bytes, name: str = "Summer/a.jpg") -> OpenPhoto:
    return open_photo(io.BytesIO(content), name)


def content_id(content: bytes) -> str:
    with opened(content) as photo:
        return photo.content_id


def rendered(content: bytes, rendition: Rendition | None = None) -> Image.Image:
    with opened(content) as photo:
        return Image.open(io.BytesIO(photo.jpeg(rendition or Rendition())))


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


# What is the same picture


def xmp_segment(*words: str) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(words))


METADATA = [
    segment(0xE1, exif(taken=datetime(2018, 6, 9, 14), camera=("SONY", "ILCE-7"))),
    xmp_segment("dog"),
    segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + b"more"),
    segment(0xED, iptc(["dog"])),
    segment(0xFE, b"a comment"),
]


@pytest.mark.parametrize("block", METADATA)
def test_metadata_in_a_jpeg_makes_no_new_photo_but_another_input(block: bytes) -> None:
    plain = saved("JPEG")
    with opened(plain) as before, opened(with_segments(plain, block)) as after:
        assert before.content_id == after.content_id
        assert before.input != after.input
        assert before.file_hash != after.file_hash


@pytest.mark.parametrize("block", [segment(0xE2, b"MPF\0more pictures"), segment(0xE3, b"anything")])
def test_what_is_neither_picture_nor_metadata_counts_as_neither(block: bytes) -> None:
    plain = saved("JPEG")
    with opened(plain) as before, opened(with_segments(plain, block) + b"a phone's trailer") as after:
        assert (before.content_id, before.input) == (after.content_id, after.input)


@pytest.mark.parametrize(
    "block", [segment(0xE2, b"ICC_PROFILE\0\1\1x"), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")]
)
def test_what_changes_the_colours_of_a_jpeg_is_another_photo(block: bytes) -> None:
    plain = saved("JPEG")
    assert content_id(with_segments(plain, block)) != content_id(plain)


def test_each_form_of_picture_has_its_own_scheme() -> None:
    schemes = {
        form: content_id(saved(form)).partition(":")[0] for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
    }
    assert schemes == {"JPEG": "jpeg1", "PNG": "png1", "WEBP": "webp1", "GIF": "file1", "TIFF": "file1"}


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_texts_in_a_png_make_no_new_photo() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Keywords", "dog")
    texts.add_itxt("XML:com.adobe.xmp", xmp(["dog"]).decode(), zip=True)
    with opened(saved("PNG")) as before, opened(saved("PNG", pnginfo=texts)) as after:
        assert before.content_id == after.content_id
        assert before.input != after.input


def test_a_png_cut_into_other_chunks_is_the_same_photo() -> None:
    plain = saved("PNG")
    start = plain.index(b"IDAT") - 4
    (length,) = struct.unpack(">I", plain[start : start + 4])
    body = plain[start + 8 : start + 8 + length]
    pieces = png_chunk(b"IDAT", body[:100]) + png_chunk(b"IDAT", body[100:])
    assert content_id(plain[:start] + pieces + plain[start + 12 + length :]) == content_id(plain)
    with_gamma = plain[:start] + png_chunk(b"gAMA", struct.pack(">I", 45455)) + plain[start:]
    assert content_id(with_gamma) != content_id(plain)


def test_metadata_in_a_webp_makes_no_new_photo() -> None:
    block = exif(camera=("SONY", "ILCE-7"))
    with opened(saved("WEBP")) as before, opened(saved("WEBP", exif=block, xmp=xmp(["dog"]))) as after:
        assert before.content_id == after.content_id
        assert before.input != after.input


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_part_of_the_picture_and_absent_counts_as_upright(form: str) -> None:
    turned = [saved(form, exif=exif(orientation=number)) for number in (1, 0, 9, 6, 8)]
    ids = [content_id(content) for content in (saved(form), *turned)]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert len({ids[0], *ids[4:]}) == 3


def test_another_picture_is_another_photo() -> None:
    assert content_id(jpeg_bytes(1, size=SMALL)) != content_id(jpeg_bytes(2, size=SMALL))


# What engines are shown


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_pictures_are_upright(form: str, orientation: int) -> None:
    content = saved(form, draw(3, (96, 64)), exif=exif(orientation=orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    with opened(content) as photo:
        assert (photo.width, photo.height) == upright.size
    assert difference(rendered(content), upright) < 6


@pytest.mark.parametrize(
    ("rendition", "size"),
    [
        (Rendition(), (400, 300)),
        (Rendition(short_side=30), (40, 30)),
        (Rendition(long_side=100), (100, 75)),
        (Rendition(short_side=150, long_side=100), (100, 75)),
        (Rendition(short_side=900), (400, 300)),
    ],
)
def test_renditions_keep_to_both_limits_and_are_never_enlarged(
    rendition: Rendition, size: tuple[int, int]
) -> None:
    assert rendered(jpeg_bytes(1, size=(400, 300)), rendition).size == size


def test_no_side_of_a_long_panorama_vanishes() -> None:
    assert rendered(saved("PNG", Image.new("RGB", (3000, 2))), Rendition(long_side=100)).size == (100, 1)


def test_renditions_carry_no_metadata() -> None:
    content = jpeg_bytes(1, taken=datetime(2018, 6, 9), gps=(25.0, -80.0), keywords=["dog"])
    content = with_segments(content, segment(0xFE, b"a secret comment"))
    small = rendered(content, Rendition(short_side=100))
    assert set(small.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert small.mode == "RGB"


def test_a_rendition_has_the_same_bytes_whatever_was_rendered_before_it() -> None:
    content = jpeg_bytes(1, size=(1200, 900))
    small, large = Rendition(short_side=100), Rendition(long_side=900)
    with opened(content) as one, opened(content) as other:
        assert [one.jpeg(small), one.jpeg(large)] == [other.jpeg(large), other.jpeg(small)][::-1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_every_kind_of_colours_comes_out_as_rgb(mode: str) -> None:
    picture = draw(1, SMALL).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = picture.convert("I").point(lambda value: value * 257).convert("I;16")
    found = rendered(saved("TIFF", picture))
    expected = draw(1, SMALL).convert("L" if mode in ("1", "L", "LA", "I;16", "F") else "RGB")
    assert (found.mode, found.size) == ("RGB", SMALL)
    assert abs(ImageStat.Stat(found).mean[0] - ImageStat.Stat(expected.convert("RGB")).mean[0]) < 12


def test_what_is_transparent_is_shown_on_white() -> None:
    assert rendered(saved("PNG", Image.new("RGBA", SMALL, (255, 0, 0, 0)))).getpixel((5, 5)) == (255, 255, 255)
    palette = Image.new("P", SMALL, 0)
    palette.putpalette([0, 0, 0])
    assert rendered(saved("GIF", palette, transparency=0)).getpixel((5, 5)) == (255, 255, 255)


def test_colours_of_another_profile_become_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = rendered(saved("PNG"))
    assert difference(rendered(saved("PNG", icc_profile=srgb)), plain) < 2
    for broken in (lab, b"no profile", srgb[:100]):
        assert difference(rendered(saved("PNG", icc_profile=broken)), plain) < 2


def test_many_threads_may_share_a_photo() -> None:
    sizes = [Rendition(short_side=side) for side in (50, 100, 150, 200)] * 4
    with opened(jpeg_bytes(1)) as photo, ThreadPoolExecutor(8) as threads:
        made = list(threads.map(photo.jpeg, sizes))
        assert made[:4] * 4 == made

        def first(_: int) -> bytes:
            with photo.open() as file:
                return file.read()

        assert set(threads.map(first, range(8))) == {jpeg_bytes(1)}


# What is no picture, or a bad one


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


# HEIC, and large files


def test_heic_is_read_where_the_extra_is_installed() -> None:
    pytest.importorskip("pillow_heif", reason="tigertag[heic] is not installed")
    with opened(heic_bytes(1, size=(320, 240))) as photo:
        assert (photo.width, photo.height, photo.content_id[:6]) == (320, 240, "file1:")
        assert difference(Image.open(io.BytesIO(photo.jpeg(Rendition()))), draw(1, (320, 240))) < 8


def test_heic_waits_where_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif", reason="tigertag[heic] is not installed")
    content = heic_bytes(1)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert not can_decode("heic")
    with pytest.raises(MissingDecoder, match=r"needs tigertag\[heic\]"):
        opened(content)


def test_a_large_file_is_kept_on_disk_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = saved("BMP", draw(1, (2600, 2200)))
    assert len(content) > 16 << 20
    with opened(content) as photo:
        assert rendered(content, Rendition(long_side=50)).size == (50, 42)
        with photo.open() as one, photo.open() as other:
            assert (one.read(2), other.read(), one.read(2)) == (b"BM", content, content[2:4])
    assert list(tmp_path.iterdir()) == []


class Growing(io.FileIO):
    """A file that another program writes to while it is read, the first `times`."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__(path)
        self.write_more: Callable[[], None] = lambda: None
        self.path, self.times = path, times

    def read(self, size: int | None = -1, /) -> bytes:
        if self.times > 0 and self.tell() == 0:
            self.times -= 1
            with self.path.open("ab") as file:
                file.write(b"more")
        return super().read(-1 if size is None else size) or b""


def test_a_photo_that_changes_while_it_is_read_is_read_once_more(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved("JPEG"))
    with Growing(path, 1) as file, open_photo(file, "a.jpg") as photo, photo.open() as kept:
        assert kept.read() == path.read_bytes()


def test_a_photo_that_keeps_changing_waits_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved("JPEG"))
    with Growing(path, 9) as file, pytest.raises(TransientError, match=r"a\.jpg changes while it is read"):
        open_photo(file, "a.jpg")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos are not here")
def test_real_photos_are_told_apart_and_can_be_shown() -> None:
    ids = set()
    for path in sorted(PHOTOS.glob("*.jpg")):
        with path.open("rb") as file, open_photo(file, path.name) as photo:
            ids.add(photo.content_id)
            small = Image.open(io.BytesIO(photo.jpeg(Rendition(short_side=300))))
            assert min(small.size) == 300
    assert len(ids) == 47

"""Pictures: what counts as one, when two files hold the same one, and what engines are shown of it."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps, ImageStat, PngImagePlugin

from tests.opening import SMALL, content_id, difference, opened, png_chunk, rendered, saved
from tests.pictures import draw, exif, heic_bytes, iptc, jpeg_bytes, segment, with_segments, xmp
from tigertag.errors import MissingDecoder, TransientError
from tigertag.media import can_decode, open_photo
from tigertag.model import Rendition

PHOTOS = Path(__file__).parents[1] / ".." / "shared" / "photos"


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

"""Every kind of picture file: seen by engines, or named with the reason, and with the extra that it needs."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from tests import formats
from tests.archives import zipped
from tests.cli.terminal import Terminal
from tests.pictures import draw
from tigertag.errors import MissingDecoder, PhotoError
from tigertag.media import OpenPhoto, can_decode, image, is_picture, open_photo
from tigertag.model import Rendition

GOOD = formats.every_format()
SEEDS = {name: ord(name[0]) - ord("a") + 1 for name in GOOD} | {"i.tif": 0}
DEVELOPED = "k.dng"
FILMS = formats.every_film()
CUTS = {"i.tif": 5000, "t.mts": 600}
"""Where a cut hurts: pages behind the first are not looked at, and a broadcast may be cut anywhere."""


def opened(content: bytes, name: str = "Summer/a.raw") -> OpenPhoto:
    return open_photo(io.BytesIO(content), name)


def rendered(content: bytes, rendition: Rendition | None = None) -> Image.Image:
    with opened(content) as photo:
        return Image.open(io.BytesIO(photo.jpeg(rendition or Rendition())))


def difference(one: Image.Image, other: Image.Image) -> float:
    """0..255: how far the colours are from each other on average."""
    small = (one.convert("RGB").resize((32, 24)), other.convert("RGB").resize((32, 24)))
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


@pytest.mark.parametrize("name", [name for name in GOOD if name != DEVELOPED])
def test_every_format_shows_its_picture(name: str) -> None:
    shown = rendered(GOOD[name])
    assert difference(shown, draw(SEEDS[name], shown.size)) < 12


def test_a_raw_file_without_a_preview_is_developed() -> None:
    shown = rendered(GOOD[DEVELOPED])
    scene = draw(SEEDS[DEVELOPED], shown.size)
    # The colours are those of a made-up camera, so that light and shade are what can be compared.
    assert shown.size == (160, 120)
    assert difference(shown.convert("L").point(lambda value: 255 * (value > 128)), scene.convert("L")) < 128
    top, bottom = (
        ImageStat.Stat(shown.convert("L").crop(box)).mean[0] for box in ((0, 0, 160, 50), (0, 70, 160, 120))
    )
    assert top > bottom, "the sky is brighter than the ground"


def test_a_thumbnail_is_no_preview_to_judge_a_photo_by() -> None:
    with opened(formats.dng(1, preview=(160, 120), size=(64, 48))) as photo:
        assert (photo.width, photo.height) == (160, 120)  # the largest that the directories tell of
        assert Image.open(io.BytesIO(photo.jpeg(Rendition()))).size == (160, 120)
    with opened(formats.dng(1, preview=(800, 600), size=(64, 48))) as photo:
        assert (photo.width, photo.height) == (800, 600)


def test_a_developed_file_is_halved_where_that_is_enough() -> None:
    shown = rendered(GOOD[DEVELOPED], Rendition(long_side=40))
    assert shown.size == (40, 30)


@pytest.mark.parametrize("preview", [(800, 600), None])
def test_a_raw_file_is_set_upright(preview: tuple[int, int] | None) -> None:
    with opened(formats.dng(1, preview=preview, orientation=6)) as photo:
        assert photo.width < photo.height
        shown = Image.open(io.BytesIO(photo.jpeg(Rendition())))
    assert shown.size == (photo.width, photo.height)


def test_the_largest_preview_that_can_be_decoded_is_taken() -> None:
    with opened(formats.orf(3)) as photo:  # it has a smaller one, too
        assert (photo.width, photo.height) == (800, 600)
    with opened(formats.cr2(3)) as photo:  # what the sensor saw has the mark of a JPEG, too
        assert (photo.width, photo.height) == (800, 600)


def test_noise_that_looks_like_the_beginning_of_a_picture_is_none() -> None:
    frame = b"\xff\xc0\0\x11\x08\x1f\xff\x1f\xff\3\1\x22\0\2\x11\1\3\x11\1"
    noise = b"\xff\xd8\xff\xe0\0\5abc, and more of it " + frame + b"\xff\xda\0\x0c" + bytes(99) + b"\xff\xd9"
    with opened(formats.orf(3) + noise) as photo:
        assert (photo.width, photo.height) == (800, 600)


def test_a_raw_file_is_known_by_all_its_bytes() -> None:
    one, other = formats.dng(1, preview=(800, 600)), formats.dng(1, preview=(800, 600), orientation=3)
    with opened(one) as first, opened(one) as again, opened(other) as turned:
        assert first.content_id == again.content_id
        assert first.content_id.startswith("file1:")
        assert turned.content_id != first.content_id


@pytest.mark.parametrize("name", ["j.dng", DEVELOPED, "l.orf", "m.raf", "n.cr2"])
def test_metadata_of_a_raw_file_is_read(name: str) -> None:
    with image(io.BytesIO(GOOD[name])) as picture:
        assert picture.getexif()[272] == "T1"


def test_the_first_page_of_several_is_the_picture() -> None:
    shown = rendered(formats.pages(3))
    assert difference(shown, draw(0, shown.size)) < 12


@pytest.mark.parametrize("name", [*GOOD])
def test_a_file_that_ends_early_is_named_as_that(name: str) -> None:
    cut = GOOD[name][: CUTS.get(name, len(GOOD[name]) // 2)]
    with pytest.raises(PhotoError) as caught, opened(cut, name) as photo:
        photo.jpeg(Rendition())
    assert str(caught.value).startswith(name)


def test_raw_files_are_pictures_whatever_they_are_called() -> None:
    assert all(is_picture(GOOD[name][:512]) for name in GOOD)


def test_without_the_extra_only_files_without_a_preview_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not can_decode("raw")
    with pytest.raises(MissingDecoder, match=r"needs tigertag\[raw\]"):
        opened(GOOD[DEVELOPED])
    with opened(GOOD["j.dng"]) as photo:
        photo.jpeg(Rendition())


def test_rubbish_behind_the_head_of_a_raw_file_is_named() -> None:
    with pytest.raises(PhotoError, match=r"^Summer/a\.raw cannot be developed"):
        opened(b"II*\0\x10\0\0\0CR\2\0" + bytes(5000)).jpeg(Rendition())


RAW = [formats.dng(1, size=(16, 12), preview=(640, 8)), formats.orf(1, (640, 8)), formats.raf(1, (640, 8))]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_anywhere_in_a_raw_file_is_a_photo_error_or_nothing(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(RAW)))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with opened(bytes(content)) as photo:
            photo.jpeg(Rendition(short_side=8))
    except PhotoError as error:
        assert "\n" not in str(error)


def test_directories_that_point_at_each_other_end() -> None:
    content = bytearray(formats.dng(1, size=(16, 12)))
    start = int.from_bytes(content[4:8], "little")
    number = int.from_bytes(content[start : start + 2], "little")
    content[start + 2 + 12 * number : start + 6 + 12 * number] = content[4:8]
    with opened(bytes(content)) as photo:
        assert photo.width == 16


# ── a folder of everything ────────────────────────────────────────────────────────────────────────────────


def place(terminal: Terminal, files: Mapping[str, bytes]) -> None:
    """Each file, and what is left of it when it is cut."""
    terminal.pictures.mkdir()
    for name, content in files.items():
        (terminal.pictures / name).write_bytes(content)
        (terminal.pictures / f"cut-{name}").write_bytes(content[: CUTS.get(name, len(content) // 2)])


def scanned(terminal: Terminal, *arguments: str) -> tuple[list[str], str, str]:
    """The names with tags, what is said on standard output, and on standard error."""
    result = terminal.run("scan", str(terminal.pictures), "--executor", "threads", *arguments)
    names = [line.split("  ")[0] for line in result.stdout.splitlines()]
    return sorted(name for name in names if name in GOOD | FILMS), result.stdout, result.stderr


def test_each_format_is_tagged_and_each_corrupt_one_named_once(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    every = GOOD | FILMS
    place(terminal, every)
    tagged, _, errors = scanned(terminal, "--videos")
    assert tagged == sorted(every)
    named = [line for line in errors.splitlines() if "cut-" in line]
    assert sorted(line.split()[1] for line in named) == sorted(f"cut-{name}" for name in every)
    assert scanned(terminal, "--videos")[2] == "", "known failures are not named again"


def test_a_zip_of_every_format_gets_the_same_tags(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    every = GOOD | FILMS
    terminal.pictures.mkdir()
    for name, content in every.items():
        (terminal.pictures / name).write_bytes(content)
    archive = tmp_path / "all.zip"
    archive.write_bytes(zipped(every))
    folder, again = (
        {line for line in terminal.ok("scan", str(where), "--videos").splitlines() if line[1:2] == "."}
        for where in (terminal.pictures, archive)
    )
    assert folder == again and len(again) == len(every)


def test_what_needs_an_extra_is_named_with_it_and_taken_up_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path)
    terminal.pictures.mkdir()
    for name in ("a.jpg", "h.heic", DEVELOPED, "o.mp4"):
        (terminal.pictures / name).write_bytes((GOOD | FILMS)[name])
    assert "1 videos not looked at (--videos does, with tigertag[video])" in scanned(terminal, "--dry-run")[1]
    with monkeypatch.context() as without:
        without.setattr("tigertag.media.decode.can_decode", lambda extra: extra == "avif")
        without.setattr("tigertag.pipeline.scan.can_decode", lambda extra: extra == "avif")
        without.setitem(Image.OPEN, "HEIF", None)
        without.delitem(Image.OPEN, "HEIF")
        without.setitem(sys.modules, "tigertag.media.film", None)
        tagged, said, _ = scanned(terminal, "--videos")
    assert tagged == ["a.jpg"]
    for extra in ("raw", "heic", "video"):
        assert f"1 needs tigertag[{extra}]: pip install 'tigertag[{extra}]'" in " ".join(said.split())
    assert scanned(terminal, "--videos")[0] == ["h.heic", DEVELOPED, "o.mp4"]

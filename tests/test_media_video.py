"""Videos: seen through a frame, and only where they are asked for."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.archives import zipped
from tests.cli.terminal import Terminal
from tests.formats import video
from tests.pictures import draw, jpeg_bytes
from tigertag.errors import MissingDecoder, PhotoError
from tigertag.media import OpenPhoto, is_picture, open_photo
from tigertag.model import Rendition


def opened(content: bytes, name: str = "Summer/a.mp4") -> OpenPhoto:
    return open_photo(io.BytesIO(content), name)


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "webm", "avi", "mpegts"])
def test_a_video_is_seen_through_a_frame_from_its_middle(container: str) -> None:
    with opened(video(3, container=container)) as photo:
        shown = Image.open(io.BytesIO(photo.jpeg(Rendition())))
    assert shown.size == (photo.width, photo.height) == (320, 240)
    assert difference(shown, draw(3, (320, 240))) < 12


def test_the_same_video_is_the_same_photo_and_shows_the_same_frame() -> None:
    content = video(3)
    with opened(content) as one, opened(content) as other:
        assert one.content_id == other.content_id
        assert one.jpeg(Rendition(short_side=100)) == other.jpeg(Rendition(short_side=100))


def test_a_video_is_set_upright() -> None:
    with opened(video(3, turned=90)) as photo:
        assert (photo.width, photo.height) == (240, 320)
        shown = Image.open(io.BytesIO(photo.jpeg(Rendition())))
    assert shown.size == (240, 320)
    assert difference(shown, draw(3, (320, 240)).rotate(90, expand=True)) < 12


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi", "mpegts"])
def test_a_damaged_video_is_named_or_shown(container: str) -> None:
    content = bytearray(video(3, container=container))
    for at in range(60, len(content), 37):
        content[at] ^= 0x5A
    try:
        with opened(bytes(content)) as photo:
            photo.jpeg(Rendition())
    except PhotoError as error:
        assert str(error).startswith("Summer/a.mp4 ") and "\n" not in str(error)


def test_a_cut_video_is_named() -> None:
    content = video(3)
    with pytest.raises(PhotoError, match=r"^Summer/a\.mp4 (ends early|is a video that cannot be decoded)"):
        opened(content[: len(content) // 2])


def test_without_the_extra_a_video_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tigertag.media.film", None)
    with pytest.raises(MissingDecoder, match=r"needs tigertag\[video\]"):
        opened(video(3))


def test_a_video_is_no_picture_that_somebody_forgot_to_give_an_ending() -> None:
    assert not is_picture(video(3)[:512])


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.pictures.mkdir()
    (made.pictures / "film.mp4").write_bytes(video(1))
    (made.pictures / "a.jpg").write_bytes(jpeg_bytes(2, size=(64, 48)))
    (made.folder / "trip.zip").write_bytes(
        zipped({"film.mp4": video(1), "a.jpg": jpeg_bytes(2, size=(64, 48))})
    )
    return made


def test_videos_are_counted_where_nobody_asks_for_them(terminal: Terminal) -> None:
    assert "1 videos not looked at" in terminal.scan()


@pytest.mark.parametrize("kind", ["FOLDER", "ARCHIVE"])
def test_videos_are_tagged_where_they_are_asked_for(terminal: Terminal, kind: str) -> None:
    place = terminal.pictures if kind == "FOLDER" else terminal.folder / "trip.zip"
    terminal.settings |= {f"SOURCE_{kind}_PATH": str(place), f"SOURCE_{kind}_VIDEOS": "true"}
    found = {str(line["path"]) for line in terminal.lines("scan", "--executor", "threads") if line.get("add")}
    assert found == {"a.jpg", "film.mp4"}


def test_a_long_video_is_counted_and_not_read(terminal: Terminal) -> None:
    with (terminal.pictures / "long.mp4").open("wb") as file:
        file.truncate((512 << 20) + 1)
    terminal.settings |= {"SOURCE_FOLDER_PATH": str(terminal.pictures), "SOURCE_FOLDER_VIDEOS": "true"}
    assert "1 videos over 512 MiB not looked at" in terminal.ok("scan", "--executor", "threads")

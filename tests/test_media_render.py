"""Several pictures from one decode, and leaving the decoding to somebody else."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.pictures import draw, jpeg_bytes
from tigertag.errors import PhotoError, WorkerLost
from tigertag.media import File, Here, OpenPhoto, Size, open_photo
from tigertag.model import Rendition

LARGE = Rendition(long_side=1600, quality=95)
SMALL = Rendition(short_side=300, quality=95)


def opened(content: bytes) -> OpenPhoto:
    return open_photo(io.BytesIO(content), "Summer/a.jpg")


def difference(one: bytes, other: bytes) -> float:
    """The mean difference of two pictures of one size, in values of 0..255."""
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        assert first.size == second.size
        return max(ImageStat.Stat(ImageChops.difference(first, second)).mean)


def test_a_small_picture_made_of_a_large_one_looks_as_if_made_alone() -> None:
    photo = opened(jpeg_bytes(3, size=(1800, 1200)))
    both = Here().render(photo.file, [SMALL, LARGE])
    assert set(both) == {SMALL, LARGE}
    assert difference(both[SMALL], Here().render(photo.file, [SMALL])[SMALL]) < 1
    assert both[LARGE] == Here().render(photo.file, [LARGE])[LARGE]


def test_the_order_in_which_pictures_are_wanted_changes_nothing() -> None:
    photo = opened(jpeg_bytes(4, size=(1800, 1200)))
    assert Here().render(photo.file, [SMALL, LARGE]) == Here().render(photo.file, [LARGE, SMALL])


def test_a_picture_within_the_limit_keeps_its_size() -> None:
    photo = opened(jpeg_bytes(5, size=(800, 200)))
    made = Here().render(photo.file, [LARGE, SMALL])
    with Image.open(io.BytesIO(made[LARGE])) as large, Image.open(io.BytesIO(made[SMALL])) as small:
        assert large.size == small.size == (800, 200)


def test_what_is_prepared_is_what_is_asked_for_later() -> None:
    with opened(jpeg_bytes(6, size=(900, 600))) as photo:
        photo.prepare([SMALL, LARGE])
        made = photo.made([SMALL, LARGE])
        assert photo.jpeg(SMALL) == made[SMALL]
        assert photo.jpeg(LARGE) == made[LARGE]


def test_what_kept_a_picture_from_being_made_is_raised_when_it_is_asked_for() -> None:
    with opened(jpeg_bytes(7)) as photo:
        photo.keep({SMALL: PhotoError("Summer/a.jpg ends early")})
        with pytest.raises(PhotoError, match="ends early"):
            photo.jpeg(SMALL)


class Elsewhere:
    """A decoder that notes what it is given."""

    def __init__(self) -> None:
        self.measured: list[str] = []

    def size(self, file: File) -> Size:
        self.measured.append(file.anatomy.form)
        return Here().size(file)

    def render(self, file: File, renditions: Sequence[Rendition]) -> Mapping[Rendition, bytes]:
        raise WorkerLost("crashed the program that looked at it (SIGSEGV)")


def test_native_code_never_sees_a_file_in_this_process_where_somebody_else_decodes() -> None:
    webp = io.BytesIO()
    draw(1, size=(64, 48)).save(webp, "WEBP")
    decoder = Elsewhere()
    for content in (webp.getvalue(), jpeg_bytes(1)):
        with open_photo(io.BytesIO(content), "a", decoder=decoder) as photo, pytest.raises(WorkerLost):
            photo.jpeg(SMALL)
    assert decoder.measured == ["WEBP"]


def test_a_file_travels_with_its_bytes() -> None:
    photo = opened(jpeg_bytes(8, size=(640, 480)))
    there = pickle.loads(pickle.dumps(photo.file))
    assert Here().render(there, [SMALL]) == Here().render(photo.file, [SMALL])


@pytest.mark.skipif(sys.platform != "linux", reason="files of this process are named in /proc")
def test_a_large_file_travels_as_a_path_to_who_can_read_it() -> None:
    large = jpeg_bytes(9, size=(640, 480)) + bytes(17 << 20)
    with open_photo(io.BytesIO(large), "a.jpg", by_path=True) as photo:
        letter = pickle.dumps(photo.file)
        assert len(letter) < 10_000
        there = pickle.loads(letter)
        assert isinstance(there.content, Path)
        with Image.open(io.BytesIO(Here().render(there, [SMALL])[SMALL])) as small:
            assert min(small.size) == 300

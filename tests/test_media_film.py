"""Which frames a video is seen through, and what becomes of what engines say of each."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from tests.formats import film
from tests.pictures import draw
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.engines.ocr import OcrEngine, OcrOptions
from tigertag.engines.ocr_line import Line
from tigertag.errors import PhotoError
from tigertag.media import OpenPhoto, open_photo
from tigertag.media.film import FRAMES, places
from tigertag.media.render import Here
from tigertag.media.strip import frames_of, together
from tigertag.model import Analysis, Annotation, Kind, Rendition
from tigertag.worker import Parcel

SIZE = (160, 120)
BLACK = Image.new("RGB", SIZE)
SCENES = [draw(seed, SIZE) for seed in range(6)]
EVERY = Rendition(long_side=160, frames=True)


def opened(content: bytes) -> OpenPhoto:
    return open_photo(io.BytesIO(content), "a.mp4")


def shown(photo: OpenPhoto, rendition: Rendition | None = None) -> Image.Image:
    return Image.open(io.BytesIO(photo.jpeg(rendition or Rendition())))


def is_like(one: Image.Image, other: Image.Image) -> bool:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean) < 14


def scene_of(picture: Image.Image) -> int:
    """The number of the scene that a picture shows."""
    return next(number for number, scene in enumerate(SCENES) if is_like(picture, scene))


def frames(content: bytes) -> list[int]:
    with opened(content) as photo:
        views = list(frames_of(photo, EVERY))
        return [scene_of(Image.open(io.BytesIO(view.jpeg(EVERY)))) for view in views]


def test_frames_come_from_all_over_a_video() -> None:
    assert [round(place, 6) for place in places(FRAMES)] == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert sorted(frames(film(SCENES[:5], each=24))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "webm", "avi", "mpegts"])
def test_they_do_so_where_only_the_first_frame_stands_for_itself(container: str) -> None:
    content = film(SCENES[:5], container=container, each=12, between=1000)
    assert sorted(frames(content)) == [0, 1, 2, 3, 4]


def test_the_frame_most_like_the_others_stands_for_the_video() -> None:
    odd_one_in_the_middle = [SCENES[0], SCENES[0], SCENES[3], SCENES[0], SCENES[0]]
    assert frames(film(odd_one_in_the_middle, each=12)) == [0, 0, 3, 0, 0]
    with opened(film(odd_one_in_the_middle, each=12)) as photo:
        assert is_like(shown(photo), SCENES[0])


def test_frames_that_show_nothing_are_left_out() -> None:
    assert frames(film([BLACK, BLACK, BLACK, SCENES[2], BLACK], each=12)) == [2]
    assert sorted(frames(film([BLACK, SCENES[1], BLACK, SCENES[2], BLACK], each=12))) == [1, 2]


def test_a_video_of_nothing_but_black_is_still_shown() -> None:
    with opened(film([BLACK], each=12)) as photo:
        assert is_like(shown(photo), BLACK)
        assert len(list(frames_of(photo, EVERY))) == 1


def test_one_frame_is_enough() -> None:
    assert frames(film([SCENES[1]], each=1)) == [1]


def test_a_strip_has_its_frames_one_below_the_other_the_first_for_all(request: pytest.FixtureRequest) -> None:
    content = film([SCENES[0], SCENES[0], SCENES[3], SCENES[0], SCENES[0]], each=12)
    with opened(content) as photo:
        small, large = Rendition(long_side=80), Rendition(long_side=160)
        made = Here().render(photo.file, (small, large, EVERY))
        sizes = {one: Image.open(io.BytesIO(jpeg)).size for one, jpeg in made.items()}
        assert sizes == {small: (80, 60), large: (160, 120), EVERY: (160, 600)}
        assert made[large] == photo.jpeg(large), "what stands for a video is the same bytes, whoever asks"


def test_a_photo_is_a_strip_of_itself() -> None:
    file = io.BytesIO()
    SCENES[1].save(file, "JPEG")
    with opened(file.getvalue()) as photo:
        (only,) = frames_of(photo, EVERY)
        assert only.jpeg(EVERY) == photo.jpeg(Rendition(long_side=160))


def test_a_turned_video_is_cut_into_upright_frames() -> None:
    with opened(film(SCENES[:5], each=12, turned=90)) as photo:
        views = list(frames_of(photo, EVERY))
        assert (len(views), photo.width, photo.height) == (5, 120, 160)
        assert {Image.open(io.BytesIO(view.jpeg(EVERY))).size for view in views} == {(120, 160)}


@pytest.mark.parametrize("container", ["matroska", "webm", "avi", "mp4", "mov"])
def test_a_video_that_was_cut_ends_early(container: str) -> None:
    content = film(SCENES[:3], container=container)
    for length in (len(content) // 2, len(content) - 5):
        with pytest.raises(PhotoError, match=r"^a\.mp4 ends early"):
            opened(content[:length])


def test_a_codec_that_nobody_knows_is_named() -> None:
    content = film(SCENES[:1], container="matroska").replace(b"V_MPEG4/ISO/ASP", b"V_NOBODYS/OWN/A")
    with pytest.raises(PhotoError, match=r"^a\.mp4 is a video that cannot be decoded \(FFmpeg does not know"):
        opened(content)


FILMS = [film(SCENES[:3], container=each, each=3, between=100) for each in ("mp4", "matroska", "avi", "mpegts")]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(data=st.data())
def test_damage_anywhere_in_a_video_is_a_photo_error_or_nothing(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(FILMS)))
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with opened(bytes(content)) as photo:
            photo.jpeg(EVERY)
    except PhotoError as error:
        assert "\n" not in str(error)


# What engines say.


class Reader:
    """Reads in each frame the brightness of its left upper corner."""

    def __init__(self) -> None:
        self.asked = 0

    def lines(self, jpeg: bytes) -> Sequence[Line]:
        self.asked += 1
        corner = Image.open(io.BytesIO(jpeg)).convert("L").getpixel((2, 2))
        return [
            Line(
                f"about {round(float(str(corner)), -1):.0f}",
                0.9,
                ((0.1, 0.1), (0.9, 0.1), (0.9, 0.3), (0.1, 0.3)),
            )
        ]


def test_text_is_read_on_every_frame_of_a_video_and_once_of_a_photo() -> None:
    reader = Reader()
    engine = OcrEngine(OcrOptions.model_validate({}), FakeMemory(), lambda: reader)
    flat = [
        Image.merge("RGB", [each.convert("L").point(lambda value, of=n: value // 2 + 20 * of)] * 3)
        for n, each in enumerate(SCENES[:5])
    ]
    with opened(film(flat, each=12)) as photo:
        parcel = Parcel(
            photo.name,
            photo.content_id,
            photo.input,
            photo.width,
            photo.height,
            Here().render(photo.file, engine.renditions),
        )
        (said,) = engine.analyze([parcel], FakePermit())
    assert isinstance(said, Analysis) and said.photo is parcel
    assert reader.asked == 5
    texts = {each.value for each in said.annotations if each.kind is Kind.TEXT}
    assert len(texts) > 1
    assert [each.name for each in said.annotations if each.kind is Kind.TAG] == ["text"]


def test_tags_of_frames_count_with_their_highest_confidence_and_measures_as_on_the_first() -> None:
    def said(**tags: float) -> Analysis:
        measure = Annotation(Kind.MEASURE, "sharpness", value=tags["dog"])
        return Analysis(
            photo, (*(Annotation(Kind.TAG, name, sure) for name, sure in tags.items()), measure), dropped=1
        )

    with opened(film([SCENES[0]], each=1)) as photo:
        found = together(photo, [said(dog=0.2), said(dog=0.9, cat=0.4), said(dog=0.5)])
    assert [(each.name, each.confidence) for each in found.annotations] == [
        ("dog", 0.9),
        ("cat", 0.4),
        ("sharpness", 1),
    ]
    assert (found.annotations[-1].value, found.dropped) == (0.2, 3)

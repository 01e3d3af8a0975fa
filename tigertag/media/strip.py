"""Frames of a video in one picture, one below the other, and back; and what is said of each of them.

So a video goes to engines as a photo does, and a photo is a strip of one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image

from tigertag.model import Analysis, Annotation, Kind, Photo, Rendition, fold

_LONGEST = 65_500
"""Pixels of a JPEG's side (ITU-T T.81, B.2.2), a little less as libjpeg has it."""
_QUALITY = 95
_KEPT_BEST = frozenset({Kind.TAG, Kind.PERSON, Kind.TEXT})


def strip(frames: Sequence[Image.Image]) -> Image.Image:
    """Frames of one size, one below the other; as many as a JPEG can hold."""
    width, height = frames[0].size
    fitting = frames[: max(1, _LONGEST // height)]
    if len(fitting) == 1:
        return fitting[0]
    made = Image.new("RGB", (width, height * len(fitting)))
    for place, frame in enumerate(fitting):
        made.paste(frame, (0, place * height))
    return made


@dataclass(frozen=True, slots=True)
class Frame(Photo):
    """One frame of a video as a photo of its own."""

    of: Photo
    shown: bytes

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def content_id(self) -> str:
        return self.of.content_id

    @property
    def input(self) -> str:
        return self.of.input

    @property
    def width(self) -> int:
        return self.of.width

    @property
    def height(self) -> int:
        return self.of.height

    def open(self) -> AbstractContextManager[BinaryIO]:
        return self.of.open()

    def jpeg(self, rendition: Rendition) -> bytes:
        """In the size in which it was cut out of the strip."""
        return self.shown


def frames_of(photo: Photo, rendition: Rendition) -> Iterator[Photo]:
    """The frames of a video, the one that stands for it first; any other photo is its only one.

    `rendition` is one with `frames`. Raises PhotoError where the picture cannot be decoded.
    """
    jpeg = photo.jpeg(rendition)
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        height = round(picture.width * photo.height / photo.width)
        number = round(picture.height / height) if height else 1
        if number < 2:
            yield Frame(photo, jpeg)
            return
        each = picture.height // number
        for place in range(number):
            cut = io.BytesIO()
            picture.crop((0, place * each, picture.width, (place + 1) * each)).save(
                cut, "JPEG", quality=_QUALITY
            )
            yield Frame(photo, cut.getvalue())


def together(photo: Photo, frames: Sequence[Analysis]) -> Analysis:
    """What is said of a video, from what is said of its frames, the one that stands for it first.

    Each tag, person and text with the highest confidence that it has on any frame; everything else, which is of
    one picture only, as it is on the first.
    """
    if len(frames) == 1:
        return replace(frames[0], photo=photo)
    best: dict[tuple[Kind, str, str, str], Annotation] = {}
    for said in frames:
        for each in said.annotations:
            if each.kind in _KEPT_BEST:
                key = (each.kind, fold(each.name), each.language, str(each.value or ""))
                if key not in best or each.confidence > best[key].confidence:
                    best[key] = each
    rest = tuple(each for each in frames[0].annotations if each.kind not in _KEPT_BEST)
    return Analysis(photo, (*best.values(), *rest), frames[0].raw, sum(said.dropped for said in frames))

"""People for the CompreFace stand-in: drawn, and found again after scaling and JPEG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from tests.pictures import exif, segment, with_segments

PEOPLE = {
    "magenta": (255, 0, 255),
    "lime": (0, 255, 0),
    "cyan": (0, 255, 255),
    "yellow": (255, 255, 0),
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
}
"""Who can be drawn, and in which colour."""
_DARK = (12, 12, 12)
_DETECTS = 640
"""Pixels into which the detector fits a picture, and the least a face must have there."""
_LEAST = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in pixels of the picture as it was sent."""

    who: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float

    @property
    def area(self) -> float:
        return (self.x_max - self.x_min) * (self.y_max - self.y_min)

    def box(self) -> dict[str, float]:
        corners = {name: round(getattr(self, name)) for name in ("x_min", "y_min", "x_max", "y_max")}
        return {"probability": 0.99, **corners}


def draw_people(
    *who: str, size: tuple[int, int] = (640, 480), seed: int = 0, orientation: int = 1, face: int = 80
) -> bytes:
    """A JPEG of these people side by side; another seed is another picture. `face` is a width in pixels.

    `size` is upright. Orientations 6 and 8 store it on its side, as cameras do.
    """
    picture = Image.new("RGB", size, (140 + seed % 60, 150, 150 - seed % 60))
    pen = ImageDraw.Draw(picture)
    for place, name in enumerate(who):
        x, y = 20 + place * (face + 20), 30 + seed % 20
        pen.rectangle((x, y, x + face - 1, y + face - 1), fill=PEOPLE[name])
        pen.rectangle((x, y + face, x + face - 1, y + face * 3 // 2), fill=_DARK)
    turn = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(orientation)
    file = io.BytesIO()
    (picture.transpose(turn) if turn is not None else picture).save(file, "JPEG", quality=92, subsampling=0)
    block = exif(camera=("Canon", "Canon EOS 6D"), orientation=orientation)
    return with_segments(file.getvalue(), segment(0xE1, block))


def drawn_faces(picture: Image.Image) -> Sequence[Seen]:
    """The people that `draw_people` drew and that are upright."""
    small = picture.copy()
    small.thumbnail((_DETECTS, _DETECTS))
    scale = picture.width / small.width
    return [
        Seen(who, *(corner * scale for corner in box))
        for who, colour in PEOPLE.items()
        for box in _patches(small, colour)
    ]


def _patches(small: Image.Image, colour: tuple[int, int, int]) -> Iterator[tuple[int, int, int, int]]:
    far = ImageChops.difference(small, Image.new("RGB", small.size, colour)).split()
    worst = ImageChops.lighter(ImageChops.lighter(far[0], far[1]), far[2])
    mask = worst.point(lambda value: 255 if value < 70 else 0)
    box = mask.getbbox()
    if box is None or min(box[2] - box[0], box[3] - box[1]) < _LEAST:
        return
    filled = mask.crop(box).histogram()[255] / ((box[2] - box[0]) * (box[3] - box[1]))
    chin = (box[0] + box[2]) // 2, min(box[3] + 5, small.height - 1)
    under = small.getpixel(chin)
    if filled > 0.85 and isinstance(under, tuple) and max(under) < 70:
        yield box

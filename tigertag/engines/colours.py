"""Which colours a picture has: shares of named colours, the dominant ones, black and white.

The confidence of a colour is its share of the picture, so `MIN_CONFIDENCE=50` writes a colour that covers half
of it. Black, grey and white count half: they say little about a photo, unless it is full of them. A picture
without colour is `black and white` and nothing else.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping

from PIL import Image, ImageChops
from pydantic import Field

from tigertag.engines.colours_palette import NEUTRAL, VERSION, chroma_of, word_of
from tigertag.local import SMALL_COPY, LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Kind, Photo
from tigertag.options import EngineOptions

BLACK_AND_WHITE = "black and white"

_SIDE = 128
"""Pixels of the longer side that are looked at."""
_SMALLEST_SHARE = 0.02
"""Smaller ones are not told."""
_LEAST_OF_A_COLOUR = 0.1
"""A share below it is no tag, whatever the policy."""

# A frame is uniform but for what JPEG makes of it, and takes less of a side than this; more is background.
_FRAME_TOLERANCE = 12
_WIDEST_FRAME = 0.35
_EDGE = 3
"""Pixels of the picture that is looked at; JPEG's blocks of colour are 16 of the copy it is made of."""

# Chroma, as `described` measures it: 0.000 of grey photos; of 46 real ones in colour 0.078 and more, and of the
# same toned like sepia 0.047 to 0.068. Between the two limits lies paper that is tinted a little.
_SURELY_GREY = 0.015
_SURELY_COLOURED = 0.04


class ColoursOptions(EngineOptions):
    """Options of the colours engine."""

    min_confidence: float = Field(
        50, ge=0, le=100, description="Percent of the picture that a colour must cover to be written."
    )
    max_tags: int | None = Field(1, ge=1, description="Colours a photo gets at most.")


class ColoursEngine(LocalEngine):
    """Named colours with their shares. Nothing leaves this computer."""

    Options = ColoursOptions
    name = "colours"
    renditions = (SMALL_COPY,)
    does = "looks at small copies"

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {"palette": VERSION}

    def answer(self, photo: Photo) -> Analysis:
        return Analysis(photo, tuple(described(photo.jpeg(SMALL_COPY))))


def described(jpeg: bytes) -> Iterator[Annotation]:
    """What is said of a picture: tags by falling share, then measures.

    Measures: `share of <colour>` of the pixels within a frame, 0..1, from 0.02 on; `chroma`, of the most
    colourful hundredth, in OKLab: 0 is grey, 0.32 the most that a screen can show.
    """
    found = colours_of(_small(jpeg))
    shares = _by_share(found)
    chroma = _chroma(found)
    grey = min(1.0, max(0.0, (_SURELY_COLOURED - chroma) / (_SURELY_COLOURED - _SURELY_GREY)))
    if grey:
        yield Annotation(Kind.TAG, BLACK_AND_WHITE, grey)
    for word, share in shares.items():
        # To call a black and white picture grey would say nothing, to call a yellowed one brown nothing true.
        confidence = share * (1 - grey) * (0.5 if word in NEUTRAL else 1)
        if confidence >= _LEAST_OF_A_COLOUR:
            yield Annotation(Kind.TAG, word, confidence)
    yield from (Annotation(Kind.MEASURE, f"share of {word}", value=share) for word, share in shares.items())
    yield Annotation(Kind.MEASURE, "chroma", value=round(chroma, 4))


def colours_of(picture: Image.Image) -> Counter[tuple[int, int, int]]:
    """The colours within the frame, if there is one, in 32 steps of each part, with their numbers of pixels."""
    inner = picture.crop(_within_frame(picture))
    coarse = inner.point([value & 0xF8 | 4 for value in range(256)] * 3)
    found = coarse.getcolors(coarse.width * coarse.height) or ()
    return Counter(
        {(colour[0], colour[1], colour[2]): number for number, colour in found if isinstance(colour, tuple)}
    )


def _small(jpeg: bytes) -> Image.Image:
    """True colours of the picture: pixels are picked, not mixed, lest red and green stripes turn brown."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        picture.draft("RGB", (2 * _SIDE, 2 * _SIDE))
        rgb = picture.convert("RGB")
    rgb.thumbnail((_SIDE, _SIDE), Image.Resampling.NEAREST)
    return rgb


def _within_frame(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box within a uniform frame, or between bars; the whole picture where there is none."""
    width, height = picture.size
    whole = (0, 0, width, height)
    box = _unlike(picture, picture.getpixel((0, 0)))
    if box is None:
        return whole
    margins = (box[0] / width, box[1] / height, 1 - box[2] / width, 1 - box[3] / height)
    opposite = (margins[0] and margins[2]) or (margins[1] and margins[3])
    if not opposite or max(margins) > _WIDEST_FRAME:
        return whole
    return _shrunk(box)


def _shrunk(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Without the edge into which JPEG lets the frame's colour run."""
    left, top, right, bottom = box
    across, down = (min(_EDGE, (size - 1) // 2) for size in (right - left, bottom - top))
    return left + across, top + down, right - across, bottom - down


def _unlike(picture: Image.Image, colour: float | tuple[int, ...] | None) -> tuple[int, int, int, int] | None:
    """The smallest box with all that is not of this colour; None where everything is."""
    flat = Image.new("RGB", picture.size, colour)
    difference = ImageChops.difference(picture, flat)
    return difference.point(lambda value: 255 if value > _FRAME_TOLERANCE else 0).getbbox()


def _by_share(found: Mapping[tuple[int, int, int], int]) -> dict[str, float]:
    """Word → share 0..1 of all pixels, the largest first."""
    shares: Counter[str] = Counter()
    for colour, number in found.items():
        shares[word_of(*colour)] += number
    all_pixels = sum(found.values())
    ordered = sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    return {
        word: round(number / all_pixels, 3)
        for word, number in ordered
        if number >= _SMALLEST_SHARE * all_pixels
    }


def _chroma(found: Mapping[tuple[int, int, int], int]) -> float:
    """What all but a hundredth of the pixels do not exceed."""
    left = sum(found.values()) / 100
    for chroma, number in sorted(((chroma_of(*colour), n) for colour, n in found.items()), reverse=True):
        left -= number
        if left < 0:
            return chroma
    return 0.0

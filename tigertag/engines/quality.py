"""Whether a photo came out: sharpness, exposure, noise, and whether there is anything on it at all.

Everything is measured on a copy of 512 pixels, so it is about what one sees of a photo on a screen: a slight
blur that shows at full size only is no fault here. The tags `blurry`, `overexposed`, `underexposed` and `blank`
have a confidence that rises with the fault; the default `MIN_CONFIDENCE` leaves the clear ones.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping

from PIL import Image
from pydantic import Field

from tigertag.engines.quality_measures import Measures, measures
from tigertag.local import SMALL_COPY, LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Kind, Photo
from tigertag.options import EngineOptions

_VERSION = 1
"""Raised when measures or confidences below come out otherwise."""


class QualityOptions(EngineOptions):
    """Options of the quality engine."""

    min_confidence: float = Field(
        60, ge=0, le=100, description="Percent; higher leaves only the worst photos with a tag."
    )


class QualityEngine(LocalEngine):
    """Sharpness, exposure, noise. Nothing leaves this computer."""

    Options = QualityOptions
    name = "quality"
    renditions = (SMALL_COPY,)
    does = "looks at small copies"

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {"measures": _VERSION}

    def answer(self, photo: Photo) -> Analysis:
        return Analysis(photo, tuple(_annotations(photo.jpeg(SMALL_COPY))))


def _annotations(jpeg: bytes) -> Iterator[Annotation]:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        found = measures(picture.convert("RGB"))
    for name, confidence in faults(found).items():
        if confidence > 0:
            yield Annotation(Kind.TAG, name, round(confidence, 3))
    for name, value in found.named().items():
        yield Annotation(Kind.MEASURE, name, value=value)


def faults(found: Measures) -> dict[str, float]:
    """Fault → confidence 0..1. What is blank has no other fault.

    Where the slopes begin and end comes from 47 real photos, as they are and blurred by a Gaussian of 2 pixels.
    As they are, the least sharp has 261, and the most blurred look is 0.47; blurred, the sharpest has 45, and
    the least blurred look is 0.58.
    """
    blank = _slope(found.spread, 40, 8)
    something = 1 - blank
    sharpness = math.log(max(1.0, found.sharpness))
    return {
        "blank": blank,
        # A photo in fog has little contrast and no blurred look, one with a soft background the reverse.
        "blurry": something
        * min(_slope(sharpness, math.log(160), math.log(10)), _slope(found.blur, 0.45, 0.6)),
        # Snow and paper are white as well, but not all over.
        "overexposed": something
        * min(_slope(found.highlights, 0.1, 0.4), _slope(found.brightness, 0.55, 0.75)),
        # At night there is a light somewhere.
        "underexposed": something * min(_slope(found.brightest, 0.5, 0.2), _slope(found.brightness, 0.2, 0.08)),
    }


def _slope(value: float, none: float, full: float) -> float:
    """0 at `none` and beyond, 1 at `full` and beyond, even between."""
    return min(1.0, max(0.0, (value - none) / (full - none)))

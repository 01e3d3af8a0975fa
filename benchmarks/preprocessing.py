"""What shrinking on load changes: pixels and vectors against a picture that is decoded whole and scaled once.

The reference knows nothing of TigerTag: Pillow opens, turns and converts the file, scales it to the model's
size and cuts out the middle. The model has random weights.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from benchmarks.clip import heavy
from benchmarks.figure import Figure
from benchmarks.pictures import REAL, different_pictures
from tigertag.engines.clip import facts, files
from tigertag.engines.clip.facts import Pixels
from tigertag.engines.clip.pixels import prepared, rendition_for
from tigertag.engines.clip.towers import Towers
from tigertag.media.photo import open_photo

_DRAWN = 40
_LEVELS, _MOST, _COSINE = 3.0, 96.0, 0.99
"""The tolerance: of 255 levels on average and at most, and how close the vectors must be."""

Floats = NDArray[np.float32]


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """The 47 real photos where they are at hand; always all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    model = files.find(heavy(folder / "model", rounds=4), "")
    known = facts.read(model)
    pixels = known.pixels
    assert pixels.mean is not None and pixels.std is not None
    ours, plain = [], []
    for data in _pictures():
        with open_photo(io.BytesIO(data), "photo.jpg") as photo:
            jpeg = photo.jpeg(rendition_for(pixels))
            ours.append(prepared(jpeg, pixels, (photo.width, photo.height)))
        plain.append(_reference(data, pixels))
    levels = np.abs(np.stack(ours) - np.stack(plain)) * np.array(pixels.std)[:, None, None] * 255
    towers = Towers(model, known, "cpu", 1)
    one, other = towers.images(ours), towers.images(plain)
    middle = other.mean(axis=0)
    close = [_cosine(a - middle, b - middle) for a, b in zip(one, other, strict=True)]
    kind = "real" if any(REAL.glob("*.jpg")) else "drawn"
    what = f"{len(ours)} {kind} photos to {pixels.short_side} pixels, over twice that and JPEG"
    yield Figure(
        "mean difference of pixels", float(levels.mean()), "levels", "lower", _LEVELS, "tolerance", what
    )
    yield Figure(
        "largest difference of a pixel", float(levels.max()), "levels", "lower", _MOST, "tolerance", what
    )
    yield Figure(
        "least cosine of vectors",
        min(close),
        "",
        "higher",
        _COSINE,
        "tolerance",
        f"{what}; less what all vectors share; mean {np.mean(close):.4f}",
    )


def _pictures() -> Iterator[bytes]:
    found = sorted(REAL.glob("*.jpg"))
    yield from (path.read_bytes() for path in found) if found else different_pictures(_DRAWN)


def _reference(data: bytes, pixels: Pixels) -> Floats:
    with Image.open(io.BytesIO(data)) as opened:
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened)
        if profile:
            there, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            picture = ImageCms.profileToProfile(picture, there, srgb, outputMode="RGB") or picture
        picture = picture.convert("RGB")
    side = pixels.shortest or 0
    width, height = picture.size
    size = (side, int(side * height / width)) if width <= height else (int(side * width / height), side)
    small = picture.resize(size, Image.Resampling(pixels.resample))
    left, top = (small.width - side) // 2, (small.height - side) // 2
    values = np.asarray(small.crop((left, top, left + side, top + side)), np.float64) / 255
    values = (values - np.array(pixels.mean)) / np.array(pixels.std)
    return np.asarray(values.transpose(2, 0, 1), np.float32)


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))

"""What can be measured of a small picture without knowing what is on it. Pure; Pillow does the arithmetic."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageStat

_LAPLACE = (0, 1, 0, 1, -4, 1, 0, 1, 0)
_NOISE = (1, -2, 1, -2, 4, -2, 1, -2, 1)
_BLACK, _WHITE = 2, 253
"""Grey levels up to which, and from which on, nothing can be told apart any more; JPEG moves them a little."""

_LITTLE_LOST = 255 / 50
"""A fiftieth of a tile, where what is clipped is 255 and all else 0."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a picture of at most 512 pixels; grey levels go from 0 to 255."""

    sharpness: float
    """Variance of the Laplacian, in squared grey levels, in the sharpest of 16 tiles; 0: nothing to be seen.

    J. L. Pech-Pacheco et al., *Diatom autofocusing in brightfield microscopy*, 2000.
    """
    blur: float
    """0..1: how little another blur would change; 1 where there is nothing to be seen.

    F. Crété-Roffet et al., *The Blur Effect*, 2007.
    """
    brightness: float
    """Mean grey, 0..1."""
    brightest: float
    """Grey that all but a hundredth of the pixels do not exceed, 0..1."""
    highlights: float
    """Share of the pixels that are clipped to white, 0..1."""
    shadows: float
    """Share of the pixels that are clipped to black, 0..1."""
    spread: int
    """Levels between the darkest and the brightest hundredth, of the channel that has the most, 0..255."""
    noise: float
    """Standard deviation in grey levels, in the smoothest of 64 tiles that are not clipped.

    J. Immerkær, *Fast Noise Variance Estimation*, 1996. Where nothing is smooth, as in a wood, it is too high.
    """

    def named(self) -> dict[str, float]:
        """Each by its name, rounded."""
        return {
            "sharpness": round(self.sharpness, 1),
            "blur": round(self.blur, 3),
            "brightness": round(self.brightness, 3),
            "clipped highlights": round(self.highlights, 4),
            "clipped shadows": round(self.shadows, 4),
            "spread": self.spread,
            "noise": round(self.noise, 2),
        }


def measures(picture: Image.Image) -> Measures:
    """Of a picture in RGB."""
    grey = picture.convert("L")
    histogram = grey.histogram()
    pixels = sum(histogram)
    return Measures(
        sharpness=_sharpness(grey),
        blur=_blur(grey),
        brightness=sum(level * number for level, number in enumerate(histogram)) / pixels / 255,
        brightest=_level(histogram, 0.99) / 255,
        highlights=sum(histogram[_WHITE:]) / pixels,
        shadows=sum(histogram[: _BLACK + 1]) / pixels,
        spread=max(_spread(channel.histogram()) for channel in picture.split()),
        noise=_noise(grey),
    )


def _sharpness(grey: Image.Image) -> float:
    up, down = _filtered(grey, _LAPLACE)
    found = ImageMath.lambda_eval(lambda parts: parts["up"] - parts["down"], up=up, down=down)
    squared = ImageMath.lambda_eval(lambda parts: parts["found"] * parts["found"], found=found)
    means, mean_squares = _tiles(found, 4), _tiles(squared, 4)
    return max(square - mean * mean for mean, square in zip(means, mean_squares, strict=True))


def _blur(grey: Image.Image) -> float:
    """The worse of the two directions, so that a shake is found whichever way the hand went."""
    return max(_blur_along(grey, 1, 0), _blur_along(grey, 0, 1))


def _blur_along(grey: Image.Image, right: int, down: int) -> float:
    soft = grey.filter(ImageFilter.BoxBlur((4 * right, 4 * down)))
    steps, soft_steps = (_steps(each, right, down) for each in (grey, soft))
    all_steps = ImageStat.Stat(steps).sum[0]
    lost = ImageStat.Stat(ImageChops.subtract(steps, soft_steps)).sum[0]
    return float((all_steps - lost) / all_steps) if all_steps else 1.0


def _steps(grey: Image.Image, right: int, down: int) -> Image.Image:
    """How much each pixel differs from its neighbour."""
    width, height = grey.size
    there, here = (right, down, width, height), (0, 0, width - right, height - down)
    return ImageChops.difference(grey.crop(there), grey.crop(here))


def _noise(grey: Image.Image) -> float:
    found = ImageChops.add(*_filtered(grey, _NOISE))
    clipped = _inside(grey).point(lambda level: 0 if _BLACK < level < _WHITE else 255)
    pairs = zip(_tiles(found, 8), _tiles(clipped, 8), strict=True)
    told = [each for each, lost in pairs if lost < _LITTLE_LOST]
    return math.sqrt(math.pi / 2) / 6 * min(told, default=0.0)


def _filtered(grey: Image.Image, kernel: Sequence[int]) -> tuple[Image.Image, Image.Image]:
    """What is above 0 after a filter, and what is below, each cut off at 255, without the border."""
    return (
        _inside(grey.filter(ImageFilter.Kernel((3, 3), kernel, scale=1))),
        _inside(grey.filter(ImageFilter.Kernel((3, 3), [-each for each in kernel], scale=1))),
    )


def _inside(picture: Image.Image) -> Image.Image:
    """Without the border of a pixel that a filter leaves as it was; as it is where there is nothing else."""
    if min(picture.size) < 3:
        return picture
    return picture.crop((1, 1, picture.width - 1, picture.height - 1))


def _tiles(picture: Image.Image, number: int) -> list[float]:
    """The means of `number` times `number` tiles, by rows."""
    means = picture.convert("F").resize((number, number), Image.Resampling.BOX)
    return list(array("f", means.tobytes()))


def _spread(histogram: Sequence[int]) -> int:
    return _level(histogram, 0.99) - _level(histogram, 0.01)


def _level(histogram: Sequence[int], share: float) -> int:
    """The level that this share of the pixels does not exceed."""
    left = share * sum(histogram)
    for level, number in enumerate(histogram):
        left -= number
        if left <= 0:
            return level
    return len(histogram) - 1

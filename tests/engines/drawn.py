"""Pictures with known answers, as photos, for the engines that look at pixels alone."""

from __future__ import annotations

import io

from PIL import Image

from tigertag.contract.stand_ins import FakePhoto


def photo(picture: Image.Image, name: str = "Summer/drawn.png") -> FakePhoto:
    """A photo of exactly these pixels."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return FakePhoto(file.getvalue(), name)


def bars(*parts: tuple[str, int], height: int = 300) -> Image.Image:
    """Colours side by side, each so many pixels wide."""
    picture = Image.new("RGB", (sum(width for _, width in parts), height))
    left = 0
    for colour, width in parts:
        picture.paste(colour, (left, 0, left + width, height))
        left += width
    return picture


def framed(picture: Image.Image, colour: str, sides: int, ends: int) -> Image.Image:
    """The picture in a frame: so many pixels left and right, and above and below."""
    whole = Image.new("RGB", (picture.width + 2 * sides, picture.height + 2 * ends), colour)
    whole.paste(picture, (sides, ends))
    return whole

"""Pictures to show to plugins under test: a different scene for each seed, the same bytes each time."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]

_SKIES: dict[str, tuple[Colour, Colour]] = {
    "morning": ((120, 160, 215), (250, 215, 180)),
    "afternoon": ((60, 130, 215), (200, 225, 245)),
    "evening": ((70, 60, 120), (250, 140, 70)),
    "night": ((8, 10, 30), (40, 45, 80)),
}
_GROUNDS: tuple[Colour, ...] = ((70, 120, 60), (200, 180, 130), (225, 230, 240), (60, 100, 130), (110, 90, 70))


def draw(seed: int, size: tuple[int, int] = (640, 480), daypart: str = "afternoon") -> Image.Image:
    """A landscape: sky with sun or moon, hills, water, trees, houses, a sign with the seed."""
    dice = random.Random(seed)
    top, bottom = _SKIES[daypart]
    sky = ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom)
    pen = ImageDraw.Draw(sky)
    width, height = size
    x, y, r = dice.randint(0, width), dice.randint(height // 10, height // 3), height // dice.randint(12, 20)
    pen.ellipse((x - r, y - r, x + r, y + r), fill=(255, 245, 200))
    ground = dice.choice(_GROUNDS)
    for layer in range(3):
        _hills(pen, dice, size, layer, ground)
    for _ in range(dice.randint(3, 12)):
        _tree(pen, dice, size)
    for _ in range(dice.randint(0, 3)):
        _house(pen, dice, size)
    pen.text((width * 0.05, height * 0.92), f"km {seed}", fill=(20, 20, 20))
    return sky.filter(ImageFilter.GaussianBlur(0.7))


def _hills(
    pen: ImageDraw.ImageDraw, dice: random.Random, size: tuple[int, int], layer: int, ground: Colour
) -> None:
    width, height = size
    level, swing, phase = height * (0.5 + 0.15 * layer), height * dice.uniform(0.02, 0.12), dice.uniform(0, 7)
    waves = dice.uniform(1, 4)
    crest = [(x, level + swing * math.sin(phase + waves * 6 * x / width)) for x in range(0, width + 8, 8)]
    shade = tuple(int(part * (0.6 + 0.2 * layer)) for part in ground)
    pen.polygon([*crest, (width, height), (0, height)], fill=shade)


def _tree(pen: ImageDraw.ImageDraw, dice: random.Random, size: tuple[int, int]) -> None:
    x, y = dice.randint(0, size[0]), dice.randint(int(size[1] * 0.6), int(size[1] * 0.9))
    h = size[1] // dice.randint(6, 14)
    pen.rectangle((x - h // 12, y - h // 3, x + h // 12, y), fill=(80, 55, 35))
    green = (dice.randint(20, 160), dice.randint(80, 140), 40)
    pen.polygon([(x - h // 3, y - h // 3), (x + h // 3, y - h // 3), (x, y - h)], fill=green)


def _house(pen: ImageDraw.ImageDraw, dice: random.Random, size: tuple[int, int]) -> None:
    x, y = dice.randint(0, size[0]), dice.randint(int(size[1] * 0.65), int(size[1] * 0.85))
    w = size[1] // dice.randint(6, 10)
    wall = (dice.randint(150, 240), dice.randint(120, 220), dice.randint(100, 200))
    pen.rectangle((x, y - w // 2, x + w, y), fill=wall)
    pen.polygon(
        [(x - w // 10, y - w // 2), (x + w + w // 10, y - w // 2), (x + w // 2, y - w)], fill=(140, 50, 40)
    )
    pen.rectangle((x + w // 5, y - w // 3, x + w * 2 // 5, y - w // 7), fill=(250, 230, 130))


def jpeg(seed: int, size: tuple[int, int] = (640, 480)) -> bytes:
    """The scene `seed` as a JPEG without metadata."""
    file = io.BytesIO()
    draw(seed, size).save(file, "JPEG", quality=80)
    return file.getvalue()

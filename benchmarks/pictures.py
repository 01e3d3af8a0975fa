"""Pictures that all differ, as large as photos are."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.pictures import draw

REAL = Path(__file__).parents[1].parent / "shared" / "photos"
"""Photos to make pictures of, where they are at hand; else they are drawn."""


def different_pictures(count: int) -> Iterator[bytes]:
    """`count` JPEGs: each photo in turn, a few more pixels cropped at every round, encoded again."""
    originals = _originals()
    for number in range(count):
        image = originals[number % len(originals)]
        crop = 1 + number // len(originals)
        file = io.BytesIO()
        image.crop((crop, crop, image.width - crop, image.height - crop)).save(file, "JPEG", quality=88)
        yield file.getvalue()


def tiny_picture(number: int) -> bytes:
    """A PNG of 8 × 8 pixels, another one for each number; all have the same size in bytes."""
    pixels = number.to_bytes(4, "big") * 48
    rows = b"".join(b"\0" + pixels[at : at + 24] for at in range(0, 192, 24))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


TINY = len(tiny_picture(0))


def _originals() -> list[Image.Image]:
    found = []
    for path in sorted(REAL.glob("*.jpg")):
        with Image.open(path) as image:
            found.append(image.convert("RGB"))
    return found or [draw(seed, size=(1800, 1200)) for seed in range(40)]

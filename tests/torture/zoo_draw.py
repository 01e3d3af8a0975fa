"""How the pictures of the zoo are drawn, and what becomes of them."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from tests.pictures import draw, segment, with_segments


class Fate(StrEnum):
    """What must become of a file."""

    TAGGED = "tagged"
    NAMED = "named"
    EITHER = "either"
    """Decoders may differ: tagged, or named once."""


@dataclass(frozen=True)
class Beast:
    """A file, what is wrong with it, and its fate. `words` is a pattern that its reason holds."""

    fault: str
    name: str
    content: bytes
    fate: Fate
    words: str = ""


FORMS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
SMALL = (80, 60)


@cache
def saved(form: str, seed: int = 1, size: tuple[int, int] = SMALL, **options: object) -> bytes:
    file = io.BytesIO()
    draw(seed, size).save(file, form, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """`png` with more chunks behind its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def with_icc(profile: bytes) -> bytes:
    return with_segments(saved("JPEG"), segment(0xE2, b"ICC_PROFILE\0\1\1" + profile))


def riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


@cache
def nothing_much() -> bytes:
    """A hundred megabytes of zeros, in a hundred kilobytes."""
    return zlib.compress(bytes(100 << 20), 9)

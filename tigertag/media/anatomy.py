"""Which bytes of a file are the picture and which are its metadata.

A positive list decides what the picture is, so that a keyword written into a file never makes it a new photo
that is paid for again. The parsers here also notice a file that ends early without decoding it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from mmap import mmap
from typing import TypeAlias

Bytes: TypeAlias = bytes | mmap
"""A whole file, in memory or mapped."""

Span: TypeAlias = tuple[int, int]
"""From and up to, in bytes of the file."""


class Unfit(Exception):
    """Why a file cannot be used, as the predicate of a sentence: `ends early`, `is empty`."""


ENDS_EARLY = "ends early"

MOST_PARTS = 65_536
"""Segments, chunks or boxes of a file; more would take time and memory out of all proportion to its size."""
IN_CRUMBS = f"is damaged (over {MOST_PARTS:,} pieces)"


class Form(StrEnum):
    """A kind of picture file, by the name Pillow has for it."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    TIFF = "TIFF"
    BMP = "BMP"
    HEIF = "HEIF"
    AVIF = "AVIF"
    RAW = "RAW"
    VIDEO = "VIDEO"


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that belong together, under a label that keeps two different parts from looking alike."""

    label: bytes
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What a file consists of."""

    form: Form
    scheme: str
    """The rule by which `picture` was chosen; a better one gets another name."""
    picture: tuple[Part, ...]
    metadata: tuple[Part, ...]
    orientation: int = 1
    """EXIF's, 1..8; 1 where it is absent, makes no sense, or is left to the decoder."""
    scans: int = 1
    """Passes over the picture that decoding takes."""
    progressive: bool = False
    size: tuple[int, int] | None = None
    """Width and height as stored, in pixels; None where they are left to the decoder."""
    within: Span | None = None
    """Where in the file that picture lies which is decoded, a raw file's preview; None: the file is it."""


def digest(data: Bytes, parts: Iterable[Part], tail: bytes = b"") -> str:
    """SHA-256, in hex, of `parts` of `data`, each with its label and length, then `tail`."""
    sha = hashlib.sha256()
    with memoryview(data) as view:
        for part in parts:
            length = sum(stop - start for start, stop in part.spans)
            sha.update(part.label + b":" + length.to_bytes(8, "big"))
            for start, stop in part.spans:
                with view[start:stop] as piece:
                    sha.update(piece)
    sha.update(tail)
    return sha.hexdigest()


def content_id(data: Bytes, anatomy: Anatomy, file_hash: str) -> str:
    """Scheme and SHA-256 of the picture alone, then its orientation.

    Where the whole file is the picture, its own hash says it all: the orientation is in it, and asking a
    decoder for it would make the id depend on the decoder's version.
    """
    if not anatomy.picture:
        return f"{anatomy.scheme}:{file_hash}"
    return f"{anatomy.scheme}:{digest(data, anatomy.picture, bytes([anatomy.orientation]))}"


def input_hash(data: Bytes, anatomy: Anatomy, file_hash: str) -> str:
    """SHA-256 of the metadata blocks; of the whole file where they are not told apart."""
    return digest(data, anatomy.metadata) if anatomy.picture else file_hash


_ORIENTATION = 0x0112
_WIDTHS = {1: 1, 3: 2, 4: 4}  # BYTE, SHORT, LONG


def orientation(block: bytes) -> int:
    """The orientation that a block of EXIF (with or without its `Exif` header) holds in its first directory.

    1..8; 1 where it is absent, broken or outside that range.
    """
    block = block.removeprefix(b"Exif\0\0")
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    order = "little" if block[:2] == b"II" else "big"

    def number(at: int, width: int) -> int:
        return int.from_bytes(block[at : at + width], order)  # type: ignore[arg-type]

    start = number(4, 4)
    for index in range(number(start, 2)):
        entry = start + 2 + 12 * index
        if entry + 12 > len(block):
            return 1
        if number(entry, 2) == _ORIENTATION:
            value = number(entry + 8, _WIDTHS.get(number(entry + 2, 2), 2))
            return value if 1 <= value <= 8 else 1
    return 1

"""The directories of a TIFF file (TIFF 6.0), as far as it takes to find what lies in a camera raw file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tigertag.media.anatomy import MOST_PARTS

Read: TypeAlias = Callable[[int, int], bytes]
"""The bytes from a place in the file on, at most so many; fewer at its end."""

WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, ORIENTATION = 256, 257, 259, 262, 274
STRIPS, STRIP_LENGTHS, TILES, TILE_LENGTHS = 273, 279, 324, 325
_KIND = 254  # NewSubfileType: bit 0 says that it is a smaller copy of another
_BIG = 43
JPEG_START, JPEG_LENGTH = 513, 514
DNG_VERSION = 50706
_BELOW = (330, 34665)  # SubIFDs and the EXIF directory

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 9: 4, 13: 4}
"""Bytes of a number of each type that can hold a place or a length."""
_MOST_DIRECTORIES = 64
_MOST_ENTRIES = 1024
_MOST_NUMBERS = 1024
"""Numbers of a field that are looked at; a picture in more strips than that is no preview."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field's numbers, and where its bytes lie."""

    numbers: tuple[int, ...]
    start: int
    length: int
    """In bytes, all numbers included."""


Directory: TypeAlias = Mapping[int, Field]


def directories(read: Read) -> Iterator[Directory]:
    """The directories of the file in their chain, each before those below it. What is broken is left out."""
    head = read(0, 8)
    order = {b"II": "little", b"MM": "big"}.get(head[:2])
    if order is None:
        return

    def number(data: bytes) -> int:
        return int.from_bytes(data, order)  # type: ignore[arg-type]

    waiting, seen = [number(head[4:8])], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or at < 8:
            continue
        seen.add(at)
        size = min(number(read(at, 2)), _MOST_ENTRIES)
        block = read(at + 2, 12 * size + 4)
        found = {
            number(block[entry : entry + 2]): _field(read, number, block[entry : entry + 12], at + 2 + entry)
            for entry in range(0, min(12 * size, len(block) - 11), 12)
        }
        yield found
        below = [place for tag in _BELOW if tag in found for place in found[tag].numbers]
        waiting = [*below, *waiting, *([number(block[-4:])] if len(block) == 12 * size + 4 else [])]


def pages(read: Read) -> int:
    """Pictures in the chain that are no smaller copies of others; at least 1, and counted up to 65,536.

    BigTIFF has other widths, nothing else (Adobe, *BigTIFF Design*).
    """
    head = read(0, 16)
    order = {b"II": "little", b"MM": "big"}.get(head[:2])
    if order is None:
        return 1

    def number(at: int, length: int) -> int:
        return int.from_bytes(read(at, length), order)  # type: ignore[arg-type]

    big = number(2, 2) == _BIG
    count, place, entry = (8, 8, 20) if big else (2, 4, 12)
    at, seen, found = number(8 if big else 4, place), set[int](), 0
    while at >= 8 and at not in seen and len(seen) < MOST_PARTS:
        seen.add(at)
        entries = number(at, count)
        if not 0 < entries <= _MOST_ENTRIES:
            break
        block = read(at + count, entry * entries)
        kinds = (block[each : each + entry] for each in range(0, len(block), entry))
        value = next((kind[entry - place :] for kind in kinds if kind[:2] == _KIND.to_bytes(2, order)), b"")  # type: ignore[arg-type]
        is_smaller = bool(int.from_bytes(value[:4], order) & 1)  # type: ignore[arg-type]
        found += not is_smaller
        at = number(at + count + entry * entries, place)
    return max(1, found)


def _field(read: Read, number: Callable[[bytes], int], entry: bytes, at: int) -> Field:
    width = _WIDTHS.get(number(entry[2:4]), 0)
    count = number(entry[4:8])
    start = at + 8 if width * count <= 4 else number(entry[8:12])
    values = read(start, width * min(count, _MOST_NUMBERS)) if width else b""
    numbers = (number(values[each : each + width]) for each in range(0, len(values), width or 1))
    return Field(tuple(numbers), start, width * count)


def first(directory: Directory, tag: int, otherwise: int = 0) -> int:
    """The first number of a field, `otherwise` where it is not there."""
    field = directory.get(tag)
    return field.numbers[0] if field and field.numbers else otherwise

"""Blocks of EXIF that are broken in every way an offset and a count can be."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

_MAKE, _X_RESOLUTION, _DETAILS, _PLACE, _MAKER_NOTE, _ORIGINAL = 0x010F, 0x011A, 0x8769, 0x8825, 0x927C, 0x9003
_BYTE, _TEXT, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 3, 4, 5, 7

Entry = tuple[int, int, int, int]
"""Tag, type, count, value or offset."""


def block(*entries: Entry, following: int = 0, number: int | None = None, first: int = 8) -> bytes:
    """One directory, little-endian; `number` is how many entries it says it has."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    count = len(entries) if number is None else number
    return b"II*\0" + struct.pack("<I", first) + struct.pack("<H", count) + body + struct.pack("<I", following)


def many_values(number: int) -> bytes:
    """A resolution of so many fractions."""
    return block((_X_RESOLUTION, _RATIONAL, number, 26)) + struct.pack("<II", 72, 1) * number


def _all_alike(entries: int) -> bytes:
    """Every entry holds the whole block."""
    size = 14 + 12 * entries
    return block(*((0xA000 + number, _UNDEFINED, size - 8, 8) for number in range(entries)))


def _many(entries: Sequence[Entry]) -> bytes:
    return block(*entries)


EXIFS: Mapping[str, bytes] = {
    "loops": block((_MAKE, _SHORT, 1, 1), following=8),
    "details-are-itself": block((_DETAILS, _LONG, 1, 8), (_PLACE, _LONG, 1, 8)),
    "four-gigabytes": block((_MAKE, _TEXT, 0xFFFF_FFFF, 8), (_MAKER_NOTE, _UNDEFINED, 0xFFFF_FFF0, 8)),
    "four-billion-fractions": block((_X_RESOLUTION, _RATIONAL, 0xFFFF_FFFF, 8)),
    "beyond-the-end": block((_MAKE, _TEXT, 100, 0xFFFF_0000)),
    "no-directory": b"II*\0" + struct.pack("<I", 0xFFFF_FFF0),
    "directory-in-the-header": block(first=0),
    "more-than-there-are": block((_MAKE, _TEXT, 4, 0x41414141), number=65_535),
    "unknown-types": _many([(_MAKE, kind, 1, 0) for kind in (0, 14, 99, 65_535)]),
    "all-alike": _all_alike(3_000),
    "a-date-of-numbers": block((_DETAILS, _LONG, 1, 26), following=0)
    + struct.pack("<HHHIII", 1, _ORIGINAL, _RATIONAL, 1, 8, 26),
    "a-thousand-in-a-row": block((_MAKE, _BYTE, 4, 0), following=26)
    + b"".join(struct.pack("<HI", 0, 26 + 6 * number) for number in range(1, 1_000)),
    "nothing": b"",
    "cut": b"II*\0\x08",
}

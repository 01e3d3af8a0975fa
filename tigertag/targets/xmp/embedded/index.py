"""A JPEG's index of the further pictures behind it (CIPA DC-007, MPF); places are counted from the index."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tigertag.targets.xmp.embedded.layout import Odd

_ENTRIES = 0xB002
_WIDTH, _OFFSET = 16, 8
"""Bytes of an entry, and where in it a place stands; 0 for the first picture, which begins the file."""


def pictures(index: bytes, base: int) -> Iterator[bytes]:
    """All that it says, places as seen from the first scan; so `base` says where the index lies. Raises Odd."""
    order, places = _places(index)
    rest = bytearray(index)
    for at in places:
        (offset,) = struct.unpack_from(f"{order}I", index, at)
        struct.pack_into("4x", rest, at)
        yield str(offset and offset + base).encode()
    yield bytes(rest)


def moved(index: bytes, by: int) -> bytes:
    """The same where the pictures lie so many bytes further behind it. Raises Odd."""
    order, places = _places(index)
    made = bytearray(index)
    for at in places:
        (offset,) = struct.unpack_from(f"{order}I", index, at)
        try:
            struct.pack_into(f"{order}I", made, at, offset and offset + by)
        except struct.error as error:
            raise Odd("its further pictures lie too far away") from error
    return bytes(made)


def _places(index: bytes) -> tuple[str, list[int]]:
    """The order of bytes, and where in the index places stand."""
    order = {b"II": "<", b"MM": ">"}.get(index[:2])
    try:
        if order is None:
            raise Odd("its index of further pictures is damaged")
        (first,) = struct.unpack_from(f"{order}I", index, 4)
        (count,) = struct.unpack_from(f"{order}H", index, first)
        found = [struct.unpack_from(f"{order}HHII", index, first + 2 + 12 * each) for each in range(count)]
    except struct.error as error:
        raise Odd("its index of further pictures is damaged") from error
    lists = [(start, length) for tag, _, length, start in found if tag == _ENTRIES]
    if any(start + length > len(index) for start, length in lists):
        raise Odd("its index of further pictures is damaged")
    return order, [at + _OFFSET for start, length in lists for at in range(start, start + length, _WIDTH)]

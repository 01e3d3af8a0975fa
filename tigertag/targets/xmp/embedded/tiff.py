"""TIFF and DNG, taken apart by their directories (TIFF 6.0; DNG 1.7; Exif 3.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tigertag.targets.xmp.embedded.iptc import RESOURCE_DIGEST, RESOURCE_IPTC, BadIptc, parse, resources
from tigertag.targets.xmp.embedded.layout import Layout, Odd, Part, only, part

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SUB, _EXIF, _GPS, _INTEROP = 330, 34665, 34853, 40965
_XMP, _IPTC, _PHOTOSHOP, _MAKER_NOTE = 700, 33723, 34377, 37500
_DATA = {273: 279, 324: 325, 513: 514}
"""Where pieces of a picture lie → how long they are: strips, tiles, a JPEG."""
# A maker's notes may hold places in the file: exiftool corrects them where it knows the maker, else it refuses.
_APART = frozenset({_SUB, _EXIF, _GPS, _INTEROP, _MAKER_NOTE})
_MOST_DIRECTORIES = 1000


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    value: bytes


def layout(data: bytes) -> Layout:
    """Every value of every directory, and the pictures they point to. Raises Odd."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise Odd("it is no plain TIFF")
    tiff = _Tiff(data, order)
    kept: list[Part] = []
    blocks: dict[int, list[bytes]] = {_XMP: [], _IPTC: [], _PHOTOSHOP: []}
    for name, entries in tiff.directories():
        for tag, entry in entries.items():
            if tag in blocks and name == "0":
                blocks[tag].append(entry.value)
            elif tag == _XMP:  # which exiftool would make the same as the first page's
                raise Odd("a further page of it has XMP of its own")
            elif tag in _DATA:
                kept.append(part(f"the picture of directory {name}", *tiff.pieces(tag, entries)))
            elif tag not in _APART:
                head = struct.pack(">HHI", tag, entry.kind, entry.count)
                kept.append(part(f"tag {tag} of directory {name}", head, entry.value))
    try:
        photoshop = list(resources(b"".join(blocks[_PHOTOSHOP])))
        digest = next((block for number, block in photoshop if number == RESOURCE_DIGEST), b"")
        iptc = parse(b"".join(blocks[_IPTC]), digest)
    except BadIptc as error:
        raise Odd(str(error)) from error
    kept += [
        part(f"Photoshop's resource {number:#06x}", block)
        for number, block in photoshop
        if number not in (RESOURCE_IPTC, RESOURCE_DIGEST)
    ]
    kept += [part(f"IPTC {record}:{number}", text.encode()) for (record, number), text in iptc.others]
    return Layout(tuple(kept), only(blocks[_XMP]), iptc)


class _Tiff:
    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order

    def directories(self) -> Iterator[tuple[str, dict[int, _Entry]]]:
        """All of them under a name: `0`, `1`, `0.330.0` for the first below the first, `0.34665.0`."""
        waiting = [("0", self._unpack("I", 4)[0])]
        seen: set[int] = set()
        while waiting:
            name, at = waiting.pop(0)
            if at in seen or len(seen) >= _MOST_DIRECTORIES:
                raise Odd("its directories go in a circle")
            seen.add(at)
            entries, further = self._directory(at)
            yield name, entries
            if further and "." not in name:
                waiting.append((str(int(name) + 1), further))
            for tag in (_SUB, _EXIF, _GPS, _INTEROP):
                if tag in entries:
                    places = enumerate(self.numbers(entries[tag]))
                    waiting += [(f"{name}.{tag}.{each}", place) for each, place in places]

    def _directory(self, at: int) -> tuple[dict[int, _Entry], int]:
        (count,) = self._unpack("H", at)
        entries: dict[int, _Entry] = {}
        for each in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, length = self._unpack("HHI", each)
            size = _WIDTHS.get(kind, 0) * length
            start = each + 8 if size <= 4 else self._unpack("I", each + 8)[0]
            if tag in entries or not size or start + size > len(self._data):
                raise Odd(f"its directories are damaged (tag {tag})")
            entries[tag] = _Entry(kind, length, self._data[start : start + size])
        return entries, self._unpack("I", at + 2 + 12 * count)[0]

    def pieces(self, tag: int, entries: dict[int, _Entry]) -> Iterator[memoryview]:
        """The bytes that a tag of `_DATA` points to."""
        lengths = entries.get(_DATA[tag])
        places = self.numbers(entries[tag])
        if lengths is None or lengths.count != len(places):
            raise Odd("it does not say how long its picture is")
        for place, length in zip(places, self.numbers(lengths), strict=True):
            if place + length > len(self._data):
                raise Odd("it ends early")
            yield memoryview(self._data)[place : place + length]

    def numbers(self, entry: _Entry) -> tuple[int, ...]:
        sign = {3: "H", 4: "I", 13: "I"}.get(entry.kind)
        if sign is None:
            raise Odd("its directories are damaged")
        return struct.unpack(f"{self._order}{entry.count}{sign}", entry.value)

    def _unpack(self, format: str, at: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(f"{self._order}{format}", self._data, at)
        except struct.error as error:
            raise Odd("it ends early") from error

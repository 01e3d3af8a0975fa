"""HEIC, taken apart by its boxes and items (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tigertag.targets.xmp.embedded.layout import Layout, Odd, Part, only, part

_XMP = b"application/rdf+xml"
_MOVES = frozenset({b"mdat", b"meta", b"free", b"skip"})
_REST_OF_META = frozenset({b"hdlr", b"pitm", b"iprp", b"grpl", b"dinf"})

Box = tuple[bytes, int, int]
"""Name, and where its contents begin and end."""


@dataclass(slots=True)
class _Items:
    """What the box `meta` says of the items."""

    names: dict[int, bytes] = field(default_factory=dict)
    """Number → type, name and kind of contents, as one."""
    places: dict[int, tuple[int, list[tuple[int, int]]]] = field(default_factory=dict)
    """Number → method (0: in the file, 1: in `idat`) and from where how many bytes."""
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    data: tuple[int, int] = (0, 0)
    """Where the contents of `idat` lie."""

    @property
    def packets(self) -> set[int]:
        return {number for number, name in self.names.items() if name.startswith(b"mime") and _XMP in name}


def layout(data: bytes) -> Layout:
    """Every item's bytes, what is said of them, and all boxes that need not move. Raises Odd."""
    kept: list[Part] = []
    items: _Items | None = None
    end = 0
    for name, start, stop in _boxes(data, 0, len(data)):
        if name == b"moov":
            raise Odd("it is a sequence of pictures")
        if name == b"meta":
            items = _read(data, start + 4, stop, kept)
        elif name not in _MOVES:
            kept.append(part(f"box {name!r}", data[start:stop]))
        end = stop
    kept.append(part("what follows the picture", data[end:]))
    if items is None:
        raise Odd("it holds no items")
    for number in sorted(items.names.keys() - items.packets):
        kept.append(part(f"item {number}", items.names[number], *_pieces(data, items, number)))
    for kind, source, targets in items.references:
        if source not in items.packets:
            kept.append(part(f"reference {kind!r}", repr((source, targets)).encode()))
    packets = [b"".join(_pieces(data, items, each)) for each in items.packets if not _is_deleted(items, each)]
    return Layout(tuple(kept), only(packets))


def _is_deleted(items: _Items, number: int) -> bool:
    """exiftool leaves an item that it deletes without bytes, which by the book are all that there are."""
    return all(length == 0 for _, length in items.places.get(number, (0, []))[1])


def _boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Stops at bytes that are no box."""
    while at + 8 <= end:
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        stop = end if size == 0 else at + size
        if stop < at + head:
            return
        if stop > end:
            raise Odd("it ends early")
        yield name, at + head, stop
        at = stop


def _read(data: bytes, start: int, stop: int, kept: list[Part]) -> _Items:
    items = _Items()
    for name, begin, end in _boxes(data, start, stop):
        if name in _REST_OF_META:
            kept.append(part(f"box {name!r}", data[begin:end]))
        elif name == b"iinf":
            items.names = dict(_names(data, begin, end))
        elif name == b"iloc":
            items.places = _Reader(data, begin, end).places()
        elif name == b"iref":
            items.references = list(_references(data, begin, end))
        elif name == b"idat":
            items.data = (begin, end)
        elif name not in (b"free", b"skip"):
            raise Odd(f"it holds a box that is not known ({name!r})")
    return items


def _names(data: bytes, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    wide = data[begin] > 0
    for name, start, stop in _boxes(data, begin + (8 if wide else 6), end):
        version = data[start]
        if name != b"infe" or version not in (2, 3):
            raise Odd("its list of items is of an old kind")
        width = 2 if version == 2 else 4
        number = int.from_bytes(data[start + 4 : start + 4 + width], "big")
        yield number, data[start + 4 + width + 2 : stop]


def _references(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    width = 2 if data[begin] == 0 else 4
    for name, start, stop in _boxes(data, begin + 4, end):
        numbers = _Reader(data, start, stop)
        source, count = numbers.take(width), numbers.take(2)
        yield name, source, tuple(numbers.take(width) for _ in range(count))


def _pieces(data: bytes, items: _Items, number: int) -> Iterator[memoryview]:
    if number not in items.places:
        return  # an item that consists of others
    method, extents = items.places[number]
    base, end = (0, len(data)) if method == 0 else items.data
    if method not in (0, 1):
        raise Odd("its items lie in a way that is not known")
    for offset, length in extents:
        start = base + offset
        stop = start + length if length else end
        if stop > end:
            raise Odd("it ends early")
        yield memoryview(data)[start:stop]


class _Reader:
    """Numbers one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def take(self, width: int) -> int:
        start, self._at = self._at, self._at + width
        if self._at > self._end:
            raise Odd("it ends early")
        return int.from_bytes(self._data[start : self._at], "big")

    def places(self) -> dict[int, tuple[int, list[tuple[int, int]]]]:
        """The box `iloc` (8.11.3)."""
        version = self.take(1)
        self.take(3)
        sizes = self.take(2)
        offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
        found: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        for _ in range(self.take(2 if version < 2 else 4)):
            number = self.take(2 if version < 2 else 4)
            method = self.take(2) & 15 if version in (1, 2) else 0
            self.take(2)  # an index of files, always this one
            base = self.take(base_size)
            extents = []
            for _ in range(self.take(2)):
                if version in (1, 2):
                    self.take(index_size)
                offset, length = self.take(offset_size), self.take(length_size)
                extents.append((base + offset, length))
            found[number] = (method, extents)
        return found

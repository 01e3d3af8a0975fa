"""Sets of row ids that may hold a whole library."""

from __future__ import annotations

from collections.abc import Iterable


class RowSet:
    """Row ids, a bit each up to the highest of them."""

    __slots__ = ("_bits",)

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._bits = bytearray()
        for row_id in ids:
            self.add(row_id)

    def add(self, row_id: int) -> None:
        place = row_id >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._bits[place] |= 1 << (row_id & 7)

    def update(self, other: RowSet) -> None:
        """Takes in all that `other` holds."""
        if other._bits:
            size = max(len(self._bits), len(other._bits))
            both = int.from_bytes(self._bits, "little") | int.from_bytes(other._bits, "little")
            self._bits = bytearray(both.to_bytes(size, "little"))

    def __contains__(self, row_id: int) -> bool:
        place = row_id >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (row_id & 7) & 1)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()

"""170,000 towns of the world by place: GeoNames' cities of 1,000 people and more, and all seats of offices."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil, cos, floor, radians, sqrt

from tigertag.atlas.packed import packed, unpacked
from tigertag.atlas.sphere import distance

_CELLS = 180 * 360
_STEP = 1000
_KM_PER_DEGREE = 111.1
_REACH = 0.007
"""Kilometres for the square root of a person: a city of a million reaches 7 km far, which is 6,500 on a km²."""


@dataclass(frozen=True, slots=True)
class Town:
    """A town as seen from a spot."""

    name: str
    country: str
    """ISO 3166-1, two letters."""
    region: str
    """The first administrative level below the country, in English; empty where unknown."""
    zone: str
    """Its time zone: `Europe/Ljubljana`."""
    population: int
    """Within 4 in a hundred."""
    km: float
    """From the spot to its middle."""

    @property
    def reach(self) -> float:
        """Kilometres from its middle to about where it ends."""
        return max(0.3, _REACH * sqrt(self.population))


class Towns:
    """The towns in cells of a degree by a degree: rows from the south, in each columns from 180° west."""

    def __init__(self, content: bytes) -> None:
        size = int.from_bytes(content[:4], "little")
        head = json.loads(content[4 : 4 + size])
        self._countries: list[str] = head["countries"]
        self._regions: list[str] = head["regions"]
        self._zones: list[str] = head["zones"]
        at = 4 + size

        def column(code: str, length: int) -> array[int]:
            nonlocal at
            values = array(code)
            values.frombytes(content[at : at + length * values.itemsize])
            at += length * values.itemsize
            if sys.byteorder == "big":
                values.byteswap()
            return values

        many = int(head["towns"])
        self._first = column("I", _CELLS + 1)
        self._first_name = column("I", _CELLS + 1)
        self._north, self._east = column("H", many), column("H", many)
        self._size, self._country = column("B", many), column("B", many)
        self._region, self._zone = column("H", many), column("H", many)
        self._names = content[at:]

    def __len__(self) -> int:
        return len(self._north)

    def areas(self) -> list[tuple[str, str]]:
        """Country and name of each region that has a town, for tools."""
        pairs = {
            (self._countries[country], self._regions[region])
            for country, region in zip(self._country, self._region, strict=True)
        }
        return sorted(pair for pair in pairs if pair[1])

    def zoned_names(self) -> set[tuple[str, str]]:
        """Time zone and name of each town, for tools."""
        names = [name for cell in range(_CELLS) for name in self._names_in(cell)[:-1]]
        return {(self._zones[zone], name) for zone, name in zip(self._zone, names, strict=True)}

    def within(self, latitude: float, longitude: float, km: float) -> list[Town]:
        """The towns at most `km` away, the nearest first."""
        found = [
            (far, cell, index)
            for cell, south, west in _cells(latitude, longitude, km)
            for index in range(self._first[cell], self._first[cell + 1])
            if (
                far := distance(
                    latitude, longitude, south + self._north[index] / _STEP, west + self._east[index] / _STEP
                )
            )
            <= km
        ]
        names = {cell: self._names_in(cell) for _, cell, _ in found}
        return [
            self._town(names[cell][index - self._first[cell]], far, index) for far, cell, index in sorted(found)
        ]

    def _names_in(self, cell: int) -> list[str]:
        return self._names[self._first_name[cell] : self._first_name[cell + 1]].decode().split("\n")

    def _town(self, name: str, far: float, index: int) -> Town:
        return Town(
            name,
            self._countries[self._country[index]],
            self._regions[self._region[index]],
            self._zones[self._zone[index]],
            round(2 ** (self._size[index] / 10)) - 1,
            far,
        )


def _cells(latitude: float, longitude: float, km: float) -> Iterator[tuple[int, int, int]]:
    """The cells that a circle may touch, each with its southern and western edge."""
    span = km / _KM_PER_DEGREE
    lowest, highest = max(-90.0, latitude - span), min(90.0, latitude + span)
    widest = max(abs(lowest), abs(highest))
    across = 180.0 if widest > 89 else min(180.0, span / cos(radians(widest)))
    columns = range(floor(longitude - across), ceil(longitude + across))
    for south in range(floor(lowest), min(ceil(highest), 90) + (lowest == highest)):
        row = min(south + 90, 179)
        seen = set()
        for west in columns:
            column = (west + 180) % 360
            if column not in seen:
                seen.add(column)
                yield row * 360 + column, row - 90, column - 180


@cache
def towns() -> Towns:
    """Loaded once: some 0.05 s and 5 MB. Raises PluginDown."""
    return Towns(unpacked("towns.z", packed("towns.z")))

"""Which country a spot belongs to, its waters included, and whether it is near land."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tigertag.atlas.packed import packed, unpacked

_COLUMNS, _ROWS = 3600, 1800


@dataclass(frozen=True, slots=True)
class _Polygon:
    """A polygon with its holes: a spot is inside where a line from it crosses an odd number of edges."""

    country: str
    west: float
    south: float
    east: float
    north: float
    rings: tuple[tuple[array[float], array[float]], ...]
    """Longitudes and latitudes, closed."""

    def holds(self, latitude: float, longitude: float) -> bool:
        if not (self.south <= latitude <= self.north and self.west <= longitude <= self.east):
            return False
        return sum(_crossings(ring, latitude, longitude) for ring in self.rings) % 2 == 1


def _crossings(ring: tuple[array[float], array[float]], latitude: float, longitude: float) -> int:
    """Edges that a line to the east crosses."""
    xs, ys = ring
    crossed = 0
    above = ys[0] > latitude
    for index in range(1, len(ys)):
        is_above = ys[index] > latitude
        if is_above != above:
            above = is_above
            x, y = xs[index - 1], ys[index - 1]
            if longitude < x + (latitude - y) / (ys[index] - y) * (xs[index] - x):
                crossed += 1
    return crossed


class Borders:
    """Polygons of countries by their code in ISO 3166-1 with the waters around them, out to sea."""

    def __init__(self, content: bytes) -> None:
        self._polygons = [
            _polygon(country, rings) for country, polygons in json.loads(content).items() for rings in polygons
        ]

    def country(self, latitude: float, longitude: float) -> str:
        """Its code, empty on the high seas."""
        # The maps end at the poles and at 180° west, where their last lines belong to nobody.
        latitude = max(-89.9999, min(89.9999, latitude))
        longitude = (longitude + 180) % 360 - 180
        return next((one.country for one in self._polygons if one.holds(latitude, longitude)), "")


def _polygon(country: str, rings: Sequence[Sequence[tuple[float, float]]]) -> _Polygon:
    made = tuple((array("d", (x for x, _ in ring)), array("d", (y for _, y in ring))) for ring in rings)
    xs, ys = made[0]
    return _Polygon(country, min(xs), min(ys), max(xs), max(ys), made)


class Coasts:
    """A bit for each tenth of a degree, row by row from the south: is there land in it or within 22 km?"""

    def __init__(self, content: bytes) -> None:
        self._bits = content

    def are_near(self, latitude: float, longitude: float) -> bool:
        row = min(_ROWS - 1, int((latitude + 90) * 10))
        column = int((longitude + 180) * 10) % _COLUMNS
        byte, bit = divmod(row * _COLUMNS + column, 8)
        return bool(self._bits[byte] >> (7 - bit) & 1)


@cache
def borders() -> Borders:
    """Loaded once. Raises PluginDown."""
    return Borders(unpacked("borders.z", packed("borders.z")))


@cache
def coasts() -> Coasts:
    """Loaded once. Raises PluginDown."""
    return Coasts(unpacked("coasts.z", packed("coasts.z")))

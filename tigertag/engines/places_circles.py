"""Places that have a name for their owner: `46.05,14.51,300m`, `Cottage:46.1,14.5,2km`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tigertag import atlas
from tigertag.model import LONGEST_NAME, fold

DEFAULT_METRES = 300.0
_MOST_METRES = 1e6
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_SPOT = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})(?:\s*,\s*(\d+(?:\.\d+)?)\s*(m|km))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Circle:
    """A named place: all that is at most `metres` from a spot given in degrees."""

    name: str
    latitude: float
    longitude: float
    metres: float = DEFAULT_METRES

    def __str__(self) -> str:
        return f"{self.name}:{self.latitude:g},{self.longitude:g},{self.metres:g}m"

    def holds(self, latitude: float, longitude: float) -> bool:
        return atlas.distance(self.latitude, self.longitude, latitude, longitude) * 1000 <= self.metres


def circle(name: str, written: str) -> Circle:
    """From `latitude,longitude` in degrees, and a radius in m or km, else 300 m. Raises ValueError."""
    found = _SPOT.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"`{written.strip()}` is no place such as `46.05,14.51` or `46.05,14.51,300m`")
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"`{written.strip()}` is not on earth: latitudes end at 90, longitudes at 180 degrees")
    metres = float(found[3]) * (1000 if found[4].casefold() == "km" else 1) if found[3] else DEFAULT_METRES
    if not 0 < metres <= _MOST_METRES:
        raise ValueError(f"`{written.strip()}` has no radius from 1m to 1000km")
    return Circle(name, latitude, longitude, metres)


def circles(written: str) -> tuple[Circle, ...]:
    """From `Cottage:46.1,14.5,2km; Grandma:45.9,14.1`. Raises ValueError."""
    found = []
    for part in written.split(";"):
        if not part.strip():
            continue
        name, colon, spot = (side.strip() for side in part.rpartition(":"))
        if not colon or not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise ValueError(f"`{part.strip()}` is no named place such as `Cottage:46.1,14.5,2km`")
        found.append(circle(name, spot))
    return tuple(found)


def names_of(every: Iterable[Circle], position: tuple[float, float]) -> Sequence[str]:
    """The names of those that hold a position, the smallest first; each once."""
    holding = sorted((one for one in every if one.holds(*position)), key=lambda one: (one.metres, one.name))
    found: dict[str, str] = {}
    for one in holding:
        found.setdefault(fold(one.name), one.name)
    return list(found.values())

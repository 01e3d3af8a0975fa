"""From a position to country, region and town."""

from __future__ import annotations

from dataclasses import dataclass

from tigertag.atlas.borders import borders, coasts
from tigertag.atlas.names import city_name, region_name
from tigertag.atlas.towns import Town, towns

CITY_KM = 25.0
"""A spot that is farther from every town is in none."""
NEAR_KM = 75.0
"""And farther than this it is near none."""
_ZONE_KM = 150.0
# Borders are drawn with an error of a kilometre or two; who stands in the middle of a town is in its country.
_IN_TOWN_KM = 1.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a spot is. Empty: unknown, or there is none."""

    country: str = ""
    """ISO 3166-1, two letters."""
    region: str = ""
    city: str = ""
    near: str = ""
    """The town that it is not in, but nearest to."""


def place(latitude: float, longitude: float, language: str = "en") -> Place:
    """Where a spot is. Nothing of the open sea: a country ends 22 to 36 km off its coast. Raises PluginDown.

    Region and town have their name in `language` where the data has one, else the international one. A town is
    of the country that the borders say, so that a border is not moved to half way between two towns.
    """
    around = towns().within(latitude, longitude, CITY_KM)
    country = _country(latitude, longitude, around)
    mine = _of(country, around) or _of(country, towns().within(latitude, longitude, NEAR_KM))
    if not country or not mine:
        return Place(country)
    region = mine[0].region
    shown = region_name(country, region, language)
    if mine[0].km <= CITY_KM:
        return Place(country, shown, city=_name(_best(_in(region, mine)), language))
    return Place(country, shown, near=_name(_best(mine), language))


def _name(town: Town, language: str) -> str:
    return city_name(town.zone, town.name, language)


def _country(latitude: float, longitude: float, around: list[Town]) -> str:
    """`around` is sorted by distance."""
    nearest = around[0] if around and around[0].km <= CITY_KM else None
    if nearest and nearest.km <= _IN_TOWN_KM:
        return nearest.country
    if not nearest and not coasts().are_near(latitude, longitude):
        return ""
    return borders().country(latitude, longitude) or (nearest.country if nearest else "")


def _of(country: str, around: list[Town]) -> list[Town]:
    return [town for town in around if town.country == country]


def _in(region: str, around: list[Town]) -> list[Town]:
    """Some cities belong to no region, such as Hong Kong, but their quarters do."""
    return [town for town in around if town.region in (region, "")]


def _best(candidates: list[Town]) -> Town:
    """A spot within the reach of towns is in the one whose middle it is nearest to, measured by its reach.

    So a quarter of a great city does not take the city's place, nor the city that of the town next to it.
    Outside of all it is the one whose edge is nearest.
    """
    return min(
        candidates,
        key=lambda town: (0, town.km / town.reach) if town.km < town.reach else (1, town.km - town.reach),
    )


def zone(latitude: float, longitude: float) -> str:
    """The time zone that clocks there keep: that of the nearest town of its country; empty where none is near.

    Raises PluginDown.
    """
    country = borders().country(latitude, longitude)
    for km in (CITY_KM, _ZONE_KM):
        around = towns().within(latitude, longitude, km)
        mine = _of(country, around)
        if mine:
            return mine[0].zone
    return around[0].zone if around else ""

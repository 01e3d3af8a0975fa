"""From positions to countries and towns."""

from __future__ import annotations

import random
from math import asin, degrees
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats

from tigertag import atlas
from tigertag.atlas.packed import unpacked
from tigertag.atlas.towns import Towns, towns
from tigertag.errors import PluginDown


@pytest.mark.parametrize(
    ("at", "country", "region", "city"),
    [
        ((46.05, 14.5), "SI", "Ljubljana", "Ljubljana"),
        ((48.8584, 2.2945), "FR", "Île-de-France", "Paris"),  # the Eiffel Tower; Vanves is nearer
        ((40.71, -74.0), "US", "New York", "New York City"),  # Seaport, a quarter, is nearer
        ((-33.8568, 151.2153), "AU", "New South Wales", "Sydney"),
        ((22.2793, 114.1628), "HK", "Central and Western", "Hong Kong"),
        ((18.4655, -66.1057), "PR", "San Juan", "San Juan"),
        ((44.95, 34.1), "UA", "Crimea", "Simferopol"),
        ((-18.14, 178.44), "FJ", "Central", "Suva"),
        ((64.15, -21.94), "IS", "Capital Region", "Reykjavík"),
    ],
)
def test_a_spot_in_a_town(at: tuple[float, float], country: str, region: str, city: str) -> None:
    assert atlas.place(*at) == atlas.Place(country, region, city)


@pytest.mark.parametrize(
    ("at", "country"),
    [
        ((45.9572, 13.6400), "SI"),  # Nova Gorica and Gorizia, one town on both sides of a border
        ((45.9420, 13.6200), "IT"),
        ((47.5600, 7.5900), "CH"),  # Basel, Weil and Saint-Louis
        ((47.5950, 7.6150), "DE"),
        ((47.5900, 7.5600), "FR"),
        ((43.0800, -79.0900), "CA"),  # Niagara Falls, twice
        ((43.0950, -79.0400), "US"),
        ((43.7396, 7.4273), "MC"),
        ((41.9022, 12.4539), "VA"),
        ((42.6629, 21.1655), "XK"),
        ((1.3521, 103.8198), "SG"),
    ],
)
def test_a_border_is_where_it_is_and_not_half_way_between_two_towns(
    at: tuple[float, float], country: str
) -> None:
    assert atlas.place(*at).country == country


def test_out_in_the_country_it_is_near_a_town_and_farther_out_near_none() -> None:
    assert atlas.place(-23.98866, 31.5547) == atlas.Place("ZA", "Limpopo", near="Phalaborwa")
    assert atlas.place(66.0, -45.0) == atlas.Place("GL")  # on the ice of Greenland


@pytest.mark.parametrize("at", [(0.0, -30.0), (40.0, -40.0), (-45.0, -120.0), (20.0, 175.0), (90.0, 0.0)])
def test_the_open_sea_is_nowhere(at: tuple[float, float]) -> None:
    assert atlas.place(*at) == atlas.Place()
    assert atlas.zone(*at) == ""


def test_a_boat_off_the_coast_is_in_the_country_and_one_far_out_is_not() -> None:
    assert atlas.place(45.25, 13.45).country in ("HR", "IT")
    assert atlas.place(37.5, -122.75).country == "US"
    assert atlas.place(37.5, -124.5) == atlas.Place()  # within the United States' economic zone


@pytest.mark.parametrize("latitude", [-89.0, -75.0, -16.8, 0.0, 65.5, 68.0, 71.2])
def test_180_degrees_east_are_180_degrees_west(latitude: float) -> None:
    assert atlas.place(latitude, 180.0) == atlas.place(latitude, -180.0)
    east, west = (towns().within(latitude, longitude, 200) for longitude in (180.0, -180.0))
    assert [town.name for town in east] == [town.name for town in west]


def test_the_map_goes_on_where_it_ends() -> None:
    assert atlas.place(-16.8, 180.0).country == "FJ"
    assert {atlas.place(-90.0, longitude).country for longitude in (-180.0, 0.0, 90.0, 180.0)} == {"AQ"}
    assert {town.name for town in towns().within(-16.8, -179.9, 150)} >= {"Labasa", "Savusavu"}


def test_a_search_nearby_finds_what_a_search_far_around_finds_there() -> None:
    dice = random.Random(5)
    for _ in range(40):
        at = degrees(asin(dice.uniform(-1, 1))), dice.uniform(-180, 180)
        near, far = towns().within(*at, 60), towns().within(*at, 400)
        assert near == [town for town in far if town.km <= 60]


@given(floats(-90, 90), floats(-180, 180))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_every_spot_on_earth_has_an_answer(latitude: float, longitude: float) -> None:
    found = atlas.place(latitude, longitude)
    assert found.country or not (found.region or found.city or found.near)
    assert not (found.city and found.near)


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ((46.05, 14.5), "Europe/Ljubljana"),
        ((27.7, 85.3), "Asia/Kathmandu"),
        ((38.53, -122.49), "America/Los_Angeles"),
        ((-31.95, 115.86), "Australia/Perth"),
    ],
)
def test_the_zone_is_that_of_the_nearest_town(at: tuple[float, float], zone: str) -> None:
    assert atlas.zone(*at) == zone


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("DE", "en", "Germany"),
        ("DE", "sl", "Nemčija"),
        ("DE", "pt-BR", "Alemanha"),
        ("DE", "de_AT", "Deutschland"),
        ("HK", "en", "Hong Kong"),
        ("TW", "zh-hant", "台灣"),
        ("DE", "tlh", "Germany"),
        ("ZZZ", "en", "ZZZ"),
    ],
)
def test_countries_have_names_in_many_languages(code: str, language: str, name: str) -> None:
    assert atlas.country_name(code, language) == name


@pytest.mark.parametrize(
    ("at", "language", "region", "city"),
    [
        ((48.14, 11.57), "de", "Bayern", "Munich"),
        ((43.77, 11.25), "nb", "Toscana", "Florence"),
        ((50.08, 14.43), "de-AT", "Prag", "Prag"),
        ((55.75, 37.62), "pt_BR", "Moscovo", "Moscou"),
        ((38.72, -9.14), "fr", "District de Lisbonne", "Lisbonne"),
        ((49.18, -0.37), "de", "Normandie", "Caen"),
        ((46.05, 14.5), "de", "Ljubljana", "Ljubljana"),  # not `Stadtgemeinde Ljubljana`
        ((41.9, 12.49), "gsw", "Lazio", "Rom"),
        ((34.257, -85.165), "it", "Georgia", "Rome"),  # another Rome
        ((41.9, 12.49), "zh", "拉齐奥", "罗马"),
        ((41.9, 12.49), "zh-TW", "Lazio", "羅馬"),  # nothing in the other script
    ],
)
def test_regions_and_great_cities_have_names_in_many_languages(
    at: tuple[float, float], language: str, region: str, city: str
) -> None:
    found = atlas.place(*at, language)
    assert (found.region, found.city) == (region, city)


def test_no_language_moves_a_place() -> None:
    """Only the names differ."""
    dice = random.Random(3)
    for _ in range(200):
        at = degrees(asin(dice.uniform(-1, 1))), dice.uniform(-180, 180)
        plain, named = atlas.place(*at), atlas.place(*at, "uk")
        assert plain.country == named.country
        assert [bool(plain.region), bool(plain.city), bool(plain.near)] == [
            bool(named.region),
            bool(named.city),
            bool(named.near),
        ]


def test_the_atlas_is_no_burden() -> None:
    data = Path(atlas.__file__).with_name("data")
    assert sum(file.stat().st_size for file in data.iterdir()) < 6_000_000


def test_which_languages_there_are() -> None:
    assert [atlas.has_language(one) for one in ("en", "DE", "pt_BR", "sr-Latn", "tlh", "")] == [
        *(True, True, True, True),
        *(False, False),
    ]


def test_no_town_is_out_of_reach_and_every_country_has_a_name() -> None:
    everything = towns().within(0, 0, 20_100)
    assert len(everything) == len(towns())
    assert [code for code in {town.country for town in everything} if atlas.country_name(code) == code] == []


@pytest.mark.parametrize(
    ("other", "km"),
    [((48.8566, 2.3522), 343.6), ((51.5074, -0.1278), 0.0), ((-51.5074, 179.8722), 20015.1)],
)
def test_distances(other: tuple[float, float], km: float) -> None:
    assert atlas.distance(51.5074, -0.1278, *other) == pytest.approx(km, abs=0.1)


def test_a_file_that_is_damaged_or_missing_puts_the_engine_aside() -> None:
    with pytest.raises(PluginDown, match=r"towns\.z is missing or damaged .*: install TigerTag anew"):
        Towns(unpacked("towns.z", b"no such thing"))

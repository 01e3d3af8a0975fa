"""Names of countries, regions and great cities in other languages, from the Unicode CLDR."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tigertag.atlas.languages import Languages

_COUNTRIES = Languages("countries.bin")
_PLACES = Languages("names.bin", scripts_apart=True)


def has_language(language: str) -> bool:
    """Whether there are names of countries in it: `de`, `pt-BR`, `zh-Hant`. Raises PluginDown."""
    return bool(_COUNTRIES.known(language))


def country_name(code: str, language: str = "en") -> str:
    """The name of a country in a language, else in English, else its code. Raises PluginDown."""
    return _countries(language).get(code) or _countries("en").get(code) or code


def region_name(country: str, region: str, language: str) -> str:
    """The name of one of the atlas's regions in a language, else as the atlas has it. Raises PluginDown."""
    return _places(language).get(f"{country}|{region}", region)


def city_name(zone: str, city: str, language: str) -> str:
    """The name of one of the atlas's towns in its time zone, as `region_name`. Some 260 great ones have any."""
    return _places(language).get(f"{zone}|{city}", city)


@cache
def _countries(language: str) -> Mapping[str, str]:
    return _COUNTRIES.names(language)


@cache
def _places(language: str) -> Mapping[str, str]:
    return {_PLACES.keys[int(number)]: name for number, name in _PLACES.names(language).items()}

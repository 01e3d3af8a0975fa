"""Country, region and town by the position in file or sidecar, from data of our own. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from tigertag import atlas, blocks
from tigertag.engines.places_circles import Circle, circle, circles, names_of
from tigertag.errors import PluginDown
from tigertag.local import LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Finding, Kind, Memory, Photo, fold
from tigertag.options import CommaList, EngineOptions, among

GROUPS = ("circles", "city", "near", "region", "country")
"""From the smallest to the largest."""
HOME = "home"
_NAMED = ("city", "near", "region", "country")
_RULES = 2
"""Goes up when the same position would get other words."""


def _home(value: object) -> object:
    return circle(HOME, value) if isinstance(value, str) else value


def _circles(value: object) -> object:
    return circles(value) if isinstance(value, str) else value


class PlacesOptions(EngineOptions):
    """Options of the places engine."""

    words: Annotated[CommaList, among(GROUPS)] = Field(
        GROUPS, description=f"Which groups of tags it gives, of {', '.join(GROUPS)}."
    )
    language: str = Field("en", description="Language of the names, where they are known in it: en, de, pt-BR.")
    home: Annotated[Circle | None, BeforeValidator(_home)] = Field(
        None, description="Where photos are tagged home: latitude,longitude,radius, such as 46.05,14.51,300m."
    )
    circles: Annotated[tuple[Circle, ...], BeforeValidator(_circles)] = Field(
        (), description="Other places of yours: Cottage:46.1,14.5,2km; Grandma:45.9,14.1."
    )

    @field_validator("language")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if not atlas.has_language(value):
            raise ValueError(f"there are no names in `{value}`; languages are written as en, de, pt-BR")
        return value


class PlacesEngine(LocalEngine):
    """Country, region, town, and the owner's own places."""

    Options = PlacesOptions
    name = "places"
    reads = "file"
    does = "knows 170,000 towns"

    def __init__(self, options: PlacesOptions, memory: Memory) -> None:
        """`memory` stays empty."""
        super().__init__(options, memory)
        self._options = options
        self._circles = (*([options.home] if options.home else []), *options.circles)

    @property
    def settings(self) -> Mapping[str, JSON]:
        own: list[JSON] = [[one.name, one.latitude, one.longitude, one.metres] for one in self._circles]
        return {
            "words": [group for group in GROUPS if group in self._options.words],
            "language": self._options.language if {*_NAMED} & {*self._options.words} else "",
            "circles": own if "circles" in self._options.words else [],
            "rules": _RULES,
            "atlas": atlas.EDITION,
        }

    def answer(self, photo: Photo) -> Analysis:
        """A photo without a position, or with one that is none, has an answer without tags."""
        position = blocks.coordinates(blocks.of(photo))
        return Analysis(photo, tuple(self._tags(position)) if position else ())

    def _tags(self, position: tuple[float, float]) -> Iterator[Annotation]:
        """A city that is a country, too, is one tag."""
        known: set[str] = set()
        for word in self._words(position):
            if word and fold(word) not in known:
                known.add(fold(word))
                yield Annotation(Kind.TAG, word)

    def _words(self, position: tuple[float, float]) -> Iterator[str]:
        place = atlas.place(*position, self._options.language)
        found: Mapping[str, Sequence[str]] = {
            "circles": names_of(self._circles, position),
            "city": [place.city],
            "near": [f"near {place.near}"] if place.near else [],
            "region": [place.region],
            "country": [atlas.country_name(place.country, self._options.language)] if place.country else [],
        }
        for group in GROUPS:
            if group in self._options.words:
                yield from found[group]

    def check(self) -> Iterable[Finding]:
        try:
            atlas.place(0, 0)
        except PluginDown as error:
            yield Finding(False, str(error), "install TigerTag anew")
        else:
            yield from super().check()

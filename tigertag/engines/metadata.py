"""Tags from what file and sidecar say: EXIF, IPTC and XMP. Nothing leaves this computer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from tigertag import atlas
from tigertag.engines.metadata_file import file_measures
from tigertag.engines.metadata_keywords import is_name
from tigertag.engines.metadata_read import Facts, read
from tigertag.engines.metadata_sun import sun
from tigertag.engines.metadata_words import BY_SUN, GROUPS, USUAL, Seen, is_plausible, words
from tigertag.local import LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Kind, Memory, Photo, fold
from tigertag.options import CommaList, EngineOptions, among
from tigertag.xmp.regions import faces

_RULES = 3
"""Goes up when the same file would get other words."""


class MetadataOptions(EngineOptions):
    """Options of the metadata engine."""

    words: Annotated[CommaList, among(GROUPS)] = Field(
        USUAL, description=f"Which groups of tags it gives, of {', '.join(GROUPS)}."
    )


class MetadataEngine(LocalEngine):
    """Camera, lens, date, light, exposure, where the file comes from, and the keywords that are there."""

    Options = MetadataOptions
    name = "metadata"
    reads = "file"
    does = "reads EXIF, IPTC and XMP"

    def __init__(
        self, options: MetadataOptions, memory: Memory, now: Callable[[], datetime] = datetime.now
    ) -> None:
        """`memory` stays empty."""
        super().__init__(options, memory)
        self._options = options
        self._now = now

    @property
    def settings(self) -> Mapping[str, JSON]:
        chosen = [group for group in GROUPS if group in self._options.words]
        return {"words": chosen, "rules": _RULES, "atlas": atlas.EDITION if self._asks_the_sun else ""}

    @property
    def _asks_the_sun(self) -> bool:
        return not BY_SUN.isdisjoint(self._options.words)

    def answer(self, photo: Photo) -> Analysis:
        """Broken metadata is as good as none: the photo still has a size."""
        facts = read(photo)
        taken = facts.taken if facts.taken and is_plausible(facts.taken, self._now()) else None
        seen = Seen(photo.width, photo.height, taken, self._sun(facts, taken))
        said = words(facts, seen, self._options.words)
        once = {fold(word): word for word in reversed(said)}
        tags = [Annotation(Kind.TAG, word) for word in said if once.pop(fold(word), None)]
        measures = [Annotation(Kind.MEASURE, name, value=value) for name, value in _measures(facts, seen)]
        return Analysis(photo, (*tags, *self._people(photo, facts), *measures), dropped=facts.dropped)

    def _people(self, photo: Photo, facts: Facts) -> list[Annotation]:
        """Faces with names that other programs marked."""
        if "people" not in self._options.words:
            return []
        marked = faces(facts.xmp, facts.turned, (photo.width, photo.height))
        return [Annotation(Kind.PERSON, each.name, box=each.box) for each in marked if is_name(each.name)]

    def _sun(self, facts: Facts, taken: datetime | None) -> float | None:
        if not taken or not facts.has_time or not facts.position or not self._asks_the_sun:
            return None
        return sun(facts.position, taken, facts.ahead)


def _measures(facts: Facts, seen: Seen) -> Iterator[tuple[str, JSON]]:
    """What is known: degrees, stars, what Shot measures, and what kind of file it is."""
    if facts.position:
        yield from zip(("latitude", "longitude"), facts.position, strict=True)
    if facts.rating is not None:
        yield "rating", facts.rating
    yield from facts.shot.measures.items()
    if seen.sun is not None:
        yield "height of the sun", round(seen.sun, 2)
    yield from file_measures(facts.film, facts.pages, (seen.width, seen.height))

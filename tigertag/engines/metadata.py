"""Tags from what the file itself says: EXIF, IPTC and XMP. Nothing leaves this computer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator

from tigertag import __version__
from tigertag.engines.metadata_read import Facts, read
from tigertag.engines.metadata_words import GROUPS, words
from tigertag.errors import PhotoError, TransientError
from tigertag.media import Unfit
from tigertag.model import JSON, Analysis, Annotation, Engine, Finding, Kind, Memory, Permit, Photo, Quota, fold
from tigertag.options import CommaList, EngineOptions


class MetadataOptions(EngineOptions):
    """Options of the metadata engine."""

    words: CommaList = Field(GROUPS, description=f"Which groups of tags it gives, of {', '.join(GROUPS)}.")

    @field_validator("words")
    @classmethod
    def _are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [word for word in value if word not in GROUPS]
        if unknown:
            raise ValueError(f"there is no group `{unknown[0]}`; there are {', '.join(GROUPS)}")
        return value


class MetadataEngine(Engine):
    """Camera, lens, date, season, part of day, orientation, panorama, and the keywords that are there."""

    Options = MetadataOptions

    def __init__(
        self, options: MetadataOptions, memory: Memory, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._options = options
        self._now = now

    @property
    def name(self) -> str:
        return "metadata"

    @property
    def version(self) -> str:
        return __version__

    @property
    def reads(self) -> Literal["picture", "file"]:
        return "file"

    @property
    def billed(self) -> bool:
        return False

    @property
    def batch_size(self) -> int:
        return 1

    @property
    def concurrency(self) -> int:
        return self._options.concurrency

    @property
    def sends(self) -> str:
        return "nothing leaves this computer"

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {"words": [group for group in GROUPS if group in self._options.words]}

    def start(self) -> None:
        """Nothing to ask."""

    def quota(self) -> Quota | None:
        return None

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterable[Analysis | PhotoError | TransientError]:
        """Broken metadata is as good as none: the photo still has a size."""
        for photo in photos:
            try:
                with photo.open() as stream:
                    facts = read(stream, photo.name)
            except Unfit as error:
                yield PhotoError(f"{photo.name} {error}", photo)
            else:
                yield self._answer(photo, facts)

    def _answer(self, photo: Photo, facts: Facts) -> Analysis:
        said = words(facts, photo.width, photo.height, self._options.words, self._now())
        once = {fold(word): word for word in reversed(said)}
        tags = [Annotation(Kind.TAG, word) for word in said if once.pop(fold(word), None)]
        measures = [Annotation(Kind.MEASURE, name, value=value) for name, value in facts.measures.items()]
        return Analysis(photo, (*tags, *measures), dropped=facts.dropped)

    def check(self) -> Iterable[Finding]:
        yield Finding(True, "metadata reads EXIF, IPTC and XMP; nothing leaves this computer")

    def close(self) -> None:
        """Nothing stays open."""

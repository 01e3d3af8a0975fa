"""An engine that answers at once, for figures that engines have no part in."""

from __future__ import annotations

from collections.abc import Mapping

from tigertag.local import LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Kind, Photo

_WORDS = ("beach", "dog", "house", "snow", "tree")


class QuickEngine(LocalEngine):
    """Two tags for every photo, by its content id."""

    name = "quick"
    version = "1"
    runs_in = "thread"
    settings: Mapping[str, JSON] = {}

    def answer(self, photo: Photo) -> Analysis:
        first = int(photo.content_id[-4:], 16) % len(_WORDS)
        names = (_WORDS[first], _WORDS[(first + 2) % len(_WORDS)])
        return Analysis(photo, tuple(Annotation(Kind.TAG, name, 0.9) for name in names))

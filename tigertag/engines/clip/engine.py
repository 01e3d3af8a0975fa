"""What a photo shows, as one vector that answers every later question. Nothing leaves this computer.

The vector is stored; which words fit it is decided when tags are written, so that a new word costs no look at
any photo. Models of the families CLIP, SigLIP (1, and 2 at fixed sizes) and MobileCLIP, as ONNX files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from tigertag.engines.clip.options import ClipOptions
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.local import LocalEngine
from tigertag.meaning.contrast import Contrast
from tigertag.meaning.packing import pack
from tigertag.model import JSON, Analysis, Annotation, Finding, Kind, Memory, Permit, Photo, Rendition
from tigertag.model.fetching import Fetch

if TYPE_CHECKING:
    from tigertag.engines.clip.model import Model
    from tigertag.engines.clip.pixels import Floats

_RULES = 1
"""Goes up when the same model would get other numbers of the same photo."""
_USUAL = Rendition(short_side=448, quality=95, frames=True)
"""As long as no model is here that could say."""


class ClipEngine(LocalEngine):
    """One vector for each photo, and one for each word. A video has the middle of those of its frames."""

    Options = ClipOptions
    name = "clip"

    def __init__(self, options: ClipOptions, memory: Memory) -> None:
        """`memory` stays empty."""
        super().__init__(options, memory)
        self._options = options
        self.batch_size = options.batch
        self.renditions = (_USUAL,)

    @cached_property
    def _model(self) -> Model:
        from tigertag.engines.clip.model import Model  # noqa: PLC0415 - a second, which most commands save

        return Model(self._options)

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The files that make the vectors, by their SHA-256; of a model that is not here yet, or not whole,
        only the name: `start` says what is wrong.
        """
        try:
            here = self._model.here()
            digests = here.digests() if here else None
        except PluginDown:
            digests = None
        if digests is None:
            return {"model": self._options.model, "precision": self._options.precision, "rules": _RULES}
        return {"files": digests, "rules": _RULES}

    @property
    def contrast(self) -> Contrast:
        """How closeness becomes probability. Raises PluginDown where there is no model."""
        return self._model.known.contrast

    @property
    def is_here(self) -> bool:
        """Whether the model is; also where something is wrong with it, which `start` says."""
        try:
            return self._model.here() is not None
        except PluginDown:
            return True

    def to_fetch(self) -> Fetch:
        return self._model.to_fetch()

    def fetch(self, tell: Callable[[int], None]) -> None:
        self._model.fetch(tell)

    def start(self) -> None:
        """Fetches the model where it is not here, and loads it. Raises PluginDown."""
        self._model.load()
        self.renditions = (self._model.rendition,)

    def answer(self, photo: Photo) -> Analysis:
        (vector,) = self._model.images([self._model.pixels(photo)])
        return _answer(photo, vector)

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterator[Analysis | PhotoError | TransientError]:
        shown: list[Photo] = []
        pixels: list[list[Floats]] = []
        for photo in photos:
            try:
                pixels.append(self._model.pixels(photo))
            except PhotoError as error:
                yield PhotoError(str(error), photo)
            else:
                shown.append(photo)
        if shown:
            for photo, vector in zip(shown, self._model.images(pixels), strict=True):
                try:
                    yield _answer(photo, vector)
                except PhotoError as error:
                    yield error

    def understand(self, texts: Sequence[str]) -> list[str]:
        """The vector of each text, as `meaning.packing.pack` gives it. Raises PluginDown."""
        return [pack(row.tolist()) for row in self._model.texts(texts)] if texts else []

    def check(self) -> Iterable[Finding]:
        name = self._options.model
        try:
            here = self._model.here()
            if here is None:
                yield Finding(
                    True, f"clip will fetch the model {name} at the first scan, and say how large it is"
                )
                return
            here.digests()
            family = self._model.known.family
        except PluginDown as error:
            yield Finding(
                False, f"clip: {error}", "correct ENGINE_CLIP_MODEL, or delete the model to fetch it anew"
            )
        else:
            yield Finding(True, f"clip uses {name} ({family}); {self.sends}")


def _answer(photo: Photo, vector: Floats) -> Analysis:
    numbers = vector.tolist()
    if not all(map(math.isfinite, numbers)):
        raise PhotoError(f"the model makes nothing of {photo.name}", photo)
    return Analysis(photo, (Annotation(Kind.EMBEDDING, value=pack(numbers)),))

"""What a photo shows, as one vector that answers every later question. Nothing leaves this computer.

The vector is stored; which words fit it is decided when tags are written, so that a new word costs no look at
any photo. Models of the families CLIP, SigLIP (1, and 2 at fixed sizes) and MobileCLIP, as ONNX files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from tigertag.engines.clip import facts, files, hub
from tigertag.engines.clip.facts import Facts
from tigertag.engines.clip.files import Files
from tigertag.engines.clip.pixels import Floats, prepared, rendition_for
from tigertag.engines.clip.towers import Towers
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.local import LocalEngine
from tigertag.meaning.contrast import Contrast
from tigertag.meaning.options import WordOptions
from tigertag.meaning.packing import pack
from tigertag.model import JSON, Analysis, Annotation, Finding, Kind, Memory, Permit, Photo, Rendition

_RULES = 1
"""Goes up when the same model would get other numbers of the same photo."""
_USUAL = Rendition(short_side=448, quality=95)
"""As long as no model is here that could say."""


class ClipOptions(WordOptions):
    """Options of the clip engine."""

    model: str = Field(
        "Xenova/clip-vit-base-patch32",
        min_length=1,
        description="A model's name on the hub, fetched on first use, or a folder with its files.",
    )
    revision: str = Field("", description="Which revision of the model on the hub; the newest by default.")
    precision: str = Field(
        "",
        pattern=r"^[a-z0-9]*$",
        description="Which of a model's files: fp16, quantized; none: the plain ones.",
    )
    hub: str = Field("", description="Address of another hub; HF_ENDPOINT, else huggingface.co by default.")
    cache: Path | None = Field(None, description="Folder for fetched models; by default the hub's own cache.")
    provider: Literal["auto", "cpu", "cuda", "coreml", "openvino"] = Field(
        "auto", description="What computes: auto takes the fastest that is installed."
    )
    batch: int = Field(8, ge=1, le=256, description="Photos that the model looks at together.")
    threads: int = Field(
        1, ge=1, le=256, description="Threads of one worker. There is a worker for each core, so 1 is enough."
    )
    concurrency: int = Field(1, ge=1, le=64, description="Batches side by side in one worker.")
    max_tags: int | None = Field(10, ge=1, description="Tags a photo gets from this engine at most.")


class ClipEngine(LocalEngine):
    """One vector for each photo, and one for each word."""

    Options = ClipOptions
    name = "clip"

    def __init__(self, options: ClipOptions, memory: Memory) -> None:
        """`memory` stays empty."""
        super().__init__(options, memory)
        self._options = options
        self._lock = threading.Lock()
        self._files: Files | None = None
        self._facts: Facts | None = None
        self._towers: Towers | None = None
        self.batch_size = options.batch
        self.renditions = (_USUAL,)

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The files that make the vectors, by their SHA-256; of a model that is not here yet, or not whole,
        only the name: `start` says what is wrong.
        """
        try:
            here = self._here()
            digests = here.digests() if here else None
        except PluginDown:
            digests = None
        if digests is None:
            return {"model": self._options.model, "precision": self._options.precision, "rules": _RULES}
        return {"files": digests, "rules": _RULES}

    @property
    def contrast(self) -> Contrast:
        """How closeness becomes probability. Raises PluginDown where there is no model."""
        return self._known().contrast

    def start(self) -> None:
        """Fetches the model where it is not here, and loads it. Raises PluginDown."""
        with self._lock:
            if self._towers is None:
                found = self._here() or hub.fetched(self._place())
                found.digests()
                self._files = found
                self._towers = Towers(found, self._known(), self._options.provider, self._options.threads)

    def answer(self, photo: Photo) -> Analysis:
        (vector,) = self._loaded().images([self._pixels(photo)])
        return _answer(photo, vector)

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterator[Analysis | PhotoError | TransientError]:
        shown: list[Photo] = []
        pixels: list[Floats] = []
        for photo in photos:
            try:
                pixels.append(self._pixels(photo))
            except PhotoError as error:
                yield PhotoError(str(error), photo)
            else:
                shown.append(photo)
        if shown:
            for photo, vector in zip(shown, self._loaded().images(pixels), strict=True):
                try:
                    yield _answer(photo, vector)
                except PhotoError as error:
                    yield error

    def _pixels(self, photo: Photo) -> Floats:
        known = self._known()
        return prepared(photo.jpeg(self.renditions[0]), known.pixels, (photo.width, photo.height))

    def understand(self, texts: Sequence[str]) -> list[str]:
        """The vector of each text, as `meaning.packing.pack` gives it. Raises PluginDown."""
        return [pack(row.tolist()) for row in self._loaded().texts(texts)] if texts else []

    def check(self) -> Iterable[Finding]:
        model = self._options.model
        try:
            here = self._here()
            if here is None:
                yield Finding(True, f"clip will fetch the model {model} at the first scan")
                return
            here.digests()
            family = facts.read(here).family
        except PluginDown as error:
            yield Finding(
                False, f"clip: {error}", "correct ENGINE_CLIP_MODEL, or delete the model to fetch it anew"
            )
        else:
            yield Finding(True, f"clip uses {model} ({family}); {self.sends}")

    def _here(self) -> Files | None:
        """The model, where it is on this computer. Raises PluginDown where a folder lacks something."""
        if self._files is None:
            folder = Path(self._options.model).expanduser()
            if folder.is_absolute() or folder.is_dir() or self._options.model.startswith("."):
                self._files = files.find(folder, self._options.precision)
            else:
                self._files = hub.cached(self._place())
        return self._files

    def _place(self) -> hub.Place:
        options = self._options
        return hub.Place(
            options.model, options.precision, options.revision or None, options.hub or None, options.cache
        )

    def _known(self) -> Facts:
        if self._facts is None:
            here = self._here()
            if here is None:
                raise PluginDown(f"the model {self._options.model} is not here yet")
            self._facts = facts.read(here)
            self.renditions = (rendition_for(self._facts.pixels),)
        return self._facts

    def _loaded(self) -> Towers:
        if self._towers is None:
            self.start()
        assert self._towers is not None
        return self._towers


def _answer(photo: Photo, vector: Floats) -> Analysis:
    if not np.isfinite(vector).all():
        raise PhotoError(f"the model makes nothing of {photo.name}", photo)
    return Analysis(photo, (Annotation(Kind.EMBEDDING, value=pack(vector.tolist())),))

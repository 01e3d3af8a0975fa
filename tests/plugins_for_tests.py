"""Small plugins that tests name by dotted path: `tests.plugins_for_tests.Painter`. Most do nothing."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from tests.dying import die
from tigertag.errors import PhotoError, TransientError
from tigertag.model import (
    JSON,
    Analysis,
    Annotation,
    Finding,
    Kind,
    Memory,
    Permit,
    Photo,
    Quota,
    Rendition,
)
from tigertag.options import CommaList, EngineOptions, Options, SourceOptions, TargetOptions


class _Plugin:
    def __init__(self, options: Options, memory: Memory) -> None:
        self.options = options
        self.memory = memory


class Painter(_Plugin):
    """An engine that needs a key."""

    class Options(EngineOptions):
        api_key: SecretStr = Field(description="Its key.")
        api_url: str = "http://localhost"
        level: int = Field(3, ge=1, le=9)
        model_name: str = "small"
        faces_folder: Path | None = None
        faces_config: Path | None = None
        pin: SecretStr = SecretStr("")

        @field_validator("api_url")
        @classmethod
        def _speaks_http(cls, url: str) -> str:
            if not url.startswith("http"):
                raise ValueError(f"{url} does not begin with http:// or https://")
            return url

        @field_validator("pin")
        @classmethod
        def _digits(cls, pin: SecretStr) -> SecretStr:
            if pin.get_secret_value().strip("0123456789"):
                raise ValueError(f"{pin.get_secret_value()} holds more than digits")
            return pin


class Poet(_Plugin):
    """An engine that needs nothing."""

    class Options(EngineOptions):
        style: str = "short"


class Album(_Plugin):
    """A source."""

    class Options(SourceOptions):
        path: str
        sections: CommaList = ()


class Wall(_Plugin):
    """A target."""

    class Options(TargetOptions):
        path: str = "here"


class Stranger:
    """No plugin: it has no options."""


class Burner:
    """An engine that computes: it takes processor time, in a worker."""

    RENDITION = Rendition(short_side=40)
    name = "burner"
    version = "1"
    reads: Literal["picture"] = "picture"
    billed = False
    runs_in: Literal["worker"] = "worker"
    sends = "nothing leaves this computer"
    built: ClassVar[dict[str, int]] = {}
    """In this process, by what they say."""

    class Options(EngineOptions):
        milliseconds: int = Field(0, description="Of processor time for each photo.")
        says: Literal["picture", "built", "billed", "nothing"] = "picture"
        fails: str = Field("", description="The name of a photo that it cannot look at.")
        kills: str = Field("", description="The name of a photo that ends its worker.")
        kills_once: Path | None = Field(
            None, description="A file; while it is there the next photo ends its worker."
        )
        gpu: int = Field(0, description="Of which it needs so many.")
        batch_size: int = 1
        two_faced: bool = Field(False, description="Is another one in a worker.")

    def __init__(self, options: Options, memory: Memory | None) -> None:
        self.options = options
        self.batch_size = options.batch_size
        self.concurrency = options.concurrency
        self.renditions: Sequence[Rendition] = () if options.says == "nothing" else (self.RENDITION,)
        self.resources: Mapping[str, float] = {"GPU": options.gpu} if options.gpu else {}

    @property
    def settings(self) -> Mapping[str, JSON]:
        away = self.options.two_faced and multiprocessing.parent_process() is not None
        return {"says": self.options.says, "away": away}

    def start(self) -> None:
        self.built[self.options.says] = self.built.get(self.options.says, 0) + 1

    def quota(self) -> Quota | None:
        return None

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterable[Analysis | PhotoError | TransientError]:
        for photo in photos:
            self._burn(photo)
            if self.options.says == "billed":
                permit(photo)
            if photo.name == self.options.fails:
                yield PhotoError(f"{photo.name} is no good", photo)
            else:
                yield Analysis(photo, self._said(photo))

    def _burn(self, photo: Photo) -> None:
        once = self.options.kills_once
        if photo.name == self.options.kills:
            die()
        if once is not None and once.exists():
            once.unlink()
            die()
        until = time.thread_time() + self.options.milliseconds / 1000
        while time.thread_time() < until:
            hash(photo.name)

    def _said(self, photo: Photo) -> tuple[Annotation, ...]:
        if self.options.says == "nothing":
            return ()
        if self.options.says == "built":
            return (Annotation(Kind.TAG, f"engine {self.built['built']}"),)
        return (Annotation(Kind.TAG, self.word(photo.jpeg(self.RENDITION))),)

    @staticmethod
    def word(jpeg: bytes) -> str:
        """What it says about a picture."""
        return f"burnt {hashlib.sha256(jpeg).hexdigest()[:8]}"

    def check(self) -> Iterable[Finding]:
        yield Finding(True, "burner burns")

    def close(self) -> None: ...

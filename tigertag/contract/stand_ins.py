"""What plugins are given, made by hand: photos, a permit that keeps book, a memory."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from PIL import Image, ImageOps

from tigertag.contract.drawing import jpeg
from tigertag.errors import PhotoError, PluginDown
from tigertag.model import JSON, Outcome, Photo, Rendition


class FakePhoto:
    """A photo in memory: upright, scaled and re-encoded by Pillow alone."""

    def __init__(self, content: bytes, name: str = "Summer/photo.jpg") -> None:
        self.name = name
        self.content = content
        self.content_id = "fake1:" + hashlib.sha256(content).hexdigest()
        with Image.open(io.BytesIO(content)) as picture:
            upright = ImageOps.exif_transpose(picture)
            self.width, self.height = upright.size
            self.input = hashlib.sha256(picture.info.get("exif", b"")).hexdigest()
        self._upright = upright.convert("RGB")

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.content)

    def jpeg(self, rendition: Rendition) -> bytes:
        short, long = min(self.width, self.height), max(self.width, self.height)
        scale = min(1, (rendition.short_side or short) / short, (rendition.long_side or long) / long)
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        file = io.BytesIO()
        self._upright.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=rendition.quality)
        return file.getvalue()


class BrokenPhoto(FakePhoto):
    """A photo that ends early: no engine that looks at it gets a picture."""

    def jpeg(self, rendition: Rendition) -> bytes:
        raise PhotoError("ends early")


def photos(number: int = 3, *, size: tuple[int, int] = (640, 480)) -> list[FakePhoto]:
    """Different photos, named `Summer/0.jpg` and so on."""
    return [FakePhoto(jpeg(seed, size), f"Summer/{seed}.jpg") for seed in range(number)]


@dataclass
class Kept:
    """One permitted request and what the engine said became of it."""

    photo: str
    outcome: Outcome = Outcome.UNKNOWN
    settled: int = 0

    def settle(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.settled += 1


@dataclass
class FakePermit:
    """Permits `budget` requests and writes them down."""

    budget: int = 1_000_000
    sends: list[Kept] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, photo: Photo) -> Kept:
        with self.lock:
            if len(self.sends) >= self.budget:
                raise PluginDown(f"the budget of {self.budget} is used", planned=True)
            self.sends.append(Kept(photo.name))
            return self.sends[-1]

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(send.outcome for send in self.sends)


class FakeMemory:
    """A plugin's memory that ends with the test."""

    def __init__(self) -> None:
        self.rows: dict[str, JSON] = {}

    def get(self, key: str) -> JSON:
        return self.rows.get(key)

    def set(self, key: str, value: JSON) -> None:
        self.rows[key] = value

    def delete(self, key: str) -> None:
        self.rows.pop(key, None)

    def items(self) -> Sequence[tuple[str, JSON]]:
        return tuple(self.rows.items())

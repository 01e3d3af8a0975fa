"""Text in the picture, line by line, read on this computer.

Each line is an annotation of kind `text` with its confidence and its box. The tag `text` says how much of the
picture is text: its confidence is the share that lines cover, so the default `MIN_CONFIDENCE` tags pages and
screenshots and leaves street signs alone, and another one costs no second look.

The models are PP-OCRv6 of PaddleOCR (Apache-2.0), which the library rapidocr carries. They read the letters of
western and central Europe and Turkey, Greek, Chinese and Japanese; no Cyrillic, Vietnamese, Korean or Arabic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Protocol, TypeAlias

from pydantic import Field

from tigertag.engines.ocr_line import Line
from tigertag.errors import PluginDown
from tigertag.local import LocalEngine
from tigertag.media.strip import frames_of, together
from tigertag.model import JSON, Analysis, Annotation, Box, Finding, Kind, Memory, Photo, Rendition
from tigertag.options import EngineOptions

TEXT = "text"
"""The name of the tag, and of the annotation of each line."""

SURE = 0.8
"""Confidence of lines that count for the tag; below it 47 real photos have misread lines and no text at all."""

_LIBRARIES = ("rapidocr", "onnxruntime", "cv2")
_VERSION = 1
"""Raised when lines or shares below come out otherwise."""


class OcrOptions(EngineOptions):
    """Options of the ocr engine."""

    long_side: int = Field(
        1280, ge=320, le=2048, description="Pixels of the longer side of the copy that is read."
    )
    min_confidence: float = Field(
        10, ge=0, le=100, description="Percent of the picture that text must cover for the tag."
    )


class Reads(Protocol):
    """Reads one picture at a time."""

    def lines(self, jpeg: bytes) -> Sequence[Line]:
        """The lines of text, from the top. Raises PhotoError where that fails."""
        ...


OpenReader: TypeAlias = Callable[[], Reads]


class OcrEngine(LocalEngine):
    """Reads text. Nothing leaves this computer."""

    Options = OcrOptions
    name = "ocr"

    def __init__(self, options: OcrOptions, memory: Memory, open_reader: OpenReader | None = None) -> None:
        """`memory` stays empty; `open_reader` stands in for the library."""
        super().__init__(options, memory)
        self._rendition = Rendition(long_side=options.long_side, frames=True)
        self.renditions = (self._rendition,)
        self.does = f"reads copies of {options.long_side} px with PP-OCRv6"
        self._open_reader = open_reader or _open_reader
        # One for each call side by side: a reader keeps what it is working on. Taking and giving is atomic.
        self._idle: list[Reads] = []

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {"models": "PP-OCRv6 small", "reading": _VERSION, "long_side": self._rendition.long_side}

    def start(self) -> None:
        """The models are loaded when the first photo comes, and only where photos are read."""
        if missing := _missing():
            raise PluginDown(missing)

    def answer(self, photo: Photo) -> Analysis:
        """Of a video, what stands on any of its frames."""
        frames = frames_of(photo, self._rendition)
        return together(photo, [self._said(frame) for frame in frames])

    def _said(self, photo: Photo) -> Analysis:
        return Analysis(photo, tuple(annotations_of(self._lines(photo.jpeg(self._rendition)))))

    def _lines(self, jpeg: bytes) -> Sequence[Line]:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = self._open_reader()
        try:
            return reader.lines(jpeg)
        finally:
            self._idle.append(reader)

    def check(self) -> Iterable[Finding]:
        if missing := _missing():
            yield Finding(False, "ocr cannot read", missing)
        else:
            yield from super().check()

    def close(self) -> None:
        """Gives the models' memory back."""
        self._idle.clear()


def _open_reader() -> Reads:
    from tigertag.engines.ocr_reader import Reader  # noqa: PLC0415 - heavy; only where photos are read

    return Reader()


def _missing() -> str:
    """What to install, empty where all is there."""
    if all(find_spec(each) for each in _LIBRARIES):
        return ""
    return (
        "ocr needs tigertag[ocr]: pip install 'tigertag[ocr]', from TigerTag's own folder pip install '.[ocr]'"
    )


def annotations_of(lines: Iterable[Line]) -> Iterator[Annotation]:
    """The tag, and each line. Without text there is neither."""
    found = [line for line in lines if line.text.strip() and box_of(line) is not None]
    if share := share_of(found):
        yield Annotation(Kind.TAG, TEXT, round(share, 3))
    for line in found:
        yield Annotation(Kind.TEXT, TEXT, round(line.confidence, 3), box=box_of(line), value=line.text.strip())


def share_of(lines: Iterable[Line]) -> float:
    """How much of the picture sure lines cover, 0..1."""
    return min(1.0, sum(_area(line) for line in lines if line.confidence >= SURE))


def box_of(line: Line) -> Box | None:
    """The upright rectangle around a line, within the picture; None where nothing of it is in there."""
    across, down = ([min(1.0, max(0.0, corner[axis])) for corner in line.corners] for axis in (0, 1))
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top)


def _area(line: Line) -> float:
    """Of the quadrilateral itself, which a slanted line's box is far larger than."""
    around = (*line.corners, line.corners[0])
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairwise(around))) / 2

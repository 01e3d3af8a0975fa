"""The work on a picture that runs native code on bytes of strangers: measuring and decoding.

It can be done here, or by somebody else (`Decoder`): in a process that can be lost, on another machine.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from PIL import Image

from tigertag.errors import PhotoError
from tigertag.media.anatomy import Anatomy, Bytes, Form, Unfit
from tigertag.media.decode import (
    MOST_PIXELS_WHOLE,
    base,
    check_end,
    encode,
    fit,
    image,
    scaled,
    shrink_of,
    upright,
    upright_size,
)
from tigertag.media.strip import strip
from tigertag.media.video_file import frames_in
from tigertag.model import Rendition

Size: TypeAlias = tuple[int, int]
"""Width and height of the upright picture, in pixels."""


@dataclass(frozen=True, slots=True)
class File:
    """A file on its way to who decodes it: its bytes, or where they lie on this machine."""

    name: str
    """What a person calls it, for messages."""
    content: Bytes | Path
    anatomy: Anatomy

    def __reduce__(self) -> tuple[type[File], tuple[str, bytes | Path, Anatomy]]:
        """Pickled with its bytes, or with the path alone."""
        content = self.content if isinstance(self.content, Path) else bytes(self.content)
        return File, (self.name, content, self.anatomy)

    @contextmanager
    def open(self) -> Iterator[Bytes]:
        """All its bytes."""
        if not isinstance(self.content, Path):
            yield self.content
            return
        with self.content.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


class Decoder(Protocol):
    """Measures and decodes. Raises PhotoError, MissingDecoder, TransientError."""

    def size(self, file: File) -> Size: ...

    def render(self, file: File, renditions: Sequence[Rendition]) -> Mapping[Rendition, bytes]:
        """All of them, from one decode: the same bytes for the same file and renditions."""
        ...


class Here:
    """Decodes in this process and thread."""

    def size(self, file: File) -> Size:
        stored = file.anatomy.size
        try:
            if stored is not None:
                return upright(stored, file.anatomy, file.anatomy.orientation)
            with file.open() as data, _stream(data) as stream, image(stream, file.anatomy.form) as picture:
                size = upright_size(picture, file.anatomy)
                check_end(picture, file.anatomy.form, len(data))
        except Unfit as error:
            raise PhotoError(f"{file.name} {error}") from error
        return size

    def render(self, file: File, renditions: Sequence[Rendition]) -> Mapping[Rendition, bytes]:
        try:
            with file.open() as data, _stream(_picture_of(data, file.anatomy)) as stream:
                return _rendered(stream, file.anatomy, renditions)
        except Unfit as error:
            raise PhotoError(f"{file.name} {error}") from error


def _picture_of(data: Bytes, anatomy: Anatomy) -> Bytes:
    """A raw file's preview; a PNG without its metadata, which Pillow reads before the picture and may choke on.

    Others are as they are. What two files with the same picture look like must not depend on the rest of them.
    """
    if anatomy.within is not None:
        return bytes(data[slice(*anatomy.within)])
    spans = sorted(span for part in anatomy.metadata for span in part.spans)
    if anatomy.form is not Form.PNG or not spans:
        return data
    starts, stops = [0, *(stop + 4 for _, stop in spans)], [*(start - 8 for start, _ in spans), len(data)]
    return b"".join(data[start:stop] for start, stop in zip(starts, stops, strict=True))


def _stream(data: Bytes) -> BinaryIO:
    return io.BytesIO(data) if isinstance(data, bytes) else io.BufferedReader(Mapped(data))


class Mapped(io.RawIOBase):
    """A reader of a mapped file with a position of its own."""

    def __init__(self, data: mmap.mmap) -> None:
        super().__init__()
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, start + offset)
        return self._at


def _rendered(stream: BinaryIO, anatomy: Anatomy, renditions: Sequence[Rendition]) -> dict[Rendition, bytes]:
    """Decodes once, for the largest; a smaller one is made of the next larger where that is twice its size."""
    if anatomy.form is Form.VIDEO:
        return _of_film(stream, renditions)
    with image(stream, anatomy.form) as opened:
        whole = upright_size(opened, anatomy)
        sizes = {rendition: fit(whole, rendition) for rendition in renditions}
        largest = max(sizes.values(), key=lambda size: size[0] * size[1])
        picture, profile = base(opened, anatomy, shrink_of(whole, largest))
        return _encoded(_scaled(picture, sizes), profile)


def _of_film(stream: BinaryIO, renditions: Sequence[Rendition]) -> dict[Rendition, bytes]:
    """The same of a video: of its first frame, which stands for it, or of all of them."""
    shown = frames_in(stream, MOST_PIXELS_WHOLE)
    sizes = {rendition: fit(shown[0].size, rendition) for rendition in renditions}
    made = _scaled(shown[0], sizes)
    every = {rendition: size for rendition, size in sizes.items() if rendition.frames}
    others = [_scaled(frame, every) for frame in shown[1:]] if every else []
    made |= {rendition: strip([made[rendition], *(each[rendition] for each in others)]) for rendition in every}
    return _encoded(made, b"")


def _encoded(made: Mapping[Rendition, Image.Image], profile: bytes) -> dict[Rendition, bytes]:
    """Two that differ in nothing that is seen are encoded once."""
    done: dict[tuple[int, int], bytes] = {}
    for rendition, picture in made.items():
        if (id(picture), rendition.quality) not in done:
            done[id(picture), rendition.quality] = encode(picture, profile, rendition.quality)
    return {rendition: done[id(picture), rendition.quality] for rendition, picture in made.items()}


def _scaled(picture: Image.Image, sizes: Mapping[Rendition, Size]) -> dict[Rendition, Image.Image]:
    """The picture in these sizes, in the order of the largest first."""
    made: dict[Rendition, Image.Image] = {}
    done: dict[Size, Image.Image] = {}
    for rendition in sorted(sizes, key=lambda each: (-sizes[each][0] * sizes[each][1], each.quality)):
        size = sizes[rendition]
        if size not in done:
            done[size] = scaled(_source(size, picture, done), size)
        made[rendition] = done[size]
    return made


def _source(size: Size, picture: Image.Image, done: Mapping[Size, Image.Image]) -> Image.Image:
    enough = [each for (width, height), each in done.items() if min(width // size[0], height // size[1]) >= 2]
    return min(enough, key=lambda each: each.width, default=picture)

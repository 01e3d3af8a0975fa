"""A photo that has been fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self

from PIL import Image

from tigertag.errors import PhotoError, TransientError
from tigertag.media.anatomy import Anatomy, Unfit, content_id, input_hash
from tigertag.media.decode import base, check_end, encode, fit, image, shrink_of, upright_size
from tigertag.media.sniff import anatomy
from tigertag.media.spool import MOST_BYTES, Spool, Unsteady, spool
from tigertag.model import Photo, Rendition

KEPT_PIXELS = 8_000_000
"""A decoded picture up to this size is kept for the next rendition (24 MB); a larger one is decoded again."""


class OpenPhoto(Photo):
    """A photo whose bytes are held until `close`. Safe to use from several threads."""

    def __init__(self, name: str, kept: Spool, parts: Anatomy, size: tuple[int, int]) -> None:
        self._name = name
        self._spool = kept
        self._anatomy = parts
        self._size = size
        self._content_id = content_id(kept.data, parts, kept.file_hash)
        self._input = input_hash(kept.data, parts, kept.file_hash)
        self._lock = threading.Lock()
        self._bases: dict[int, tuple[Image.Image, bytes]] = {}
        self._renditions: dict[Rendition, bytes] = {}
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def content_id(self) -> str:
        return self._content_id

    @property
    def input(self) -> str:
        return self._input

    @property
    def file_hash(self) -> str:
        """SHA-256 of the whole file, hex."""
        return self._spool.file_hash

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file as it was read, from its first byte; a reader of its own for each caller."""
        if self._is_closed:
            raise ValueError(f"{self._name} is closed")
        with self._spool.open() as stream:
            yield stream

    def jpeg(self, rendition: Rendition) -> bytes:
        """The same bytes for the same rendition, on every photo with the same picture.

        Raises PhotoError where the picture cannot be decoded.
        """
        with self._lock:
            if rendition not in self._renditions:
                self._renditions[rendition] = self._render(rendition)
            return self._renditions[rendition]

    def _render(self, rendition: Rendition) -> bytes:
        size = fit(self._size, rendition)
        try:
            picture, profile = self._base(shrink_of(self._size, size))
            return encode(picture, profile, size, rendition.quality)
        except Unfit as error:
            raise PhotoError(f"{self._name} {error}") from error

    def _base(self, shrink: int) -> tuple[Image.Image, bytes]:
        if shrink in self._bases:
            return self._bases[shrink]
        with self.open() as stream:
            made = base(stream, self._anatomy, shrink)
        if made[0].width * made[0].height <= KEPT_PIXELS:
            self._bases[shrink] = made
        return made

    def close(self) -> None:
        """Gives memory and temporary file back. Twice is once."""
        with self._lock:
            self._is_closed = True
            self._bases.clear()
            self._renditions.clear()
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_photo(stream: BinaryIO, name: str, *, limit: int = MOST_BYTES) -> OpenPhoto:
    """Reads `stream` to its end and finds out what it holds; nothing is decoded yet.

    `name` is what a person calls it, for messages; `limit` is in bytes. Raises PhotoError where it is no
    picture, empty, cut short or too large, MissingDecoder where an extra is missing, TransientError where it
    keeps changing while it is read, DiskError. What the stream raises goes through, but for a plain OSError.
    """
    try:
        kept = spool(stream, limit)
    except Unfit as error:
        raise PhotoError(f"{name} {error}") from error
    except Unsteady as error:
        raise TransientError(f"{name} changes while it is read") from error
    except OSError as error:
        raise PhotoError(f"{name} cannot be read ({error.strerror or error})") from error
    try:
        return _opened(name, kept)
    except Unfit as error:
        kept.close()
        raise PhotoError(f"{name} {error}") from error
    except BaseException:
        kept.close()
        raise


def _opened(name: str, kept: Spool) -> OpenPhoto:
    parts = anatomy(kept.data)
    with kept.open() as stream, image(stream, parts.form) as picture:
        size = upright_size(picture, parts)
        check_end(picture, parts.form, len(kept.data))
    return OpenPhoto(name, kept, parts, size)

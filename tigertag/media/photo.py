"""A photo that has been fetched."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from types import TracebackType
from typing import BinaryIO, Self

from tigertag.errors import PhotoError, TigerTagError, TransientError
from tigertag.media.anatomy import Unfit, content_id, input_hash
from tigertag.media.render import Decoder, File, Here, Size
from tigertag.media.sniff import anatomy
from tigertag.media.spool import MOST_BYTES, Spool, Unsteady, spool
from tigertag.model import Photo, Rendition, Sidecar

HERE = Here()


class OpenPhoto(Photo):
    """A photo whose bytes are held until `close`. Safe to use from several threads."""

    def __init__(self, kept: Spool, file: File, size: Size, decoder: Decoder) -> None:
        self._spool = kept
        self._file = file
        self._size = size
        self._decoder = decoder
        self._content_id = content_id(kept.data, file.anatomy, kept.file_hash)
        self._input = input_hash(kept.data, file.anatomy, kept.file_hash)
        self._sidecar: Sidecar | None = None
        self._lock = threading.Lock()
        self._made: dict[Rendition, bytes | TigerTagError] = {}
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._file.name

    @property
    def content_id(self) -> str:
        return self._content_id

    def recognise(self, content_id: str) -> None:
        """It is the photo of this id: we wrote into its file, and the whole file counts as the picture."""
        self._content_id = content_id

    @property
    def input(self) -> str:
        return self._input

    @property
    def sidecar(self) -> Sidecar | None:
        return self._sidecar

    def lay_beside(self, sidecar: Sidecar, digest: str) -> None:
        """It has this sidecar; `digest` is of what others wrote there, empty for nothing.

        Its `input` is then another one, unless there is nothing. Not twice.
        """
        self._sidecar = sidecar
        if digest:
            self._input = hashlib.sha256(f"{self._input}+{digest}".encode()).hexdigest()

    @property
    def file(self) -> File:
        """The file, to be decoded by somebody else."""
        return self._file

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
            raise ValueError(f"{self.name} is closed")
        with self._spool.open() as stream:
            yield stream

    def jpeg(self, rendition: Rendition) -> bytes:
        """The same bytes whenever it is asked again. Raises PhotoError where the picture cannot be decoded.

        What is raised is the caller's own: engines in other threads get another.
        """
        with self._lock:
            if rendition not in self._made:
                self._made |= self._decoder.render(self._file, (rendition,))
            made = self._made[rendition]
        if isinstance(made, TigerTagError):
            raise copy(made)
        return made

    def prepare(self, renditions: Sequence[Rendition]) -> None:
        """Makes these from one decode. What keeps it from that is raised when one of them is asked for."""
        try:
            self.keep(self._decoder.render(self._file, renditions))
        except TigerTagError as error:
            self.keep(dict.fromkeys(renditions, error))

    def keep(self, made: Mapping[Rendition, bytes | TigerTagError]) -> None:
        """Takes over renditions that somebody else made of `file`, or why there are none."""
        with self._lock:
            self._made |= made

    def made(self, renditions: Sequence[Rendition]) -> Mapping[Rendition, bytes | TigerTagError]:
        """Those of `renditions` that were prepared, or why they could not be."""
        with self._lock:
            return {each: self._made[each] for each in renditions if each in self._made}

    def close(self) -> None:
        """Gives memory and temporary file back. Twice is once."""
        with self._lock:
            self._is_closed = True
            self._made.clear()
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_photo(
    stream: BinaryIO, name: str, *, limit: int = MOST_BYTES, decoder: Decoder = HERE, by_path: bool = False
) -> OpenPhoto:
    """Reads `stream` to its end and finds out what it holds; nothing is decoded yet.

    `name` is what a person calls it, for messages; `limit` is in bytes. What runs native code is left to
    `decoder`; with `by_path` it can read files of this machine, so that large ones need not be handed over.
    Raises PhotoError where it is no picture, empty, cut short or too large, MissingDecoder where an extra is
    missing, TransientError where it keeps changing while it is read, DiskError. What the stream raises goes
    through, but for a plain OSError.
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
        return _opened(name, kept, decoder, by_path)
    except Unfit as error:
        kept.close()
        raise PhotoError(f"{name} {error}") from error
    except BaseException:
        kept.close()
        raise


def _opened(name: str, kept: Spool, decoder: Decoder, by_path: bool) -> OpenPhoto:
    parts = anatomy(kept.data)
    file = File(name, (kept.path if by_path else None) or kept.data, parts)
    # What a decoder does on opening a file is native code, or Python whose memory the file decides.
    measured_by = decoder if parts.size is None else HERE
    return OpenPhoto(kept, file, measured_by.size(file), decoder)

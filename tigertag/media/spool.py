"""Reading a stream to its end, once: into memory, or beyond 16 MiB into a temporary file that is mapped."""

from __future__ import annotations

import errno
import hashlib
import io
import mmap
import os
import tempfile
from contextlib import suppress
from typing import IO, BinaryIO

from tigertag.errors import DiskError
from tigertag.media.anatomy import Bytes, Unfit

MOST_BYTES = 512 << 20
IN_MEMORY = 16 << 20
_CHUNK = 1 << 20


class Unsteady(Exception):
    """The file was written to while it was read, twice."""


class Spool:
    """All bytes of a file and their SHA-256. They stay the same, whatever becomes of the file."""

    def __init__(self, data: Bytes, file_hash: str, kept: IO[bytes] | None = None) -> None:
        self.data = data
        self.file_hash = file_hash
        self._kept = kept

    def open(self) -> BinaryIO:
        """A reader of its own, from the first byte."""
        if isinstance(self.data, bytes):
            return io.BytesIO(self.data)
        return io.BufferedReader(_Mapped(self.data))

    def close(self) -> None:
        """Gives memory and file back. Twice is once."""
        if isinstance(self.data, mmap.mmap):
            with suppress(BufferError):  # a reader is still open; the map goes with it
                self.data.close()
        if self._kept is not None:
            self._kept.close()
        self.data = b""


class _Mapped(io.RawIOBase):
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


def spool(stream: BinaryIO, limit: int = MOST_BYTES) -> Spool:
    """Reads `stream` to its end. A file that changes meanwhile is read once more.

    Raises Unfit above `limit` bytes, Unsteady where the file keeps changing, DiskError where there is no
    room for the temporary file. What the stream itself raises goes through.
    """
    before = _mark(stream)
    whole = _read(stream, limit)
    if _mark(stream) == before:
        return whole
    whole.close()
    stream.seek(0)
    before = _mark(stream)
    whole = _read(stream, limit)
    if _mark(stream) == before:
        return whole
    whole.close()
    raise Unsteady


def _mark(stream: BinaryIO) -> tuple[int, int] | None:
    """What moves when the file behind a stream is written to; None where there is no file."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, AttributeError):  # no file: a download, a member of an archive
        return None
    return status.st_size, status.st_mtime_ns


def _read(stream: BinaryIO, limit: int) -> Spool:
    sha = hashlib.sha256()
    memory = bytearray()
    kept: IO[bytes] | None = None
    size = 0
    try:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise Unfit(f"is too large (over {limit >> 20} MiB)")
            sha.update(chunk)
            if kept is None and size > IN_MEMORY:
                kept = _temporary()
                _write(kept, memory)
                memory = bytearray()
            if kept is None:
                memory += chunk
            else:
                _write(kept, chunk)
        if kept is None:
            return Spool(bytes(memory), sha.hexdigest())
        _write(kept, b"")
        return Spool(mmap.mmap(kept.fileno(), 0, access=mmap.ACCESS_READ), sha.hexdigest(), kept)
    except BaseException:
        if kept is not None:
            kept.close()
        raise


def _temporary() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(prefix="tigertag-", buffering=0)
    except OSError as error:
        raise _no_room(error) from error


def _write(file: IO[bytes], chunk: bytes | bytearray) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> DiskError:
    folder = tempfile.gettempdir() if tempfile.tempdir else "the folder for temporary files"
    why = "no room left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
    return DiskError(f"Cannot keep a photo in {folder} ({why}). Make room there or set TMPDIR.")

"""Reading a stream to its end, once: into memory, or beyond 16 MiB into a temporary file that is mapped."""

from __future__ import annotations

import errno
import hashlib
import io
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from tigertag.errors import DiskError
from tigertag.media.anatomy import Bytes, Unfit
from tigertag.media.render import Mapped

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
        return io.BufferedReader(Mapped(self.data))

    @property
    def path(self) -> Path | None:
        """Where another process of this user and machine can read the bytes, while this one keeps them.

        None where they are in memory, or where there is no /proc: then they must be handed over.
        """
        if self._kept is None:
            return None
        path = Path(f"/proc/{os.getpid()}/fd/{self._kept.fileno()}")
        return path if path.exists() else None

    def close(self) -> None:
        """Gives memory and file back. Twice is once."""
        if isinstance(self.data, mmap.mmap):
            with suppress(BufferError):  # a reader is still open; the map goes with it
                self.data.close()
        if self._kept is not None:
            self._kept.close()
        self.data = b""


def spool(stream: BinaryIO, limit: int = MOST_BYTES) -> Spool:
    """Reads `stream` to its end. A file that changes meanwhile is read once more.

    Raises Unfit above `limit` bytes, Unsteady where the file keeps changing, DiskError where there is no
    room for the temporary file. What the stream itself raises goes through.
    """
    before = _mark(stream)
    if before is not None and before[0] > limit:
        raise _too_large(limit)
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


def _too_large(limit: int) -> Unfit:
    return Unfit(f"is too large (over {limit >> 20} MiB)")


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
                raise _too_large(limit)
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

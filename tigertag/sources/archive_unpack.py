"""Streams of gzip, bzip2 and xz, unpacked piece by piece and within limits."""

from __future__ import annotations

import bz2
import logging
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from tigertag.sources.archive_limits import ENDS_EARLY, MOST_HEADER, TOO_MUCH_SAID, Broken, is_bomb

log = logging.getLogger(__name__)

_CHUNK = 1 << 18
_MOST_WINDOW = 256 << 20  # bytes of memory that unpacking xz may take

# bz2 has no error of its own, and no file is read where this is caught.
_FAULTS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class _Unpacking(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class _Inflating:
    """gzip as the other compressions are: zlib keeps what it did not get to in another place."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


COMPRESSIONS: dict[bytes, Callable[[], _Unpacking]] = {
    b"\x1f\x8b": _Inflating,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_WINDOW),
}
"""By how the file starts."""


def reason(error: BaseException) -> str:
    """What a fault of an archive says, as the predicate of a sentence."""
    text = " ".join(str(error).split())
    if isinstance(error, EOFError) or "end of" in text or "truncated" in text:
        return ENDS_EARLY
    if "emory usage limit" in text:
        return f"needs over {_MOST_WINDOW >> 20} MiB of memory to be unpacked"
    return f"is damaged ({text or type(error).__name__})"


class Unpacked:
    """Reads what is compressed, from start to end. Raises Broken for a bomb and for what makes no sense."""

    def __init__(self, file: BinaryIO, mark: bytes) -> None:
        self._file = file
        self._mark = mark
        self._inner = COMPRESSIONS[mark]()
        self._pending = b""
        self._packed = 0
        self._made = 0

    def read(self, size: int) -> bytes:
        """Some bytes, at most `size`, which is above 0; none at the end."""
        while not self._inner.eof or self._next_part():
            try:
                piece = self._inner.decompress(self._pending, size)
            except _FAULTS as error:
                raise Broken(reason(error)) from error
            self._pending = b""
            if piece:
                self._made += len(piece)
                self._check()
                return piece
            if not self._inner.eof:
                self._pending = self._file.read(_CHUNK)
                self._packed += len(self._pending)
                if not self._pending:
                    raise Broken(ENDS_EARLY)
        return b""

    def _check(self) -> None:
        if is_bomb(self._packed, self._made):
            became = f"{self._packed >> 10:,} KiB became {self._made >> 20:,} MiB"
            raise Broken(f"is not unpacked to its end: {became}")

    def _next_part(self) -> bool:
        """Whether another compressed part follows; some tools write one after the other."""
        rest = self._inner.unused_data or self._file.read(_CHUNK)
        if not rest.startswith(self._mark):
            return False
        self._inner = COMPRESSIONS[self._mark]()
        self._pending = rest
        return True


class Salvage:
    """What comes before the damage."""

    def __init__(self, stream: Unpacked) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except Broken as error:
            log.debug("what comes after is lost: it %s", error)
            return b""


class Forward:
    """A stream that can only go on, for a reader that asks for places: those before are gone."""

    def __init__(self, stream: Unpacked) -> None:
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int) -> int:
        if offset < self._at:
            raise ValueError("a member lies before the one that tells of it")
        while self._at < offset and self._take(min(offset - self._at, _CHUNK)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        """Raises Broken where more is wanted than a header can hold."""
        if size < 0 or size > MOST_HEADER:
            raise Broken(TOO_MUCH_SAID)
        pieces = []
        while size > 0 and (piece := self._take(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _take(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._at += len(piece)
        return piece

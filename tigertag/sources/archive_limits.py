"""How much an archive may hold, so that none costs more than its photos are worth (RELIABILITY Z1–Z6)."""

from __future__ import annotations

import io
from abc import abstractmethod
from dataclasses import dataclass
from typing import BinaryIO

MOST_MEMBERS = 200_000
"""Members of an archive, those of archives within it included."""
MOST_DEPTH = 3
"""Archives within each other, the outermost included."""
MOST_NESTED = 4 << 30
"""Bytes of an archive that lies within another one, unpacked."""
MOST_NESTED_IN_ALL = 16 << 30
"""Bytes of all archives within an outermost one, those within these included."""
MOST_UNPACKED = 256 << 30
"""Bytes of a compressed tar, unpacked."""
MOST_RATIO = 100
"""How much larger the contents may be than the archive; photos hardly shrink at all."""
RATIO_FROM = 256 << 20
"""Bytes that are harmless, however small the archive."""
MOST_DIRECTORY = 32 << 20
"""Bytes of a zip file's table of contents."""
MOST_HEADER = 1 << 18
"""Bytes of what a tar file says of one member."""


class Broken(Exception):
    """Why an archive, or a member of it, cannot be read, as the predicate of a sentence: `is encrypted`."""


ENDS_EARLY = "ends early"
TOO_MUCH_SAID = "is damaged (a member's header is too large)"


@dataclass(slots=True)
class Budget:
    """What is left of an outermost archive's limits."""

    members: int = MOST_MEMBERS
    nested: int = MOST_NESTED_IN_ALL
    packed: int = 0
    """Bytes of the outermost archive as a file."""
    unpacked: int = 0
    """Bytes of the photos met so far in archives within."""

    def take_member(self) -> None:
        """Raises Broken where there are too many."""
        self.members -= 1
        if self.members < 0:
            raise Broken(f"holds too much (over {MOST_MEMBERS:,} files)")

    def take_photo(self, size: int) -> None:
        """Raises Broken where archives within hold more than the outermost can honestly hold."""
        self.unpacked += size
        if is_bomb(self.packed, self.unpacked):
            became = f"{self.packed >> 10:,} KiB would become over {self.unpacked >> 20:,} MiB"
            raise Broken(f"is not read on: {became}")

    def take_nested(self, size: int) -> None:
        """For an archive within of so many bytes. Raises Broken where that is too much."""
        self.nested -= size
        if self.nested < 0:
            raise Broken(f"holds too much (over {MOST_NESTED_IN_ALL >> 30} GiB of archives within)")


def is_bomb(packed: int, unpacked: int) -> bool:
    """Whether so many bytes cannot honestly have come out of so few."""
    return unpacked > max(RATIO_FROM, MOST_RATIO * packed)


class Cautious(io.BufferedReader):
    """Refuses to read much at once: what asks for it believes a number that a stranger wrote down."""

    def __init__(self, raw: io.RawIOBase, most: int, reason: str) -> None:
        super().__init__(raw)
        self._most = most
        self._reason = reason

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._most + 1 if size is None or size < 0 else size
        piece = super().read(min(wanted, self._most + 1))
        if wanted > self._most and len(piece) > self._most:
            raise Broken(self._reason)
        return piece


class Pieces(io.RawIOBase):
    """A stream to be read. A subclass gives the next bytes, none at the end."""

    @abstractmethod
    def piece(self, size: int) -> bytes: ...

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self.piece(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class Passage(Pieces):
    """A part of an open file, which it owns. Raises Broken where the file ends before it."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._length = length
        self._at = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def piece(self, size: int) -> bytes:
        wanted = max(0, min(size, self._length - self._at))
        self._file.seek(self._start + self._at)
        piece = self._file.read(wanted)
        if wanted and not piece:
            raise Broken(ENDS_EARLY)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
        super().close()

"""What a zip and a tar file have in common, and which of them a file is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from tigertag.errors import PhotoError
from tigertag.media.names import kind_of
from tigertag.sources.archive_limits import Broken, Pieces

Reopen: TypeAlias = Callable[[], BinaryIO]
"""Gives a reader of the whole archive with a position of its own, to be closed by who asked for it."""

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

HEAD = 511
"""Bytes of a member that tell what it is; fewer than a block of a tar file, so that it can be read on from."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    """As the archive spells it, parts joined by `/`; never used as a path."""
    number: int
    """0 for the first member of that name, 1 for the second, …"""
    size: int
    mark: str
    """Differs whenever the bytes may differ, where the archive has checksums; stays when it is renamed."""
    moment: datetime | None = None
    """When it was changed, taken for UTC: archives hold local time without a zone, or UTC."""
    head: bytes = b""
    """Its first bytes, where its name says nothing."""
    trouble: str = ""
    """Why it cannot be read, as the predicate of a sentence."""
    is_link: bool = False


class Archive(Protocol):
    """An archive that is open. Safe to use from several threads once it was listed."""

    @property
    def has_checksums(self) -> bool: ...

    def members(self) -> Iterator[Member]:
        """Every file and link, in the archive's order. Raises Broken where it cannot go on, OSError."""
        ...

    def open(self, name: str, number: int) -> BinaryIO:
        """The bytes of a member. Raises KeyError where there is none; reading it may raise Broken, OSError."""
        ...

    def close(self) -> None: ...


def needs_look(name: str) -> bool:
    """Whether only its first bytes tell what a member is."""
    return kind_of(name) is None


def spelled(name: str) -> str:
    """A name as it was meant: many tools write UTF-8 into zip files without saying so, which reads as `├⌐`."""
    if name.isascii():
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


class Counter:
    """Numbers members that share a name."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def number(self, name: str) -> int:
        self._seen[name] = self._seen.get(name, -1) + 1
        return self._seen[name]


class Named(Pieces):
    """A member whose faults name it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._file = file
        self._name = name

    def piece(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Broken as error:
            raise PhotoError(f"{self._name} {error}") from error


def open_regular(path: Path) -> BinaryIO:
    """A reader of a regular file; never waits for a pipe. Raises OSError."""
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(descriptor, "rb")

"""Tar files (POSIX pax), plain or compressed, through the standard library."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Protocol, cast

from tigertag.media.anatomy import Unfit
from tigertag.media.on_disk import moment_of
from tigertag.media.spool import Spool, spool
from tigertag.sources.archive_limits import (
    MOST_HEADER,
    MOST_UNPACKED,
    TOO_MUCH_SAID,
    Broken,
    Cautious,
    Passage,
)
from tigertag.sources.archive_reading import HEAD, Archive, Counter, Member, Reopen, needs_look
from tigertag.sources.archive_unpack import Forward, Salvage, Unpacked, reason

_FAULTS = (tarfile.TarError, EOFError, ValueError, LookupError, ArithmeticError)


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...


def is_tar(head: bytes) -> bool:
    """Whether a file that starts like this is a plain tar: by its mark, or by its first checksum."""
    if head[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class TarArchive(Archive):
    """A compressed one has no places to go to: to be listed it is unpacked from start to end.

    To be read it is unpacked once more, into a temporary file, which is kept until it is closed.
    """

    has_checksums = False

    def __init__(self, reopen: Reopen, mark: bytes = b"") -> None:
        """`mark` is one of COMPRESSIONS; empty: it is not compressed."""
        self._reopen = reopen
        self._mark = mark
        self._known: dict[tuple[str, int], tarfile.TarInfo] = {}
        self._unpacked: Spool | None = None
        self._lock = threading.Lock()

    def members(self) -> Iterator[Member]:
        counter = Counter()
        with self._reopen() as file:
            stream = self._stream(file)
            for info in _walk(stream):
                number = counter.number(info.name)
                self._known[info.name, number] = info
                yield _member(info, number, _head(stream, info))

    def _stream(self, file: BinaryIO) -> _Stream:
        if self._mark:
            return Forward(Unpacked(file, self._mark))
        return Cautious(cast(io.RawIOBase, file), MOST_HEADER, TOO_MUCH_SAID)

    def open(self, name: str, number: int) -> BinaryIO:
        with self._lock:
            info = self._find(name, number)
            if trouble := _trouble(info):
                raise Broken(trouble)
            file = self._readable()
        return cast(BinaryIO, io.BufferedReader(Passage(file, info.offset_data, info.size)))

    def _find(self, name: str, number: int) -> tarfile.TarInfo:
        if (name, number) not in self._known:
            with suppress(Broken):  # what was before the damage is there
                for _ in self.members():
                    pass
        return self._known[name, number]

    def _readable(self) -> BinaryIO:
        if not self._mark:
            return self._reopen()
        if self._unpacked is None:
            try:
                with self._reopen() as file:
                    self._unpacked = spool(cast(BinaryIO, Salvage(Unpacked(file, self._mark))), MOST_UNPACKED)
            except Unfit as error:
                raise Broken(str(error)) from error
        return self._unpacked.open()

    def close(self) -> None:
        if self._unpacked is not None:
            self._unpacked.close()
            self._unpacked = None


class _Info(tarfile.TarInfo):
    """The library takes a header that makes no sense for the end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> _Info:
        try:
            return super().fromtarfile(tar)
        except (tarfile.TruncatedHeaderError, tarfile.InvalidHeaderError) as error:  # type: ignore[attr-defined]
            raise Broken(reason(error)) from error


def _head(stream: _Stream, info: tarfile.TarInfo) -> bytes:
    if not info.isreg() or not needs_look(info.name):
        return b""
    stream.seek(info.offset_data)
    return stream.read(min(HEAD, info.size))


def _walk(stream: _Stream) -> Iterator[tarfile.TarInfo]:
    """Files and links. Raises Broken."""
    try:
        with tarfile.TarFile(fileobj=stream, tarinfo=_Info) as tar:  # type: ignore[arg-type]
            while info := tar.next():
                tar.members = []  # type: ignore[attr-defined]  # it keeps all of them otherwise
                if info.isreg() or info.issym() or info.islnk():
                    yield info
    except _FAULTS as error:
        raise Broken(reason(error)) from error


def _member(info: tarfile.TarInfo, number: int, head: bytes) -> Member:
    return Member(
        info.name,
        number,
        info.size,
        f"{info.size}:{info.mtime}:{info.offset_data}:{info.chksum}",
        moment_of(info.mtime),
        head,
        _trouble(info),
        info.issym() or info.islnk(),
    )


def _trouble(info: tarfile.TarInfo) -> str:
    return "is stored with holes, which TigerTag cannot read" if info.issparse() else ""

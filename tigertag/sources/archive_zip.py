"""Zip files (APPNOTE 6.3), through the standard library."""

from __future__ import annotations

import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, BinaryIO, cast

from tigertag.media.spool import MOST_BYTES
from tigertag.sources.archive_limits import ENDS_EARLY, MOST_DIRECTORY, Broken, Cautious, Pieces, is_bomb
from tigertag.sources.archive_reading import HEAD, Archive, Counter, Member, Reopen, needs_look

STARTS = (b"PK\x03\x04", b"PK\x05\x06")

FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
)
"""What the standard library raises on bytes that make no sense."""

_ENCRYPTED = 0x1
_TOO_MUCH_SAID = "is damaged (its table of contents is too large)"


class ZipArchive(Archive):
    """Opening it reads its table of contents. Raises Broken."""

    has_checksums = True

    def __init__(self, reopen: Reopen) -> None:
        self._file = reopen()
        try:
            self._whole = Cautious(cast(io.RawIOBase, self._file), MOST_DIRECTORY, _TOO_MUCH_SAID)
            self._zip = zipfile.ZipFile(cast(BinaryIO, self._whole))
        except FAULTS as error:
            self._file.close()
            raise Broken(_reason(error)) from error
        except BaseException:
            self._file.close()
            raise
        counter = Counter()
        self._known = {(info.filename, counter.number(info.filename)): info for info in self._zip.infolist()}

    def members(self) -> Iterator[Member]:
        self._check_whole()
        for (name, number), info in self._known.items():
            if name.endswith("/"):  # a name may be empty, which the library does not expect
                continue
            trouble = _trouble(info)
            yield Member(
                name,
                number,
                info.file_size,
                f"{info.CRC:08x}:{info.file_size}:{info.flag_bits & _ENCRYPTED}",
                _moment(info),
                self._head(info) if needs_look(name) and not trouble else b"",
                trouble,
                stat.S_ISLNK(info.external_attr >> 16),
            )

    def _check_whole(self) -> None:
        """Members may share their bytes, so that each of them looks harmless."""
        good = [info for info in self._known.values() if not _trouble(info)]
        size = self._file.seek(0, io.SEEK_END)
        unpacked = sum(info.file_size for info in good)
        if is_bomb(size, unpacked):
            raise Broken(f"is not read: {size >> 10:,} KiB would become {unpacked >> 20:,} MiB")

    def _head(self, info: zipfile.ZipInfo) -> bytes:
        try:
            with self._zip.open(info) as file:
                return file.read(HEAD)
        except FAULTS:  # said when it is opened, if it is a photo at all
            return b""

    def open(self, name: str, number: int) -> BinaryIO:
        info = self._known[name, number]
        if trouble := _trouble(info):
            raise Broken(trouble)
        try:
            return cast(BinaryIO, io.BufferedReader(_Unzipped(self._zip.open(info), info.file_size)))
        except FAULTS as error:
            raise Broken(_reason(error)) from error

    def close(self) -> None:
        self._zip.close()
        self._whole.close()


class _Unzipped(Pieces):
    """A member, checked to be as long as the table of contents says; its checksum is seen to by the library."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__()
        self._file = file
        self._left = size

    def piece(self, size: int) -> bytes:
        try:
            piece = self._file.read(size)
        except FAULTS as error:
            raise Broken(_reason(error)) from error
        if not piece and self._left > 0:
            raise Broken(ENDS_EARLY)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
        super().close()


def _trouble(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.file_size > MOST_BYTES and needs_look(info.filename):
        return f"is too large (over {MOST_BYTES >> 20} MiB)"
    if is_bomb(info.compress_size, info.file_size):
        return f"is not unpacked: {info.compress_size:,} bytes would become {info.file_size:,}"
    return ""


def _moment(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:  # months beyond twelve, and other things nobody wrote on purpose
        return None


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, EOFError):
        return ENDS_EARLY
    if isinstance(error, NotImplementedError):
        return f"is packed in a way that TigerTag cannot read ({text or 'unknown'})"
    if "File is not a zip file" in text:
        return "ends early (its table of contents is missing)"
    return f"is damaged ({text or type(error).__name__})"

"""Archives of every kind, made in memory; good ones, and ones that nobody made in good faith."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Files: TypeAlias = Mapping[str, bytes] | Sequence[tuple[str, bytes]]
"""Name → content; pairs where a name comes twice."""

Compression: TypeAlias = Literal["", "gz", "bz2", "xz"]

KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz")


def pairs(files: Files) -> Sequence[tuple[str, bytes]]:
    return list(files.items()) if isinstance(files, Mapping) else files


def zipped(files: Files, *, packed: bool = True) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in pairs(files):
            archive.writestr(zipfile.ZipInfo(name, (2021, 6, 5, 14, 3, 2)), content, archive.compression)
    return out.getvalue()


def tarred(files: Files, compression: Compression = "", *links: tuple[str, str]) -> bytes:
    """`links` are names, and where each of them leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in pairs(files):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_622_901_782
            archive.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def packed(kind: str, files: Files) -> bytes:
    """One of KINDS."""
    if kind == "zip":
        return zipped(files)
    return tarred(files, kind.removeprefix("tar").removeprefix("."))  # type: ignore[arg-type]


def with_field(archive: bytes, name: str, offset: int, value: bytes, *, everywhere: bool = True) -> bytes:
    """A zip file with other bytes at `offset` of a member's central header, and in its local one."""
    changed = bytearray(archive)
    central = archive.index(b"PK\x01\x02")
    while archive[central + 46 : central + 46 + len(name)] != name.encode():
        central = archive.index(b"PK\x01\x02", central + 4)
    changed[central + offset : central + offset + len(value)] = value
    if everywhere:
        local = struct.unpack_from("<I", archive, central + 42)[0]
        changed[local + offset - 2 : local + offset - 2 + len(value)] = value
    return bytes(changed)


FLAGS, METHOD, CHECKSUM, PACKED, SIZE = 8, 10, 16, 20, 24
"""Offsets of fields in a central header (APPNOTE 4.3.12)."""


def number(value: int, width: int = 4) -> bytes:
    return value.to_bytes(width, "little")

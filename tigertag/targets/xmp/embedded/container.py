"""Keywords inside picture files: written by exiftool into a copy, which is compared with the file part by part.

Nothing but XMP, the keywords of IPTC and what follows from them may differ; else the copy is thrown away.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from tigertag import exiftool
from tigertag.errors import DiskError, PhotoError, TransientError
from tigertag.exiftool import ExifTool, assignment, output_beside
from tigertag.exiftool.arguments import UNESCAPE
from tigertag.media import Unfit
from tigertag.media.anatomy import Form
from tigertag.media.names import printable
from tigertag.media.sniff import anatomy
from tigertag.replacing.files import replace as put
from tigertag.replacing.files import untold
from tigertag.targets.xmp.embedded import chunks, heif, jpeg, tiff
from tigertag.targets.xmp.embedded.iptc import changes
from tigertag.targets.xmp.embedded.layout import Layout, Odd, first_difference
from tigertag.targets.xmp.embedded.packet import spliced
from tigertag.targets.xmp.embedded.values import NoSuchKind, values_of
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import Field, Fields, Way
from tigertag.xmp.foreign import foreign
from tigertag.xmp.merging import Edit, made, merged
from tigertag.xmp.packet import Packet

log = logging.getLogger(__name__)

UseOfIptc: TypeAlias = Literal["jpeg", "existing"]
"""Where IPTC is written: into every JPEG and what has it, or only into what has it."""

LARGEST = 512 << 20
"""Bytes of a file that is written to."""

_LAYOUTS: dict[Form, Callable[[bytes], Layout]] = {
    Form.JPEG: jpeg.layout,
    Form.PNG: chunks.png,
    Form.WEBP: chunks.webp,
    Form.TIFF: tiff.layout,
    Form.RAW: tiff.layout,  # of which only DNG is written to
    Form.HEIF: heif.layout,
}
_WITH_IPTC = (Form.JPEG, Form.TIFF, Form.RAW)
_OF_THE_DISK = ("Error writing", "Error creating")
_ROOM = 1 << 16
"""Bytes that a file may grow by."""
_BY_VALUE = (Form.TIFF, Form.RAW, Form.HEIF)
"""Forms that exiftool puts together anew, so that it is also asked whether every value is as before."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A picture file, read and understood."""

    path: Path
    name: str
    form: Form
    layout: Layout
    data: bytes
    packet: Packet
    """What `layout.xmp` says; a new one where that is empty."""
    fields: Fields


@dataclass(frozen=True, slots=True)
class Embedded:
    """Reads and writes the fields of picture files: JPEG, PNG, WebP, TIFF, DNG, HEIC."""

    tool: ExifTool
    way: Way
    iptc: UseOfIptc = "jpeg"
    keep_times: bool = True
    keep_owner: bool = True

    def read(self, photo: Path) -> Fields:
        """Without exiftool. Raises PhotoError where the file is of another kind, odd or damaged, OSError."""
        return _held(photo).fields

    def edit(self, photo: Path, edit: Edit, announce: Callable[[str], None] = untold) -> Fields:
        """Makes the change and gives what stands there then, read back.

        `announce` is told the SHA-256 that the file will have, before it has it. A file that cannot be written
        to safely is left as it is. Raises as `read`, `replacing.replace` and `ExifTool.ask` do.
        """
        held = _held(photo)
        takes_iptc = held.form in _WITH_IPTC and (
            held.layout.iptc.is_there or (held.form is Form.JPEG and self.iptc == "jpeg")
        )
        wanted = merged(held.fields, edit, replace(self.way, iptc=takes_iptc))
        if not held.layout.xmp:
            wanted = made(wanted)
        if wanted == held.fields:
            return held.fields
        theirs = foreign(held.packet.root)
        packet = _applied(held, wanted)
        arguments = _arguments(held, packet, wanted)
        before = values_of(self.tool, held.path, held.name) if held.form in _BY_VALUE else ""

        def write(draft: Path) -> None:
            self._make(held, draft, arguments)
            if held.form is Form.JPEG:
                _mend(draft, held, packet)

        def verify(draft: Path) -> None:
            now = _compared(held, draft)
            if foreign(now.packet.root) != theirs:
                raise _refused(held, "other fields of XMP have changed")
            if now.fields != wanted or bool(now.layout.xmp) != bool(packet):
                raise _refused(held, "it does not read back as written")
            if before and values_of(self.tool, draft, held.name) != before:
                raise _refused(held, "values of other fields have changed")

        put(
            photo,
            write,
            verify,
            was=hashlib.sha256(held.data).hexdigest(),
            name=held.name,
            announce=announce,
            keep_times=self.keep_times,
            keep_owner=self.keep_owner,
        )
        return wanted  # as it was read back from the copy

    def _make(self, held: _Held, draft: Path, arguments: list[str]) -> None:
        """Has exiftool make the copy, which lies beside the file."""
        try:
            source = exiftool.file(held.path.resolve())
        except ValueError as error:
            raise PhotoError(f"{held.name} cannot be given to exiftool: {error}") from error
        answer = self.tool.ask(UNESCAPE, *arguments, *output_beside(draft.name), source, name=held.name)
        for warning in answer.warnings:
            log.info("%s: exiftool warns: %s", held.name, printable(_without_path(warning)))
        if answer.errors or not draft.exists():
            raise _failure(held, printable(_without_path(next(iter(answer.errors), "it made no file"))))


def _held(photo: Path, name: str = "") -> _Held:
    """Raises PhotoError, OSError."""
    name = name or printable(photo.name)
    data = _bytes(photo, name)
    try:
        form = anatomy(data).form
    except Unfit as error:
        raise PhotoError(f"{name} {error} and stays as it is") from error
    if form not in _LAYOUTS:
        raise NoSuchKind(f"{name} stays as it is: TigerTag does not write into {form.value} files")
    try:
        layout = _LAYOUTS[form](data)
        packet = Packet.parse(layout.xmp) if layout.xmp else Packet.new()
        fields = _fields(packet, layout)
    except (Odd, BadPacket) as error:
        # Only DNG is a plain TIFF: a maker's own raw file need not be one.
        kind = NoSuchKind if form is Form.RAW else PhotoError
        raise kind(f"{name} is left as it is: {error}") from error
    return _Held(photo, name, form, layout, data, packet, fields)


def _bytes(path: Path, name: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError(f"{name} is no regular file and stays as it is")
        if status.st_size > LARGEST:
            raise PhotoError(f"{name} is larger than {LARGEST >> 20} MiB and stays as it is")
        return file.read()


def _fields(packet: Packet, layout: Layout) -> Fields:
    """Raises Odd, BadPacket."""
    fields = packet.fields()
    if layout.extended:
        if not layout.xmp:
            raise Odd("its extended XMP has lost its beginning")
        further = Packet.parse(jpeg.extension(layout.extended)).fields()
        if further != Fields():
            raise Odd("its keywords lie in extended XMP")
    if not layout.iptc.keywords:
        return fields
    return replace(fields, values={**fields.values, Field.IPTC: layout.iptc.keywords})


def _applied(held: _Held, wanted: Fields) -> bytes:
    """Makes `wanted` true in the packet and gives it as it is to be written; empty where none is to be left."""
    packet = held.packet
    try:
        packet.apply(wanted)
    except BadPacket as error:
        raise PhotoError(f"{held.name} is left as it is: {error}") from error
    is_ours = held.fields.provenance is not None and held.fields.provenance.made
    if packet.is_empty and (is_ours or not held.layout.xmp) and held.form is not Form.HEIF:
        return b""  # but from HEIC exiftool cannot take it out cleanly
    data = spliced(held.layout.xmp, packet.to_bytes())
    if held.form is Form.JPEG and len(data) > jpeg.LARGEST_PACKET:
        data = spliced(b"", packet.to_bytes())  # without the room that was left for more
        if len(data) > jpeg.LARGEST_PACKET:
            raise PhotoError(f"{held.name} stays as it is: its XMP would not fit into one segment")
    return data


def _arguments(held: _Held, packet: bytes, wanted: Fields) -> list[str]:
    """exiftool's, for everything that is to change."""
    try:
        # Without its group the name stands for a place in EXIF, too.
        whole = assignment("XMP:XMP" if packet else "XMP:all", packet.decode())
        return [whole, *changes(held.layout.iptc, wanted.of(Field.IPTC))]
    except ValueError as error:
        raise PhotoError(f"{held.name} is left as it is: {error}") from error


def _compared(held: _Held, draft: Path) -> _Held:
    """Reads the copy as any file. Raises PhotoError where another part of it than XMP and IPTC has changed."""
    try:
        now = _held(draft, held.name)
    except PhotoError as error:
        raise _refused(held, f"of the copy: {error}") from error
    difference = first_difference(held.layout.kept, now.layout.kept)
    if difference:
        raise _refused(held, f"{difference} has changed")
    if held.layout.extended != now.layout.extended:
        raise _refused(held, "extended XMP has changed")
    return now


def _refused(held: _Held, why: str) -> PhotoError:
    return PhotoError(f"Refused to write {held.name}: check failed ({why})")


def _failure(held: _Held, why: str) -> PhotoError | TransientError | DiskError:
    """What keeps exiftool from writing: the file, or the disk, of which it does not say what is wrong."""
    told = f"{held.name} stays as it is: exiftool cannot write it ({why})"
    if not why.startswith(_OF_THE_DISK):
        return PhotoError(told)
    folder = held.path.resolve().parent
    has_room = shutil.disk_usage(folder).free > held.path.stat().st_size + _ROOM
    return (
        TransientError(told)
        if has_room
        else DiskError(f"No room left to write {held.name}. Nothing was changed.")
    )


def _mend(draft: Path, held: _Held, packet: bytes) -> None:
    made = draft.read_bytes()
    try:
        mended = jpeg.mended(made, held.data, packet, held.layout.extended)
    except Odd as error:
        raise _refused(held, str(error)) from error
    if mended != made:
        draft.write_bytes(mended)


def _without_path(said: str) -> str:
    """A line of exiftool's without the path at its end."""
    return said.partition(" - /")[0]

"""Sidecars: read whole, edited in place, put back in one step. What is no XMP is left as it is."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFile, IptcImagePlugin, UnidentifiedImageError

from tigertag import replacing
from tigertag.errors import PhotoError
from tigertag.media import image
from tigertag.media.names import printable
from tigertag.replacing import Step
from tigertag.targets.xmp.embedded.chunks import png
from tigertag.targets.xmp.places import Naming, sidecar_of
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import Field, Fields, Way
from tigertag.xmp.foreign import foreign
from tigertag.xmp.merging import Edit, made, merged
from tigertag.xmp.packet import Packet

log = logging.getLogger(__name__)

_LONGEST = 16 << 20
_KEYWORDS = (2, 25)


@dataclass(frozen=True, slots=True)
class _Held:
    """A sidecar's bytes; none where there is no sidecar yet."""

    path: Path
    data: bytes | None

    @property
    def name(self) -> str:
        return printable(self.path.name)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Reads and writes the sidecars of photos."""

    naming: Naming
    way: Way
    keep_owner: bool = True

    def read(self, photo: Path) -> Fields:
        """Nothing where there is no sidecar. Raises PhotoError where it cannot be understood, OSError."""
        return _packet(self._held(photo)).fields()

    def edit(self, photo: Path, edit: Edit) -> Fields:
        """Makes the change and gives what stands there then, read back.

        A sidecar that we made goes when nothing is left in it. Raises as `read` and `replacing.replace` do.
        """
        held = self._held(photo)
        packet = _packet(held)
        now = packet.fields()
        wanted = merged(now, edit, self.way, embedded(photo))
        if held.data is None:
            wanted = made(wanted)
        if wanted == now:
            return now
        theirs = foreign(packet.root)
        with _left_as_it_is(held):
            packet.apply(wanted)
        is_ours = now.provenance is not None and now.provenance.made
        if is_ours and packet.is_empty and held.data is not None:
            replacing.remove(held.path, was=hashlib.sha256(held.data).hexdigest(), name=held.name)
        else:
            data = packet.to_bytes()
            self._put(held, photo, data, _expecting(held, wanted, theirs))
            if _bytes(held.path) == data:  # which was read as `wanted` before it was put there
                return wanted
        return self.read(photo)

    def _put(self, held: _Held, photo: Path, data: bytes, check: Step) -> None:
        write = replacing.holding(data)
        if held.data is None:
            replacing.create(held.path, write, check, like=photo, name=held.name)
            return
        replacing.replace(
            held.path,
            write,
            check,
            was=hashlib.sha256(held.data).hexdigest(),
            name=held.name,
            keep_times=False,  # other programs see by it that there is news
            keep_owner=self.keep_owner,
        )

    def _held(self, photo: Path) -> _Held:
        path = sidecar_of(photo, self.naming)
        return _Held(path, _bytes(path))


def _expecting(held: _Held, wanted: Fields, theirs: object) -> Step:
    """A check that what was written says what it should, and what others kept there."""

    def check(draft: Path) -> None:
        try:
            packet = Packet.parse(draft.read_bytes())
        except BadPacket as error:
            raise _refused(held, str(error)) from error
        if packet.fields() != wanted:
            raise _refused(held, "it does not read back as written")
        if foreign(packet.root) != theirs:
            raise _refused(held, "other fields have changed")

    return check


def _refused(held: _Held, why: str) -> PhotoError:
    return PhotoError(f"Refused to write {held.name}: check failed ({why})")


def _packet(held: _Held) -> Packet:
    with _left_as_it_is(held):
        return Packet.new() if held.data is None else Packet.parse(held.data)


@contextmanager
def _left_as_it_is(held: _Held) -> Iterator[None]:
    try:
        yield
    except BadPacket as error:
        raise PhotoError(f"The sidecar {held.name} is left as it is: {error}") from error


def _bytes(path: Path) -> bytes | None:
    """None where there is no such file. Raises PhotoError where it is no regular file or far too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        if path.is_symlink():
            raise PhotoError(f"The sidecar {printable(path.name)} is a link that leads nowhere") from None
        return None
    except PermissionError as error:
        why = error.strerror or error
        raise PhotoError(f"The sidecar {printable(path.name)} cannot be read ({why})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # asked first: no file object takes a folder
        os.close(descriptor)
        raise PhotoError(f"The sidecar {printable(path.name)} is no regular file and stays as it is")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise PhotoError(f"The sidecar {printable(path.name)} is larger than {_LONGEST >> 20} MiB")
    return data


def embedded(photo: Path) -> Fields | None:
    """What the picture file itself holds, which its sidecar would hide from programs that read that alone.

    None where nothing can be read of it.
    """
    try:
        with _opened(photo) as picture:
            source = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
            if picture.format == "PNG" and not source:  # Pillow looks no further than where the picture begins
                source = png(photo.read_bytes()).xmp
            iptc = IptcImagePlugin.getiptcinfo(picture) or {}
    except Exception as error:  # noqa: BLE001 - on broken blocks Pillow raises anything; there is nothing to carry
        log.debug("%s: embedded keywords cannot be read (%s)", printable(photo.name), error)
        return None
    found = _of_packet(source, photo)
    keywords = iptc.get(_KEYWORDS, ())
    texts = [
        text for text in (keywords if isinstance(keywords, list) else [keywords]) if isinstance(text, bytes)
    ]
    values = dict(found.values)
    if texts:
        values[Field.IPTC] = tuple(_decoded(text) for text in texts)
    return Fields(values, found.caption, found.provenance)


@contextmanager
def _opened(photo: Path) -> Iterator[ImageFile.ImageFile]:
    """As Pillow sees it, with what an extra brings where it knows none by itself."""
    with photo.open("rb") as stream:
        try:
            picture = Image.open(stream)
        except UnidentifiedImageError:
            stream.seek(0)
            picture = image(stream)
        yield picture


def _of_packet(source: object, photo: Path) -> Fields:
    if not isinstance(source, str | bytes):
        return Fields()
    try:
        return Packet.parse(source.encode() if isinstance(source, str) else source.rstrip(b"\0")).fields()
    except BadPacket as error:
        log.debug("%s: embedded XMP cannot be read (%s)", printable(photo.name), error)
        return Fields()


def _decoded(text: bytes) -> str:
    """IPTC without a character set may be anything: UTF-8 where it fits, else Latin 1."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")

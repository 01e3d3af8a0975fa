"""Reading the blocks of a file through Pillow."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, TypeVar
from xml.etree.ElementTree import Element

from PIL import Image, ImageFile, IptcImagePlugin

from tigertag.blocks import film, xmp
from tigertag.blocks.beside import theirs
from tigertag.blocks.fields import degrees, position, text, xmp_degrees
from tigertag.errors import PhotoError
from tigertag.media import Unfit, image
from tigertag.media.raw_file import reading
from tigertag.media.tiff import pages
from tigertag.media.video_file import Film, VideoFile
from tigertag.model import HasSidecar, Photo
from tigertag.xmp.dom import BadPacket

log = logging.getLogger(__name__)

T = TypeVar("T")

# What Pillow raises where a block is cut, points outside of itself, or holds another type than it says.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
)
_DETAILS, _PLACE = 0x8769, 0x8825
_NORTH, _LATITUDE, _EAST, _LONGITUDE = 1, 2, 3, 4
_EXIF_NS = "{http://ns.adobe.com/exif/1.0/}"


@dataclass(frozen=True, slots=True)
class Blocks:
    """What was found; an absent or broken block is empty."""

    format: str = ""
    """As Pillow calls it: `JPEG`, `PNG`."""
    exif: Mapping[int, object] = field(default_factory=dict)
    """The first directory, by the numbers of its tags."""
    details: Mapping[int, object] = field(default_factory=dict)
    """The directory of the exposure (Exif IFD)."""
    place: Mapping[int, object] = field(default_factory=dict)
    """The directory of the position (GPS IFD)."""
    iptc: Mapping[tuple[int, int], object] = field(default_factory=dict)
    """By record and dataset."""
    xmp: Element | None = None
    film: Film | None = None
    """Of a video; what it says of camera, date and place stands where a photo has it."""
    pages: int = 1
    beside: Element | None = None
    """The XMP of its sidecar, less what TigerTag put there."""

    @property
    def packets(self) -> tuple[Element, ...]:
        """All XMP, the sidecar's first: what a person changed since the photo was taken stands there."""
        return tuple(each for each in (self.beside, self.xmp) if each is not None)


def of(photo: Photo) -> Blocks:
    """The blocks of a photo and its sidecar. Raises PhotoError, MissingDecoder where it is no picture."""
    try:
        with photo.open() as stream:
            found = read(stream, photo.name)
    except Unfit as error:
        raise PhotoError(f"{photo.name} {error}") from error
    sidecar = photo.sidecar if isinstance(photo, HasSidecar) else None
    if sidecar is None:
        return found
    try:
        return replace(found, beside=theirs(sidecar.content))
    except BadPacket as error:  # named when the photo was opened
        log.debug("%s: the sidecar %s is left out: %s", photo.name, sidecar.name, error)
        return found


def read(stream: BinaryIO, name: str) -> Blocks:
    """The blocks of a file; `name` is for the log. Raises Unfit, MissingDecoder where it is no picture."""

    def attempt(step: Callable[[], T], otherwise: T) -> T:
        try:
            return step()
        except _BROKEN as error:
            log.debug("%s: metadata that is broken is left out (%s)", name, error)
            return otherwise

    with image(stream) as picture:
        if isinstance(picture, VideoFile):
            return _of_film(picture.facts())
        exif = attempt(picture.getexif, Image.Exif())
        return Blocks(
            picture.format or "",
            exif,
            attempt(lambda: exif.get_ifd(_DETAILS), {}),
            attempt(lambda: exif.get_ifd(_PLACE), {}),
            attempt(lambda: IptcImagePlugin.getiptcinfo(picture) or {}, {}),
            _packet(picture, name),
            pages=pages(reading(stream)) if picture.format == "TIFF" else 1,
        )


def _of_film(found: Film) -> Blocks:
    return Blocks(VideoFile.format, film.exif(found), film.details(found), film.place(found), film=found)


def _packet(picture: ImageFile.ImageFile, name: str) -> Element | None:
    found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if not isinstance(found, str | bytes):
        return None
    tree = xmp.packet(found)
    if tree is None:
        log.debug("%s: XMP that is broken is left out", name)
    return tree


def coordinates(blocks: Blocks) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, north and east positive; None where there is none to believe."""
    if (beside := _in_xmp(blocks.beside)) is not None:
        return beside
    latitude = degrees(blocks.place.get(_LATITUDE), text(blocks.place.get(_NORTH)))
    longitude = degrees(blocks.place.get(_LONGITUDE), text(blocks.place.get(_EAST)))
    if latitude is None or longitude is None:
        return _in_xmp(blocks.xmp)
    return position(latitude, longitude)


def _in_xmp(tree: Element | None) -> tuple[float, float] | None:
    latitude = xmp_degrees(next(xmp.values(tree, f"{_EXIF_NS}GPSLatitude"), ""))
    longitude = xmp_degrees(next(xmp.values(tree, f"{_EXIF_NS}GPSLongitude"), ""))
    return position(latitude, longitude)

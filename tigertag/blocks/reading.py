"""Reading the blocks of a file through Pillow."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar
from xml.etree.ElementTree import Element

from PIL import Image, ImageFile, IptcImagePlugin

from tigertag.blocks import xmp
from tigertag.blocks.fields import degrees, position, text, xmp_degrees
from tigertag.media import image

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


def read(stream: BinaryIO, name: str) -> Blocks:
    """The blocks of a file; `name` is for the log. Raises Unfit, MissingDecoder where it is no picture."""

    def attempt(step: Callable[[], T], otherwise: T) -> T:
        try:
            return step()
        except _BROKEN as error:
            log.debug("%s: metadata that is broken is left out (%s)", name, error)
            return otherwise

    with image(stream) as picture:
        exif = attempt(picture.getexif, Image.Exif())
        return Blocks(
            picture.format or "",
            exif,
            attempt(lambda: exif.get_ifd(_DETAILS), {}),
            attempt(lambda: exif.get_ifd(_PLACE), {}),
            attempt(lambda: IptcImagePlugin.getiptcinfo(picture) or {}, {}),
            _packet(picture, name),
        )


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
    latitude = degrees(blocks.place.get(_LATITUDE), text(blocks.place.get(_NORTH)))
    longitude = degrees(blocks.place.get(_LONGITUDE), text(blocks.place.get(_EAST)))
    if latitude is None or longitude is None:
        latitude = xmp_degrees(next(xmp.values(blocks.xmp, f"{_EXIF_NS}GPSLatitude"), ""))
        longitude = xmp_degrees(next(xmp.values(blocks.xmp, f"{_EXIF_NS}GPSLongitude"), ""))
    return position(latitude, longitude)

"""What the metadata of a file says, read through Pillow. Broken fields are as good as none."""

from __future__ import annotations

import logging
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, TypeVar
from xml.etree.ElementTree import Element

from PIL import Image, ImageFile, IptcImagePlugin

from tigertag.engines import metadata_keywords as keywords
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

_MAKE, _MODEL, _DATE, _RATING, _WINDOWS = 0x010F, 0x0110, 0x0132, 0x4746, 0x9C9E
_DETAILS, _PLACE = 0x8769, 0x8825
_ORIGINAL, _DIGITIZED, _LENS = 0x9003, 0x9004, 0xA434
_SHUTTER, _APERTURE, _ISO, _FOCAL = 0x829A, 0x829D, 0x8827, 0x920A

_EXIF_NS = "{http://ns.adobe.com/exif/1.0/}"
_XMP_NS = "{http://ns.adobe.com/xap/1.0/}"
_PHOTOSHOP_NS = "{http://ns.adobe.com/photoshop/1.0/}"
_LENSES = ("{http://cipa.jp/exif/1.0/}LensModel", "{http://ns.adobe.com/exif/1.0/aux/}Lens")
_PROJECTION = "{http://ns.google.com/photos/1.0/panorama/}ProjectionType"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says about its photo."""

    make: str = ""
    model: str = ""
    lens: str = ""
    taken: datetime | None = None
    """Local time, without a zone."""
    has_time: bool = False
    """Whether `taken` holds a time of day."""
    latitude: float | None = None
    longitude: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    is_panorama: bool = False
    keywords: tuple[str, ...] = ()
    dropped: int = 0
    """Keywords that are no good."""


def read(stream: BinaryIO, name: str) -> Facts:
    """The facts of a file; `name` is for the log. Raises Unfit, MissingDecoder where it is no picture."""
    with image(stream) as picture:
        return _Reader(picture, name).facts()


class _Reader:
    """The blocks of one file; a broken one is empty."""

    def __init__(self, picture: ImageFile.ImageFile, name: str) -> None:
        self._name = name
        exif = self._try(picture.getexif, Image.Exif())
        self._exif: Mapping[int, object] = exif
        self._details: Mapping[int, object] = self._try(lambda: exif.get_ifd(_DETAILS), {})
        self._place: Mapping[int, object] = self._try(lambda: exif.get_ifd(_PLACE), {})
        self._iptc: Mapping[tuple[int, int], object] = self._try(lambda: _iptc(picture), {})
        self._xmp = self._packet(picture)

    def _try(self, step: Callable[[], T], otherwise: T) -> T:
        try:
            return step()
        except _BROKEN as error:
            log.debug("%s: metadata that is broken is left out (%s)", self._name, error)
            return otherwise

    def _packet(self, picture: ImageFile.ImageFile) -> Element | None:
        found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
        if not isinstance(found, str | bytes):
            return None
        tree = keywords.packet(found)
        if tree is None:
            log.debug("%s: XMP that is broken is left out", self._name)
        return tree

    def facts(self) -> Facts:
        taken, has_time = self._taken()
        latitude, longitude = position(self._coordinates())
        names, dropped = keywords.clean(self._keywords())
        return Facts(
            make=_text(self._exif.get(_MAKE)),
            model=_text(self._exif.get(_MODEL)),
            lens=_text(self._details.get(_LENS)) or next(self._lenses(), ""),
            taken=taken,
            has_time=has_time,
            latitude=latitude,
            longitude=longitude,
            measures=self._measures(latitude, longitude),
            is_panorama=any(keywords.values(self._xmp, _PROJECTION)),
            keywords=names,
            dropped=dropped,
        )

    def _lenses(self) -> Iterator[str]:
        for name in _LENSES:
            yield from (value.strip() for value in keywords.values(self._xmp, name) if value.strip())

    def _taken(self) -> tuple[datetime | None, bool]:
        """The first date that makes sense, by how near it is to the shutter."""
        for text in self._dates():
            taken, has_time = moment(text)
            if taken:
                return taken, has_time
        return None, False

    def _dates(self) -> Iterator[str]:
        yield _text(self._details.get(_ORIGINAL))
        yield from keywords.values(self._xmp, f"{_EXIF_NS}DateTimeOriginal")
        yield from keywords.values(self._xmp, f"{_PHOTOSHOP_NS}DateCreated")
        yield self._iptc_date()
        yield _text(self._details.get(_DIGITIZED))
        yield from keywords.values(self._xmp, f"{_XMP_NS}CreateDate")
        # When the file was changed. Cameras of old have nothing else; a program that exports has only this too.
        if self._exif.get(_MAKE) or self._exif.get(_MODEL):
            yield _text(self._exif.get(_DATE))

    def _iptc_date(self) -> str:
        """IPTC 2:55 and 2:60: `20180613`, `140829+0200`."""
        day, clock = (_text(self._iptc.get((2, number))) for number in (55, 60))
        if not re.fullmatch(r"\d{8}", day):
            return ""
        time = f" {clock[:2]}:{clock[2:4]}:{clock[4:6]}" if re.match(r"\d{6}", clock) else ""
        return f"{day[:4]}:{day[4:6]}:{day[6:]}{time}"

    def _coordinates(self) -> tuple[float | None, float | None]:
        latitude = degrees(self._place.get(2), _text(self._place.get(1)))
        longitude = degrees(self._place.get(4), _text(self._place.get(3)))
        if latitude is None or longitude is None:
            latitude = xmp_degrees(next(keywords.values(self._xmp, f"{_EXIF_NS}GPSLatitude"), ""))
            longitude = xmp_degrees(next(keywords.values(self._xmp, f"{_EXIF_NS}GPSLongitude"), ""))
        return latitude, longitude

    def _measures(self, latitude: float | None, longitude: float | None) -> dict[str, float]:
        rating = next(keywords.values(self._xmp, f"{_XMP_NS}Rating"), None)
        iso = self._details.get(_ISO)
        found = {
            "latitude": latitude,
            "longitude": longitude,
            "rating": _within(number(rating if rating is not None else self._exif.get(_RATING)), -1, 5),
            "exposure time": _within(number(self._details.get(_SHUTTER)), 0, 1e6),
            "aperture": _within(number(self._details.get(_APERTURE)), 0, 1e3),
            "iso": _within(number(iso[0] if isinstance(iso, tuple) and iso else iso), 1, 1e8),
            "focal length": _within(number(self._details.get(_FOCAL)), 0, 1e5),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _keywords(self) -> Iterator[str]:
        yield from keywords.of_xmp(self._xmp)
        found = self._iptc.get((2, 25), [])
        texts = found if isinstance(found, list) else [found]
        # Pillow gives None for an empty field.
        filled = [text for text in texts if isinstance(text, bytes)]
        yield from keywords.of_iptc(filled, self._iptc.get((1, 90)) == keywords.UTF8_MARK)
        yield from keywords.of_windows(self._exif.get(_WINDOWS))


def _iptc(picture: ImageFile.ImageFile) -> Mapping[tuple[int, int], object]:
    return IptcImagePlugin.getiptcinfo(picture) or {}


def _text(value: object) -> str:
    """A field's text up to its first NUL; empty for anything else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.partition("\0")[0].split()) if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A field's number; None where it is none, not finite, or a fraction of zero."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if math.isfinite(found) else None


def _within(value: float | None, least: float, most: float) -> float | None:
    return value if value is not None and least <= value <= most else None


_MOMENT = re.compile(
    r"\s*(\d{4})[:\-/.](\d\d?)[:\-/.](\d\d?)"
    r"(?:[ T]+(\d\d?):(\d\d)(?::(\d\d))?)?(?:\.\d*)?(?:Z|[+-]\d\d:?\d\d)?\s*\Z"
)


def moment(text: str) -> tuple[datetime | None, bool]:
    """A local date and whether it has a time of day; nothing for `0000:00:00`, blanks and other leftovers.

    Midnight to the second is what scanners and calendars write for "no time".
    """
    found = _MOMENT.match(text.partition("\0")[0])
    if found is None:
        return None, False
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        taken = datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        return None, False
    return taken, (hour, minute, second) != (0, 0, 0)


def degrees(value: object, side: str) -> float | None:
    """EXIF's degrees, minutes and seconds, with its letter; without the letter the side is unknown."""
    parts = value if isinstance(value, tuple) else (value,)
    numbers = [number(part) for part in parts[:3]]
    if not numbers or numbers[0] is None or side.upper()[:1] not in ("N", "S", "E", "W"):
        return None
    size = sum(((part or 0.0) / float(60**place) for place, part in enumerate(numbers)), 0.0)
    return -size if side.upper()[0] in "SW" else size


def xmp_degrees(text: str) -> float | None:
    """XMP's `25,45.8418N` or `25,45,50N` (XMP specification part 2, GPSCoordinate)."""
    found = re.fullmatch(r"\s*(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])\s*", text)
    if found is None:
        return None
    return degrees(tuple(float(part or 0) for part in found.groups()[:3]), found[4])


def position(at: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Both or none. 0, 0 is where receivers without a fix put their photos, not a place in the sea."""
    latitude, longitude = at
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    if abs(latitude) < 1e-3 and abs(longitude) < 1e-3:
        return None, None
    return latitude, longitude

"""What the metadata of a file, and its sidecar, say of a photo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from tigertag import blocks
from tigertag.blocks import Blocks, xmp
from tigertag.blocks.fields import moment, number, offset, text, within
from tigertag.engines import metadata_keywords as keywords
from tigertag.engines.metadata_origin import Origin, origin
from tigertag.engines.metadata_shot import Shot, shot
from tigertag.media.video_file import Film
from tigertag.model import Photo
from tigertag.xmp.fields import Field

_MAKE, _MODEL, _DATE, _WINDOWS = 0x010F, 0x0110, 0x0132, 0x9C9E
_ORIENTATION = 0x0112
_RATING, _RATING_PERCENT = 0x4746, 0x4749
_ORIGINAL, _DIGITIZED, _LENS = 0x9003, 0x9004, 0xA434
_OFFSET_ORIGINAL = 0x9011
_GPS_TIME, _GPS_DATE = 7, 29

_EXIF_NS = "{http://ns.adobe.com/exif/1.0/}"
_XMP_NS = "{http://ns.adobe.com/xap/1.0/}"
_PHOTOSHOP_NS = "{http://ns.adobe.com/photoshop/1.0/}"
_LENSES = ("{http://cipa.jp/exif/1.0/}LensModel", "{http://ns.adobe.com/exif/1.0/aux/}Lens")
_PROJECTION = "{http://ns.google.com/photos/1.0/panorama/}ProjectionType"
_MICROSOFT_RATING = "{http://ns.microsoft.com/photo/1.0/}Rating"

_OFFSETS = tuple(
    timedelta(hours=hours)
    for hours in (*range(-12, 15), -9.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75, 13.75)
)
"""How far clocks are ahead of UTC, summer times included (IANA time zone database, 1970 and later)."""


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
    ahead: timedelta | None = None
    """How far the clock that gave `taken` is ahead of UTC."""
    position: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""
    rating: float | None = None
    """Stars, 0 to 5, or -1 for a rejected photo."""
    shot: Shot = field(default_factory=Shot)
    origin: Origin = field(default_factory=Origin)
    is_panorama: bool = False
    keywords: tuple[str, ...] = ()
    xmp: Element = field(default_factory=lambda: Element("none"))
    """All of it, for the faces that are marked in it; the sidecar's comes first."""
    turned: int = 1
    """EXIF's orientation, as it stands there."""
    dropped: int = 0
    """Keywords that are no good."""
    film: Film | None = None
    pages: int = 1


def read(photo: Photo) -> Facts:
    """The facts of a photo. Raises PhotoError, MissingDecoder where it is no picture."""
    return facts(blocks.of(photo))


def facts(found: Blocks) -> Facts:
    """What the blocks of a file say."""
    taken, has_time, ahead = _taken(found)
    names, dropped = keywords.clean(_keywords(found))
    packets = Element("packets")
    packets.extend(found.packets)
    return Facts(
        make=text(found.exif.get(_MAKE)),
        model=text(found.exif.get(_MODEL)),
        lens=text(found.details.get(_LENS)) or next(_lenses(found), ""),
        taken=taken,
        has_time=has_time,
        ahead=ahead if ahead is not None else _ahead_of_satellites(found, taken),
        position=blocks.coordinates(found),
        rating=_rating(found),
        shot=shot(found.details),
        origin=origin(found),
        is_panorama=any(xmp.values(found.xmp, _PROJECTION)),
        keywords=names,
        xmp=packets,
        turned=int(number(found.exif.get(_ORIENTATION)) or 1),
        dropped=dropped,
        film=found.film,
        pages=found.pages,
    )


def _lenses(found: Blocks) -> Iterator[str]:
    for name in _LENSES:
        yield from (value.strip() for value in xmp.values(found.xmp, name) if value.strip())


def _taken(found: Blocks) -> tuple[datetime | None, bool, timedelta | None]:
    """The first date that makes sense, by how near it is to the shutter, and how far it is ahead of UTC."""
    for written, zone in _dates(found):
        taken, has_time = moment(written)
        if taken:
            return taken, has_time, offset(zone)
    return None, False, None


def _dates(found: Blocks) -> Iterator[tuple[str, str]]:
    """Dates, and where the zone of each stands. A person who corrected a date did so in the sidecar."""
    yield from _shutter_dates(found.beside)
    yield text(found.details.get(_ORIGINAL)), text(found.details.get(_OFFSET_ORIGINAL))
    yield from _shutter_dates(found.xmp)
    yield _iptc_date(found), text(found.iptc.get((2, 60)))
    yield text(found.details.get(_DIGITIZED)), ""
    yield from ((value, value) for value in xmp.values(found.xmp, f"{_XMP_NS}CreateDate"))
    # When the file was changed. Cameras of old have nothing else; a program that exports has only this too.
    if found.exif.get(_MAKE) or found.exif.get(_MODEL):
        yield text(found.exif.get(_DATE)), ""


def _shutter_dates(tree: Element | None) -> Iterator[tuple[str, str]]:
    for name in (f"{_EXIF_NS}DateTimeOriginal", f"{_PHOTOSHOP_NS}DateCreated"):
        yield from ((value, value) for value in xmp.values(tree, name))


def _iptc_date(found: Blocks) -> str:
    """IPTC 2:55 and 2:60: `20180613`, `140829+0200`."""
    day, clock = (text(found.iptc.get((2, number))) for number in (55, 60))
    if not re.fullmatch(r"\d{8}", day):
        return ""
    time = f" {clock[:2]}:{clock[2:4]}:{clock[4:6]}" if re.match(r"\d{6}", clock) else ""
    return f"{day[:4]}:{day[4:6]}:{day[6:]}{time}"


def _ahead_of_satellites(found: Blocks, taken: datetime | None) -> timedelta | None:
    """The camera's clock less the satellites', which is UTC.

    Programs put positions of other photos into a file, with their time. So only what is within a minute and a
    half of an offset that some country keeps is believed.
    """
    clock = found.place.get(_GPS_TIME)
    parts = [number(part) for part in clock] if isinstance(clock, tuple) else []
    day, _ = moment(text(found.place.get(_GPS_DATE)))
    if taken is None or day is None or len(parts) != 3:
        return None
    hours, minutes, seconds = (part or 0.0 for part in parts)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        return None
    apart = taken - (day + timedelta(hours=hours, minutes=minutes, seconds=seconds))
    ahead = min(_OFFSETS, key=lambda one: abs(apart - one))
    return ahead if abs(apart - ahead) <= timedelta(seconds=90) else None


def _rating(found: Blocks) -> float | None:
    """The sidecar's, then the file's: xmp:Rating, then Windows' two fields: stars, and stars as percent
    (1, 25, 50, 75, 99)."""
    own = (found.exif.get(_RATING), found.exif.get(_RATING_PERCENT))
    for tree, fields in ((found.beside, (None, None)), (found.xmp, own)):
        for value in (next(xmp.values(tree, f"{_XMP_NS}Rating"), None), fields[0]):
            stars = within(number(value), -1, 5)
            if stars is not None:
                return stars
        for value in (next(xmp.values(tree, _MICROSOFT_RATING), None), fields[1]):
            percent = within(number(value), 0, 100)
            if percent is not None:
                return 0.0 if percent == 0 else 1.0 + round(percent / 25)
    return None


def _keywords(found: Blocks) -> Iterator[str]:
    yield from keywords.of_xmp(found.beside)
    yield from keywords.of_xmp(found.xmp)
    kept = found.iptc.get((2, 25), [])
    texts = kept if isinstance(kept, list) else [kept]
    # Pillow gives None for an empty field.
    filled = [one for one in texts if isinstance(one, bytes)]
    names = keywords.of_iptc(filled, found.iptc.get((1, 90)) == keywords.UTF8_MARK)
    yield from keywords.of_others(found.xmp, Field.IPTC, names)
    yield from keywords.of_windows(found.exif.get(_WINDOWS))

"""What the fields of metadata hold, as values. Leftovers and nonsense are None. Pure."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta


def text(value: object) -> str:
    """A field's text up to its first NUL; empty for anything else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.partition("\0")[0].split()) if isinstance(value, str) else ""


_UNSET = 0xFFFFFFFF
"""Both halves of a fraction in memory that nobody wrote to; it would read as 1."""


def number(value: object) -> float | None:
    """A field's number; None where it is none, not finite, a fraction of zero, or never set."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if getattr(value, "numerator", 0) == getattr(value, "denominator", 1) == _UNSET:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if math.isfinite(found) else None


def within(value: float | None, least: float, most: float) -> float | None:
    """`value` where it is from `least` to `most`."""
    return value if value is not None and least <= value <= most else None


_MOMENT = re.compile(
    r"\s*(\d{4})[:\-/.](\d\d?)[:\-/.](\d\d?)"
    r"(?:[ T]+(\d\d?):(\d\d)(?::(\d\d))?)?(?:\.\d*)?(?:Z|[+-]\d\d:?\d\d)?\s*\Z"
)


def moment(written: str) -> tuple[datetime | None, bool]:
    """A local date and whether it has a time of day; nothing for `0000:00:00`, blanks and other leftovers.

    Midnight to the second is what scanners and calendars write for "no time".
    """
    found = _MOMENT.match(written.partition("\0")[0])
    if found is None:
        return None, False
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        taken = datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        return None, False
    return taken, (hour, minute, second) != (0, 0, 0)


def offset(written: str) -> timedelta | None:
    """How far a clock is ahead of UTC, from the end of a date (`…+02:00`, `…Z`) or EXIF's `+02:00`."""
    found = re.search(r"(?:^|\d)(?:(Z)|([+-])(\d\d):?(\d\d))\s*\Z", written.partition("\0")[0].strip())
    if found is None or (not found[1] and (int(found[3]) > 14 or int(found[4]) > 59)):
        return None
    ahead = timedelta() if found[1] else timedelta(hours=int(found[3]), minutes=int(found[4]))
    return -ahead if found[2] == "-" else ahead


def degrees(value: object, side: str) -> float | None:
    """EXIF's degrees, minutes and seconds, with its letter; without the letter the side is unknown.

    Minutes and seconds that are missing are none; those that are no part of what is above them spoil it all.
    """
    parts = value if isinstance(value, tuple) else (value,)
    numbers = [number(part) for part in parts[:3]]
    if not numbers or numbers[0] is None or side.upper()[:1] not in ("N", "S", "E", "W"):
        return None
    if not all(part is None or 0 <= part <= 60 for part in numbers[1:]):
        return None
    size = sum(((part or 0.0) / float(60**place) for place, part in enumerate(numbers)), 0.0)
    return -size if side.upper()[0] in "SW" else size


def xmp_degrees(written: str) -> float | None:
    """XMP's `25,45.8418N` or `25,45,50N` (XMP specification part 2, GPSCoordinate)."""
    found = re.fullmatch(r"\s*(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])\s*", written)
    if found is None:
        return None
    return degrees(tuple(float(part or 0) for part in found.groups()[:3]), found[4])


def position(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Both or none. 0, 0 is where receivers without a fix put their photos, not a place in the sea."""
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    if abs(latitude) < 1e-3 and abs(longitude) < 1e-3:
        return None
    return latitude, longitude

"""What a video says of itself, as if it were written in the blocks of a photo. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tigertag.blocks.fields import text
from tigertag.media.video_file import Film

_MAKE, _MODEL, _ORIGINAL, _OFFSET = 0x010F, 0x0110, 0x9003, 0x9011
_NORTH, _LATITUDE, _EAST, _LONGITUDE = 1, 2, 3, 4
_APPLE = "com.apple.quicktime."
_ANDROID = "com.android."

# ISO 6709, annex H: degrees with a fraction, or degrees and minutes, or seconds too, in digits without a break.
_POINT = re.compile(r"([+-])(\d{2}|\d{4}|\d{6})(\.\d+)?([+-])(\d{3}|\d{5}|\d{7})(\.\d+)?(?![\d.])")


def exif(film: Film) -> Mapping[int, object]:
    """The camera."""
    return {
        _MAKE: _said(film, f"{_APPLE}make", f"{_ANDROID}manufacturer", "make"),
        _MODEL: _said(film, f"{_APPLE}model", f"{_ANDROID}model", "model"),
    }


def details(film: Film) -> Mapping[int, object]:
    """When it was taken: by the clock on the wall where the camera says so, else the day at Greenwich."""
    wall = _said(film, f"{_APPLE}creationdate")
    if wall:
        return {_ORIGINAL: wall, _OFFSET: wall}
    # The standard has UTC here, so the hour on the wall is unknown.
    return {_ORIGINAL: _said(film, "creation_time").partition("T")[0]}


def place(film: Film) -> Mapping[int, object]:
    """Where."""
    found = _POINT.match(_said(film, f"{_APPLE}location.iso6709", "location"))
    if found is None:
        return {}
    return {
        _NORTH: "N" if found[1] == "+" else "S",
        _LATITUDE: _parts(found[2], found[3], 2),
        _EAST: "E" if found[4] == "+" else "W",
        _LONGITUDE: _parts(found[5], found[6], 3),
    }


def _parts(digits: str, fraction: str | None, first: int) -> tuple[float, ...]:
    """Degrees, minutes and seconds, as many as there are; the fraction is the last one's."""
    parts = [digits[:first], *(digits[at : at + 2] for at in range(first, len(digits), 2))]
    return (*map(float, parts[:-1]), float(parts[-1] + (fraction or "")))


def _said(film: Film, *names: str) -> str:
    return next((found for name in names if (found := text(film.said.get(name)))), "")

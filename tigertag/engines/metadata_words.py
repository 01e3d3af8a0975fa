"""From what a file says to words: which camera, when, how it is held. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tigertag.engines.metadata_file import VIDEO
from tigertag.engines.metadata_origin import Origin, is_screenshot
from tigertag.engines.metadata_read import Facts
from tigertag.engines.metadata_shot import brightness_words, exposure_words, view_words
from tigertag.engines.metadata_sun import daypart, sun_words

GROUPS = (
    *("camera", "lens", "software", "year", "month", "season", "weekday", "daypart", "sun", "light"),
    *(
        "exposure",
        "view",
        "orientation",
        "panorama",
        "screenshot",
        "scan",
        "edited",
        "live",
        VIDEO,
        "people",
        "keywords",
    ),
)
USUAL = tuple(group for group in GROUPS if group not in ("software", "weekday", "light", "view", "edited"))
"""Those that a person would look for who has not chosen. The others say little, or the same of most photos."""
BY_SUN = frozenset({"daypart", "sun"})
"""Those that ask where the sun stood."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SEASONS = ("winter", "spring", "summer", "autumn")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a photo beside what its file says."""

    width: int
    height: int
    """Pixels of the upright picture."""
    taken: datetime | None = None
    """Where it makes sense."""
    sun: float | None = None
    """Degrees above the horizon."""


def words(facts: Facts, seen: Seen, groups: Iterable[str]) -> tuple[str, ...]:
    """The tags of a photo in the order of GROUPS; people are no words."""
    taken, width, height = seen.taken, seen.width, seen.height
    found: dict[str, Iterable[str]] = {
        "camera": [camera(facts.make, facts.model)],
        "lens": [lens(facts.lens)],
        "software": [facts.origin.program],
        "year": [str(taken.year)] if taken else [],
        "month": [_MONTHS[taken.month - 1]] if taken else [],
        "season": [season(taken.month, facts.position[0] if facts.position else None)] if taken else [],
        "weekday": [_WEEKDAYS[taken.weekday()]] if taken else [],
        "daypart": [daypart(taken.hour, seen.sun)] if taken and facts.has_time else [],
        "sun": sun_words(seen.sun),
        "light": brightness_words(facts.shot),
        "exposure": exposure_words(facts.shot),
        "view": view_words(facts.shot),
        "orientation": [orientation(width, height)],
        "panorama": ["panorama"] if facts.is_panorama or width >= 2 * height else [],
        "screenshot": ["screenshot"] if is_screenshot(facts.origin, width, height) else [],
        "scan": ["scan"] if facts.origin.is_scan else [],
        "edited": ["edited"] if facts.origin.program else [],
        "live": live(facts.origin),
        VIDEO: [VIDEO] if facts.film else [],
        "keywords": facts.keywords,
    }
    chosen = set(groups)
    return tuple(word for group in GROUPS if group in chosen for word in found.get(group, ()) if word)


def live(origin: Origin) -> list[str]:
    """Apple's name, and everybody else's."""
    return ["live photo"] * origin.is_live + ["motion photo"] * origin.is_motion


def is_plausible(taken: datetime, now: datetime) -> bool:
    """Neither before photography, nor in the future, nor where clocks start that were never set."""
    starts = (datetime(1904, 1, 1), datetime(1980, 1, 1), datetime(2000, 1, 1))
    if taken.date() == datetime(1970, 1, 1).date() or taken in starts:
        return False
    return datetime(1826, 1, 1) <= taken <= now + timedelta(days=1)  # a day for the time zones


def season(month: int, latitude: float | None) -> str:
    """By whole months; north of the equator where the place is unknown."""
    north = month % 12 // 3
    return _SEASONS[(north + 2) % 4 if latitude is not None and latitude < 0 else north]


def orientation(width: int, height: int) -> str:
    """Square within one part in a hundred."""
    if abs(width - height) * 100 <= max(width, height):
        return "square"
    return "landscape" if width > height else "portrait"


_COMPANY = re.compile(
    r"[\s,]+(corporation|corp|company|co|ltd|inc|imaging|camera|ag|gmbh|electronics|optical|communications"
    r"|technologies|technology)\b\.?",
    re.IGNORECASE,
)
_BRANDS = {
    "lge": "LG",
    "eastman kodak": "Kodak",
    "hewlett-packard": "HP",
    "htc": "HTC",
    "dji": "DJI",
    "oneplus": "OnePlus",
    "gopro": "GoPro",
    "research in motion": "BlackBerry",
    "sony ericsson": "Sony Ericsson",
}
# Brands that other companies put on their cameras: the model says it all.
_SOLD_AS = ("pentax", "kodak", "hp", "minolta", "konica", "leica", "ricoh")


def camera(make: str, model: str) -> str:
    """`NIKON CORPORATION`, `NIKON D750` → `Nikon D750`; `SONY`, `ILCE-7` → `Sony ILCE-7`. No doubled make."""
    make = " ".join(_COMPANY.sub(" ", f" {make}").replace(",", " ").split())
    brand = _BRANDS.get(make.casefold()) or (make if not _is_shouted(make) else make.title())
    model = " ".join(model.split())
    if not brand or not model:
        return brand or model
    if model.casefold().startswith(brand.casefold()):
        return brand + model[len(brand) :]
    first = model.casefold().split(" ")[0]
    if first == brand.casefold().split(" ")[0] or first in _SOLD_AS:
        known = first.title() if len(first) > 2 else first.upper()
        return f"{known}{model[len(first) :]}"
    return f"{brand} {model}"


def _is_shouted(make: str) -> bool:
    """All capitals or none, and no abbreviation."""
    return make.islower() or (make.isupper() and len(make) > 3)


def lens(name: str) -> str:
    """Empty for what cameras write where they do not know it: `----`, `0.0 mm f/0.0`, `Unknown (-1)`."""
    low = name.casefold()
    digits = re.sub(r"[^0-9]", "", low)
    if not re.search(r"[^\W_]", low) or low.startswith(("unknown", "n/a", "none", "no lens")):
        return ""
    return "" if digits and not digits.strip("0") else name

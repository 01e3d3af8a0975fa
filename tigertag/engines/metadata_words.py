"""From what a file says to words: which camera, when, how it is held. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from tigertag.engines.metadata_read import Facts

GROUPS = ("camera", "lens", "year", "month", "season", "daypart", "orientation", "panorama", "keywords")

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SEASONS = ("winter", "spring", "summer", "autumn")


def words(facts: Facts, width: int, height: int, groups: Iterable[str], now: datetime) -> tuple[str, ...]:
    """The tags of a photo in the order of GROUPS. Sizes are those of the upright picture; `now` is local."""
    taken = facts.taken if facts.taken and is_plausible(facts.taken, now) else None
    found = {
        "camera": [camera(facts.make, facts.model)],
        "lens": [lens(facts.lens)],
        "year": [str(taken.year)] if taken else [],
        "month": [_MONTHS[taken.month - 1]] if taken else [],
        "season": [season(taken.month, facts.latitude)] if taken else [],
        "daypart": [daypart(taken.hour)] if taken and facts.has_time else [],
        "orientation": [orientation(width, height)],
        "panorama": ["panorama"] if facts.is_panorama or width >= 2 * height else [],
        "keywords": facts.keywords,
    }
    chosen = set(groups)
    return tuple(word for group in GROUPS if group in chosen for word in found[group] if word)


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


def daypart(hour: int) -> str:
    """Morning from 5, afternoon from 12, evening from 17, night from 21."""
    starts = ((21, "night"), (17, "evening"), (12, "afternoon"), (5, "morning"))
    return next((name for start, name in starts if hour >= start), "night")


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

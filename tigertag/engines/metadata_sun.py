"""Where the sun stood when a photo was taken, and the words for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tigertag import atlas

log = logging.getLogger(__name__)

GOLDEN_TOP, GOLDEN_END, NIGHT_TOP = 6.0, -4.0, -6.0
"""Degrees: golden hour, then blue hour, as photographers count them; night where civil twilight ends."""


def sun(position: tuple[float, float], taken: datetime, ahead: timedelta | None) -> float | None:
    """Degrees above the horizon. Without `ahead` the clock is taken to keep the time of the place.

    None where no town is near that tells the time, or this computer knows no time zones. Raises PluginDown.
    """
    moment = (taken - ahead).replace(tzinfo=UTC) if ahead is not None else _local(position, taken)
    return None if moment is None else atlas.sun_height(*position, moment)


def _local(position: tuple[float, float], taken: datetime) -> datetime | None:
    zone = atlas.zone(*position)
    try:
        return taken.replace(tzinfo=ZoneInfo(zone)) if zone else None
    except ZoneInfoNotFoundError:
        log.debug("this computer does not know the time zone %s", zone)
        return None


def sun_words(height: float | None) -> Iterator[str]:
    if height is None or height > GOLDEN_TOP:
        return
    if height >= GOLDEN_END:
        yield "golden hour"
    elif height >= NIGHT_TOP:
        yield "blue hour"
    else:
        yield "night"


def daypart(hour: int, height: float | None = None) -> str:
    """Morning from 5, afternoon from 12, evening from 17, night from 21.

    No night where the sun is known to be up. It counts as up until civil twilight ends.
    """
    starts = ((21, "night"), (17, "evening"), (12, "afternoon"), (5, "morning"))
    part = next((name for start, name in starts if hour >= start), "night")
    if part == "night" and height is not None and height >= NIGHT_TOP:
        return "evening" if hour >= 12 else "morning"
    return part

"""An entry of a Plex listing as an item. Made for every photo of every listing, so it has to be cheap."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from tigertag.media.server_paths import printable, relative
from tigertag.model import Item
from tigertag.plexserver import PlexSection

CLIP = "Video"
"""The element of a clip in a listing. Its item has the fact `type`, by which edits name clips."""


def item_of(entry: Element, part: Element, section: PlexSection, machine: str) -> Item:
    """An entry of a listing as an item. `updatedAt` is no part of the stamp: reports from real servers disagree
    on whether tag edits move it.
    """
    file, size, number, key = (
        part.get("file", ""),
        part.get("size", ""),
        part.get("id", ""),
        part.get("key", ""),
    )
    path = relative(file, section.locations) or _path_by_titles(entry, part)
    return Item(
        source=f"plex:{machine}",
        key=entry.get("ratingKey", ""),
        path=printable(path),
        stamp="|".join((machine, number, key, size, file)),
        section=section.title,
        album=printable(path.rpartition("/")[0]),
        title=entry.get("title", ""),
        size=int(size) if size.isdigit() else None,
        moment=_moment(entry.get("originallyAvailableAt", ""), entry.get("addedAt", "")),
        facts={
            "section": section.key,
            "part": number,
            "part_key": key,
            "file": file,
            "container": part.get("container", ""),
            **({"type": "12"} if entry.tag == CLIP else {}),
        },
    )


def _path_by_titles(entry: Element, part: Element) -> str:
    name = part.get("file", "").replace("\\", "/").rpartition("/")[2]
    albums = [entry.get("grandparentTitle", ""), entry.get("parentTitle", "")]
    own = name or f"{entry.get('title', '')}.{part.get('container', '')}"
    return "/".join(title for title in (*albums, own) if title)


def _moment(taken: str, added: str) -> datetime | None:
    """The day it was taken, at midnight UTC; else when it was added; None where neither can be read."""
    day = _day(taken)
    if day is not None:
        return day
    try:
        return datetime.fromtimestamp(int(added), UTC)
    except (ValueError, OverflowError, OSError):
        return None


@functools.lru_cache(maxsize=1024)
def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None

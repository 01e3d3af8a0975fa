"""The baseline of a listing: fetching and parsing the same pages, and nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from xml.etree.ElementTree import fromstring

import requests

from benchmarks.standins import Settings
from tigertag.sources.plex_walk import PAGE

RAW = "fetching and parsing the same pages raw"


@dataclass(frozen=True, slots=True)
class Raw:
    """What it cost; `waiting` is the part of the seconds in which the server worked."""

    photos: int
    seconds: float
    waiting: float


def raw(settings: Settings) -> Raw:
    """Reads the listing of the first section page by page, as a scan asks for it."""
    photos, waiting = 0, 0.0
    began = time.perf_counter()
    with requests.Session() as session:
        session.headers.update({"X-Plex-Token": settings["PLEX_TOKEN"], "Accept-Encoding": "identity"})
        start, total = 0, 1
        while start + 1 < total or not photos:
            asked = time.perf_counter()
            page = session.get(
                f"{settings['PLEX_URL']}/library/sections/1/all?type=13&clusterZoomLevel=1&sort=addedAt",
                headers={"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(PAGE)},
                timeout=60,
            )
            waiting += time.perf_counter() - asked
            root = fromstring(page.content)
            shown, total = len(root), int(root.get("totalSize", "0"))
            photos = start + shown
            start = photos - 1  # a scan's pages overlap by one entry
    return Raw(photos, time.perf_counter() - began, waiting)

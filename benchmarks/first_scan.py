"""The first scan of a section: against one photo at a time, against what binds it, and what it asks of Plex."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.one_by_one import Spent, one_by_one
from benchmarks.pictures import different_pictures
from benchmarks.place import app_for, scan_all
from benchmarks.standins import AT_ONCE, BOTH, ENGINE_SECONDS, SMALL, Engines, StandIns, Wanted, stand_ins
from tigertag import executors
from tigertag.app.context import App
from tigertag.media import open_photo
from tigertag.model import Rendition
from tigertag.worker import Render

RENDITIONS = {
    BOTH: (Rendition(short_side=300, quality=90), Rendition(long_side=1600, quality=90)),
    SMALL: (Rendition(short_side=300, quality=90),),
}
SIZES = {BOTH: "300 and 1600 px", SMALL: "300 px"}


PHOTOS = 200


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """The figures of a first scan of different photos, with two choices of engines; `full` is the same."""
    for engines in (BOTH, SMALL):
        with stand_ins(Wanted(whole=PHOTOS, engines=engines), servers=2) as services:
            yield from _compared(folder / engines, services, engines, PHOTOS)


def _compared(folder: Path, services: StandIns, engines: Engines, photos: int) -> Iterator[Figure]:
    """Scans the first Plex server; the baseline has the second."""
    seconds, requests = _scanned(app_for(folder / "scan", services.settings(0)), services)
    spent = one_by_one(app_for(folder / "alone", services.settings(1)))
    single = services.requests()[1]
    bound = _binding(photos, engines)
    if damage := services.damage():
        raise RuntimeError(f"the stand-ins report damage: {damage[:3]}")
    name, rate = f"first scan, {SIZES[engines]}", photos / seconds
    note = (
        f"{photos} photos in {SIZES[engines]}, tags written; two engines at 50 ms, {AT_ONCE} requests at once "
        "each; Plex at 5 ms"
    )
    alone = (
        "fetch, decode once and both calls, one photo at a time, with nothing written "
        f"(that took another {spent.writing:.1f} s)"
    )
    yield Figure(name, rate, "photos/s", "higher", spent.photos_per_second, alone, note)
    yield Figure(f"{name}, of what binds it", rate, "photos/s", "higher", photos / bound, _BOUND, note)
    yield _asked(requests, single, spent, photos)


_BOUND = "the slower of decoding and scaling alone on all cores, and calls by concurrency"


def _scanned(app: App, services: StandIns) -> tuple[float, dict[str, int]]:
    services.requests()
    began = time.perf_counter()
    scan_all(app)
    seconds = time.perf_counter() - began
    return seconds, services.requests()[0]


def _binding(photos: int, engines: Engines) -> float:
    """Seconds that the work takes at the least: the processors' or the engines' part, whichever is longer."""
    renditions = RENDITIONS[engines]
    files = [open_photo(io.BytesIO(content), "photo").file for content in different_pictures(photos)]
    workers = executors.open_workers(executors.DEFAULT)
    try:
        wait([workers.submit(Render(renditions), files[:1], {}) for _ in range(2 * executors.cores())])
        began = time.perf_counter()
        wait([workers.submit(Render(renditions), [file], {}) for file in files])
        decoding = time.perf_counter() - began
    finally:
        workers.close()
    return max(decoding, photos * ENGINE_SECONDS / AT_ONCE)


def _asked(requests: dict[str, int], single: dict[str, int], spent: Spent, photos: int) -> Figure:
    """Edits are no part of it: they have a figure of their own."""
    looked = {kind: count for kind, count in requests.items() if kind != "edit"}
    return Figure(
        "Plex requests of a first scan, without edits",
        sum(looked.values()) / photos,
        "requests/photo",
        "lower",
        sum(count for kind, count in single.items() if kind != "edit") / spent.photos,
        "the same, one photo at a time",
        ", ".join(f"{count} {kind}" for kind, count in sorted(requests.items())),
    )

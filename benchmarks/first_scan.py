"""The first scan of a section: photos per second, and requests to Plex per photo."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from benchmarks.one_by_one import one_by_one
from benchmarks.place import scan_all
from benchmarks.standins import StandIns
from tigertag.app.context import App


def measure(services: StandIns, app: App, baseline: App) -> Iterator[Figure]:
    """Scans with `app`, which has the first Plex server; the baseline has the second."""
    services.requests()
    began = time.perf_counter()
    photos = scan_all(app).tally.opened
    seconds = time.perf_counter() - began
    requests = services.requests()[0]
    spent = one_by_one(baseline)
    single = services.requests()[1]
    if damage := services.damage():
        raise RuntimeError(f"the stand-ins report damage: {damage[:3]}")
    yield Figure(
        "first scan",
        photos / seconds,
        "photos/s",
        "higher",
        spent.photos_per_second,
        "fetch, decode and both calls, one photo at a time, with nothing written "
        f"(writing photo by photo took another {spent.writing:.1f} s)",
        f"{photos} photos, tags written; Imagga and CompreFace at 50 ms, 8 requests at once each; Plex at 5 ms",
    )
    yield Figure(
        "Plex requests of a first scan",
        sum(requests.values()) / photos,
        "requests/photo",
        "lower",
        sum(single.values()) / spent.photos,
        "the same, one photo at a time",
        ", ".join(f"{count} {kind}" for kind, count in sorted(requests.items())),
    )

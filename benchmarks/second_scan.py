"""The second scan of the same section, with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.place import WALK, app_for, scan_all, walk
from benchmarks.standins import StandIns, Wanted, stand_ins
from tigertag.app.context import App

PHOTOS = 200


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """The second scan of some photos; `full` is the same."""
    with stand_ins(Wanted(whole=PHOTOS)) as services:
        yield from _second(services, app_for(folder, services.settings()))


def _second(services: StandIns, app: App) -> Iterator[Figure]:
    scan_all(app)
    services.requests()
    began = time.perf_counter()
    report = scan_all(app)
    seconds = time.perf_counter() - began
    requests = services.requests()[0]
    if report.due or {"download", "edit", "read"} & requests.keys():
        raise RuntimeError(f"the second scan found work: {report.due} due, {requests}")
    listed, alone = walk(app)
    note = f"{listed} photos, nothing changed; {sum(requests.values())} requests to Plex, no engine asked"
    yield Figure("second scan", seconds, "s", "lower", alone, WALK, note)

"""The second scan of the same section, with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from benchmarks.place import WALK, scan_all, walk
from benchmarks.standins import StandIns
from tigertag.app.context import App


def measure(services: StandIns, app: App) -> Iterator[Figure]:
    """`app` has scanned everything already."""
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

"""TigerTag set up for the stand-ins, as a user would set it up."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.standins import Settings
from tigertag.app.context import App, build_source
from tigertag.app.scanning import ScanOrder, ScanReport, scan
from tigertag.config import load
from tigertag.pipeline.choose import Choice

ONLY_LIST = ScanOrder(choice=Choice(limit=0), write=False)
"""A scan that takes up nothing: the listing, its bookkeeping, and what is due."""

WALK = "walking the section and keeping nothing"
"""The baseline of all that begins with a listing."""


def app_for(folder: Path, settings: Settings) -> App:
    """An App on a database in `folder`, which is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**settings, "DB_URL": f"sqlite:///{folder / 'tigertag.db'}"}
    return App(load(env_file=None, environ=environ, cwd=folder))


def scan_all(app: App) -> ScanReport:
    """A whole scan. Raises RuntimeError where anything was not done: half the work is no figure."""
    report = scan(app, ScanOrder())
    if report.exit_code:
        raise RuntimeError(
            f"the scan ended with {report.exit_code}: {report.tally.failures[:3]} {report.tally.aside}"
        )
    return report


def walk(app: App) -> tuple[int, float]:
    """The first source's listing with nothing kept: the number of items, and the seconds."""
    with app.running("walk") as run, ExitStack() as stack:
        source = build_source(run.work.database, app.settings.sources[0], stack)
        began = time.perf_counter()
        listed = sum(1 for _ in source.items())
        return listed, time.perf_counter() - began

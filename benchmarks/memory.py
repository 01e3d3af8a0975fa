"""Peak memory of a listing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.place import ONLY_LIST, app_for
from benchmarks.standins import Settings
from tigertag.app.context import App
from tigertag.app.scanning import scan

MIB = 1 << 20


def measure(folder: Path, small: Settings, large: Settings) -> Iterator[Figure]:
    """`small` and `large` are settings for sections of two sizes."""
    peak(app_for(folder / "warm", small))  # what is imported and cached once is no part of the figure
    less = peak(app_for(folder / "small", small))
    more = peak(app_for(folder / "large", large))
    yield Figure(
        "peak memory of a listing",
        more / MIB,
        "MiB",
        "lower",
        less / MIB,
        "1,000 photos; a ratio of 1 would be a listing that does not depend on the library",
        "10,000 photos listed for the first time, all of them due; Python's memory, by tracemalloc",
    )


def peak(app: App) -> int:
    """Bytes at the most while a section is listed, above those there were before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        scan(app, ONLY_LIST)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

"""`python -m benchmarks` (or `make bench`): one line of JSON for each figure."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import first_scan, large_library, memory, second_scan
from benchmarks.figure import Figure
from benchmarks.place import app_for
from benchmarks.standins import Wanted, stand_ins

PHOTOS, LARGE = 200, 10_000


def figures(folder: Path) -> Iterator[Figure]:
    """All figures, each as soon as it is measured."""
    with stand_ins(Wanted(whole=PHOTOS), servers=2) as services:
        app = app_for(folder / "scan", services.settings(0))
        baseline = app_for(folder / "baseline", services.settings(1))
        yield from first_scan.measure(services, app, baseline)
        yield from second_scan.measure(services, app)
    with stand_ins(Wanted(listed=LARGE)) as services, stand_ins(Wanted(listed=LARGE // 10)) as fewer:
        yield from large_library.measure(app_for(folder / "library", services.settings()))
        yield from memory.measure(folder, fewer.settings(), services.settings())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tigertag-bench-") as folder:
        for figure in figures(Path(folder)):
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main()

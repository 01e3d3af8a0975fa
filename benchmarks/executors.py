"""Engines that compute: on more processes, on a Dask cluster, and against a loop of one's own."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distributed import LocalCluster

from benchmarks.figure import Figure
from benchmarks.pictures import different_pictures
from benchmarks.place import app_for, scan_all
from tests.plugins_for_tests import Burner
from tigertag.contract.stand_ins import FakePermit
from tigertag.media import open_photo

MILLISECONDS = 50
"""Of processor time that the engine takes for a photo."""


def measure(folder: Path, *, full: bool = False) -> Iterator[Figure]:
    """The figures of engines that compute, over a folder of 160 photos, `full` 600."""
    bench = _Bench(folder, _photos(folder / "photos", 600 if full else 160))
    note = (
        f"{len(bench.photos)} photos of a folder, an engine of {MILLISECONDS} ms of processor time, no target"
    )
    yield from _scaling(bench, note)
    yield from _overhead(bench, note)


def _photos(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for path, content in zip(paths, different_pictures(count), strict=True):
        path.write_bytes(content)
    return paths


@dataclass
class _Bench:
    folder: Path
    photos: Sequence[Path]
    scans: int = 0

    def scan(self, executor: str, **options: object) -> float:
        """Seconds that a first scan takes, the start of its workers included."""
        self.scans += 1
        settings = {f"ENGINE_BURNER_{name.upper()}": str(value) for name, value in options.items()}
        settings |= {
            "SOURCE_FOLDER_NAME": "folder",
            "SOURCE_FOLDER_PATH": str(self.photos[0].parent),
            "ENGINE_BURNER_NAME": "tests.plugins_for_tests.Burner",
            "TARGET_CONSOLE_NAME": "console",  # which would print among the figures
            "TARGET_CONSOLE_ENABLED": "false",
        }
        app = app_for(self.folder / f"scan {self.scans}", settings)
        app.run_on(executor)
        gc.collect()
        began = time.perf_counter()
        report = scan_all(app)
        seconds = time.perf_counter() - began
        if (found := report.tally.answered["burner"]) != len(self.photos):
            raise RuntimeError(f"{executor} answered {found} of {len(self.photos)} photos")
        return seconds

    def loop(self, **options: object) -> float:
        """Seconds of a program that opens each file and asks the engine, and does nothing else."""
        engine = Burner(Burner.Options.model_validate(options), None)
        engine.start()
        began = time.perf_counter()
        for path in self.photos:
            with path.open("rb") as stream, open_photo(stream, path.name) as photo:
                list(engine.analyze([photo], FakePermit()))
        return time.perf_counter() - began


def _scaling(bench: _Bench, note: str) -> Iterator[Figure]:
    photos = len(bench.photos)
    one = photos / bench.scan("processes?workers=1", milliseconds=MILLISECONDS)
    two = photos / bench.scan("processes?workers=2", milliseconds=MILLISECONDS)
    yield Figure("engine on 2 processes", two, "photos/s", "higher", one, "the same on 1 process", note)
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
        scheduler_kwargs={"allowed_failures": 0},
    ) as cluster:
        place = cluster.scheduler_address.replace("tcp:", "dask:")
        dask = photos / bench.scan(place, milliseconds=MILLISECONDS)
    told = f"{note}; the cluster is up before"
    yield Figure("engine on 2 Dask workers", dask, "photos/s", "higher", two, "the same on 2 processes", told)


def _overhead(bench: _Bench, note: str) -> Iterator[Figure]:
    photos = len(bench.photos)
    against = "a loop that opens each file and calls the engine"
    for milliseconds, more in ((MILLISECONDS, {}), (0, {"says": "nothing"})):
        scanned = bench.scan("processes?workers=1", milliseconds=milliseconds, **more)
        alone = bench.loop(milliseconds=milliseconds, **more)
        name = "scan with an engine that does nothing" if more else f"scan with an engine of {milliseconds} ms"
        each = 1000 / photos
        yield Figure(name, scanned * each, "ms/photo", "lower", alone * each, against, f"{note}; 1 process")

"""The engines that need no account: what each takes of a core, and what a scan takes beyond that."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from benchmarks.clip import heavy
from benchmarks.figure import Figure
from benchmarks.pictures import different_pictures
from benchmarks.place import app_for, scan_all
from tests.pictures import exif, segment, with_segments
from tigertag import plugins
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.media import open_photo
from tigertag.model import Engine

_ENGINES = ("metadata", "places", "colours", "quality", "hash")
_EXTRAS = {"clip": "onnxruntime", "ocr": "rapidocr"}
_FEW = 8
"""Photos of the scan that shows what starting takes."""


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """Over 40 photos, `full` 600: each engine by itself, then all of them on one process and on two."""
    bench = _Bench(folder, _photos(folder / "photos", 600 if full else 40))
    options: dict[str, Mapping[str, object]] = {name: {} for name in _ENGINES}
    found = [name for name, library in _EXTRAS.items() if find_spec(library)]
    if "clip" in found:
        options["clip"] = {"model": str(heavy(folder / "model", rounds=4))}
    if "ocr" in found:
        options["ocr"] = {}
    for name, chosen in options.items():
        yield from _one(bench, name, chosen)
    yield _two_cores(bench, options)


def _photos(folder: Path, count: int) -> list[Path]:
    """With all that the engines that read files look for, here and there on the globe."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for number, (path, content) in enumerate(zip(paths, different_pictures(count), strict=True)):
        place = number * 7 % 120 - 60.0, number * 13 % 360 - 180.0
        block = exif(taken="2020:07:14 18:30:00", camera=("SONY", "ILCE-7M2"), lens="FE 35mm F1.8", gps=place)
        path.write_bytes(with_segments(content, segment(0xE1, block)))
    return paths


@dataclass
class _Bench:
    folder: Path
    photos: Sequence[Path]
    scans: int = 0

    def scan(self, engines: Mapping[str, Mapping[str, object]], workers: int) -> float:
        """Seconds for each photo of a first scan, what it takes to start taken off."""
        few, all_ = (self._seconds(engines, workers, count) for count in (_FEW, len(self.photos)))
        return (all_ - few) / (len(self.photos) - _FEW)

    def _seconds(self, engines: Mapping[str, Mapping[str, object]], workers: int, photos: int) -> float:
        self.scans += 1
        settings = {
            "SOURCE_FOLDER_NAME": "folder",
            "SOURCE_FOLDER_PATH": str(self.photos[0].parent),
            "SOURCE_FOLDER_INCLUDE": ",".join(path.name for path in self.photos[:photos]),
            "TARGET_CONSOLE_NAME": "console",  # which would print among the figures
            "TARGET_CONSOLE_ENABLED": "false",
        }
        for name, options in engines.items():
            settings[f"ENGINE_{name.upper()}_NAME"] = name
            settings |= {f"ENGINE_{name.upper()}_{key.upper()}": str(value) for key, value in options.items()}
        app = app_for(self.folder / f"scan {self.scans}", settings)
        app.run_on(f"processes?workers={workers}")
        gc.collect()
        began = time.perf_counter()
        report = scan_all(app)
        seconds = time.perf_counter() - began
        if any(report.tally.answered[name] != photos for name in engines):
            raise RuntimeError(f"{dict(report.tally.answered)} of {photos} photos were answered")
        return seconds

    def loop(self, engine: Engine, most: int | None = None) -> None:
        """What a program does that opens each file, asks the engine, and keeps nothing."""
        paths = self.photos[:most]
        for start in range(0, len(paths), engine.batch_size):
            with ExitStack() as stack:
                photos = [
                    stack.enter_context(open_photo(stack.enter_context(path.open("rb")), path.name))
                    for path in paths[start : start + engine.batch_size]
                ]
                list(engine.analyze(photos, FakePermit()))

    def decode(self) -> None:
        for path in self.photos:
            with Image.open(path) as picture:
                picture.convert("RGB")

    def read(self) -> None:
        for path in self.photos:
            path.read_bytes()


def _one(bench: _Bench, name: str, chosen: Mapping[str, object]) -> Iterator[Figure]:
    plugin = plugins.find("engine", name)
    engine = plugins.build(plugin, plugins.options_of(plugin).model_validate(chosen), FakeMemory())
    engine.start()
    bench.loop(engine, 1)  # data and models are loaded once
    each = 1000 / len(bench.photos)
    least, what = (
        (bench.read, "reading the same files")
        if engine.reads == "file"
        else (bench.decode, "decoding the same pictures with Pillow")
    )
    note = f"{len(bench.photos)} JPEGs; seconds of a core"
    bare, floor = (_least(time.process_time, work) for work in (lambda: bench.loop(engine), least))
    yield Figure(f"engine {name}", bare * each, "ms/photo", "lower", floor * each, what, note)
    yield Figure(
        f"scan with {name}",
        bench.scan({name: chosen}, 1) * 1000,
        "ms/photo",
        "lower",
        _least(time.perf_counter, lambda: bench.loop(engine)) * each,
        "a loop that opens each file and calls the engine",
        f"{len(bench.photos)} JPEGs in a folder; 1 process, without what starting takes",
    )
    engine.close()


def _two_cores(bench: _Bench, options: Mapping[str, Mapping[str, object]]) -> Figure:
    one, two = (bench.scan(options, workers) for workers in (1, 2))
    return Figure(
        "local engines on 2 processes",
        1 / two,
        "photos/s",
        "higher",
        1 / one,
        "the same on 1 process",
        f"{len(bench.photos)} JPEGs in a folder; {', '.join(options)}; without what starting takes",
    )


def _least(clock: Callable[[], float], work: Callable[[], object]) -> float:
    """Seconds by this clock, the better of two times."""
    took = []
    for _ in range(2):
        began = clock()
        work()
        took.append(clock() - began)
    return min(took)

"""A folder of many small files: listed and compared with the last time, against a bare look at each."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.place import app_for
from tigertag.app.context import Run, memory_of
from tigertag.config import Declared
from tigertag.pipeline.discover import Listing, discover
from tigertag.sources.folder import FolderOptions, FolderSource

_FOLDERS = 100
_TIMES = 7
_CHANGES = 100


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """100,000 files (20,000 without `full`) in 100 folders, on the disk that `folder` lies on."""
    each = 1000 if full else 200
    root = folder / "photos"
    made = make(root, each)
    size = f"{_FOLDERS * each:,} files in {_FOLDERS} folders"
    with app_for(folder / "kept", {}).running("list") as run:
        first = list_once(run, root)
        if first.new != made:
            raise RuntimeError(f"{first.new} of {made} files were new")
        yield compared(run, root, "folder as it was", f"{size}; the listing and its comparison in the database")
        yield from changed(run, root, size)
        yield from with_sidecars(run, root, size)


def with_sidecars(run: Run, root: Path, size: str) -> Iterator[Figure]:
    """As many sidecars as photos: found, and noticed where they change."""
    photos = sorted(root.glob("*/*.jpg"))
    for photo in photos:
        photo.with_name(f"{photo.name}.xmp").write_bytes(b"sidecar")
    found = list_once(run, root)
    if (found.new, found.changed) != (0, len(photos)):
        raise RuntimeError(f"{found.changed} of {len(photos)} photos have got a sidecar")
    size = f"{size}, and a sidecar beside each"
    yield compared(run, root, "folder with sidecars as it was", size)
    for number in range(_CHANGES):
        photo = photos[number * len(photos) // _CHANGES]
        photo.with_name(f"{photo.name}.xmp").write_bytes(b"another sidecar")
    bare = seconds(lambda: look_at_all(root))
    began = time.perf_counter()
    changed = list_once(run, root).changed
    took = time.perf_counter() - began
    if changed != _CHANGES:
        raise RuntimeError(f"{changed} of {_CHANGES} sidecars were seen to have changed")
    note = f"{size}; in all of these folders, listed once"
    yield Figure(f"{_CHANGES} sidecars changed", took, "s", "lower", bare, "scandir and stat", note)


def changed(run: Run, root: Path, size: str) -> Iterator[Figure]:
    """Some files here and there, so that no folder is as it was: the listing at its slowest."""
    for name, change, wanted in (
        (f"{_CHANGES} files added", add, (_CHANGES, 0)),
        (f"{_CHANGES} files renamed", rename, (_CHANGES, _CHANGES)),
        (f"{_CHANGES} files deleted", delete, (0, _CHANGES)),
    ):
        change(root)
        bare = seconds(lambda: look_at_all(root))
        began = time.perf_counter()
        found = list_once(run, root)
        took = time.perf_counter() - began
        if (found.new, found.gone) != wanted:
            raise RuntimeError(f"{name}: {found.new} new, {found.gone} gone")
        yield Figure(
            name, took, "s", "lower", bare, "scandir and stat", f"{size}; in all of these folders, listed once"
        )


def compared(run: Run, root: Path, name: str, note: str) -> Figure:
    """In turn, so that a busy moment slows both."""
    bare, ours = [], []
    for _ in range(_TIMES):
        bare.append(seconds(lambda: look_at_all(root)))
        ours.append(seconds(lambda: list_once(run, root)))
    median = f"{note}; median of {_TIMES}"
    return Figure(
        name, statistics.median(ours), "s", "lower", statistics.median(bare), "scandir and stat", median
    )


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def look_at_all(root: Path) -> int:
    """Each file's name and status, by nothing but the system's two calls."""
    waiting, number = [str(root)], 0
    while waiting:
        with os.scandir(waiting.pop()) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    number += 1
    return number


def list_once(run: Run, root: Path) -> Listing:
    """As a scan does, with nothing taken up."""
    options = FolderOptions.model_validate({"path": root})
    declared = Declared("folder", "source", "folder", options)
    source = FolderSource(options, memory_of(run.work.database, declared))
    return discover(run.work.database, source, datetime.now(UTC))


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────


def make(root: Path, each: int) -> int:
    """So many files in each folder; their number."""
    for number in range(_FOLDERS):
        place = root / f"{number:03}"
        place.mkdir(parents=True)
        for name in range(each):
            (place / f"IMG_{name:04}.jpg").write_bytes(b"photo")
    return _FOLDERS * each


def add(root: Path) -> None:
    for number in range(_CHANGES):
        (root / f"{number % _FOLDERS:03}" / f"new {number}.jpg").write_bytes(b"photo")


def rename(root: Path) -> None:
    for file in some(root):
        file.rename(file.with_name(f"renamed {file.name}"))


def delete(root: Path) -> None:
    for file in some(root):
        file.unlink()


def some(root: Path) -> list[Path]:
    return random.Random(1).sample(sorted(root.glob("*/*.jpg")), _CHANGES)

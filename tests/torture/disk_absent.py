"""A folder that is missing, or another in its place (K1)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture import state
from tests.torture.disk_photos import (
    BOUNDARY,
    PHOTOS,
    SECOND,
    bare,
    can_mount,
    furnish,
    kept,
    mount,
    unmount,
    wrong,
)
from tests.torture.shelf import ENGINES, Shelf
from tests.torture.trial import Cell, Trial, missed, untried


@dataclass(frozen=True)
class Absence:
    """How a folder goes away, and what a scan says to it."""

    name: str
    go: Callable[[Shelf], object]
    come_back: Callable[[Shelf], object]
    codes: tuple[int, ...]
    words: str
    needs_mount: bool = False


def _aside(shelf: Shelf) -> Path:
    return shelf.folder / "aside"


def _emptied(shelf: Shelf) -> None:
    shelf.photos.rename(_aside(shelf))
    shelf.photos.mkdir()


def _halved(shelf: Shelf) -> None:
    shutil.copytree(shelf.photos, _aside(shelf), copy_function=os.link)
    for path in sorted(shelf.photos.rglob("*.jpg"))[: PHOTOS // 2 + 4]:
        path.unlink()


def _put_back(shelf: Shelf) -> None:
    if shelf.photos.exists():
        shutil.rmtree(shelf.photos)
    _aside(shelf).rename(shelf.photos)


def _mounted(shelf: Shelf) -> None:
    mount(shelf.photos, "size=4m")


def _other_disk(shelf: Shelf) -> None:
    _mounted(shelf)
    for each in range(3):
        shelf.put(f"other/{each}.jpg", jpeg_bytes(540 + each, size=(96, 72)))


ABSENCES = (
    Absence(
        "folder missing",
        lambda s: s.photos.rename(_aside(s)),
        _put_back,
        (5,),
        "is missing. Is the disk mounted",
    ),
    Absence(
        "folder empty",
        _emptied,
        _put_back,
        (9,),
        rf"lists 0 photos where {PHOTOS} were known. Nothing was removed",
    ),
    Absence(
        "folder halved",
        _halved,
        _put_back,
        (9,),
        rf"lists \d+ photos where {PHOTOS} were known. Nothing was removed",
    ),
    Absence(
        "empty disk in its place", _mounted, lambda s: unmount(s.photos), (9,), "lists 0 photos where", True
    ),
    Absence("other disk in its place", _other_disk, lambda s: unmount(s.photos), (0, 9), "", True),
)


def trials(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """The folder goes away between two scans, and comes back: nothing is removed, nothing asked again."""
    for absence in ABSENCES if full else ABSENCES[1:2]:
        cell, after = Cell(BOUNDARY, absence.name, "scan"), Cell(BOUNDARY, absence.name, SECOND)
        if absence.needs_mount and not can_mount(shelf):
            yield untried(cell, "mounting is not allowed")
            continue
        names = furnish(shelf)
        shelf.scan()
        before = kept(shelf)
        absence.go(shelf)
        ran = shelf.scan()
        still = shelf.answered()
        gone = [name for name in names if still[name] != len(ENGINES)]
        absence.come_back(shelf)
        yield Trial(
            cell, misses=wrong(ran, absence.codes, absence.words) | missed(lost=f"{gone}" if gone else None)
        )
        again = shelf.scan()
        lost = bare(shelf, names)
        if absence.name != "other disk in its place":
            lost = lost or state.difference(before, kept(shelf))
        yield Trial(after, misses=wrong(again, (0,), "^Nothing to do") | missed(lost=lost))
    if not full:
        return
    furnish(shelf)
    shelf.photos.rename(_aside(shelf))
    ran = shelf.scan()
    shelf.photos.mkdir(exist_ok=True)
    shutil.rmtree(_aside(shelf))
    yield Trial(
        Cell(BOUNDARY, "folder missing", "first scan"), misses=wrong(ran, (2, 5), "is missing|no such folder")
    )

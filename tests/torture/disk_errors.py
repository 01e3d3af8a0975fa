"""System calls that fail, once or always (K2)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from tests.torture.disk_photos import (
    BOUNDARY,
    SECOND,
    bare,
    furnish,
    wrong,
)
from tests.torture.shelf import Shelf, traced
from tests.torture.trial import Cell, Trial, missed, untried


@dataclass(frozen=True)
class Stutter:
    """A system call on one photo or folder that fails; `when` as strace counts."""

    call: str
    error: str
    when: str
    codes: tuple[int, ...]
    words: str
    on: str = "album/3.jpg"

    @property
    def name(self) -> str:
        passing = " once" if self.when == "1" else ""
        return f"{self.error} from {self.call}{passing}"


_NAMED = r"album/3\.jpg cannot be read"
STUTTERS = (
    Stutter("read", "EIO", "1", (0,), ""),
    Stutter("read", "EIO", "1+", (3,), _NAMED),
    Stutter("read", "ESTALE", "1", (0,), ""),
    Stutter("read", "ESTALE", "1+", (3,), _NAMED),
    Stutter("read", "ETIMEDOUT", "1+", (3,), _NAMED),
    Stutter("openat", "EIO", "1+", (3,), _NAMED),
    Stutter("openat", "EACCES", "1+", (3,), _NAMED),
    Stutter("openat", "ESTALE", "1+", (3,), _NAMED),
    Stutter("openat", "ENOENT", "1+", (0, 3), r"album/3\.jpg is no longer|"),
    Stutter("openat", "EMFILE", "1+", (3,), _NAMED),
    Stutter("openat", "ENOMEM", "1+", (3,), _NAMED),
    Stutter("openat", "EIO", "1+", (3, 5), r"album could not be read|cannot be read", "album"),
    Stutter("getdents64", "EIO", "1+", (3, 5), r"album could not be read|cannot be read", "album"),
    Stutter("getdents64", "ESTALE", "1", (0, 3, 5), "", "album"),
    Stutter("openat", "EIO", "1+", (5,), r"The folder .* cannot be read", ""),
    Stutter("openat", "ESTALE", "1+", (5,), r"The folder .* cannot be read", ""),
)


def trials(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """One call fails, once or always; the others are tagged; once it is well the next scan makes up for it."""
    if shutil.which("strace") is None:
        yield untried(Cell(BOUNDARY, "read errors", "scan"), "strace is not installed")
        return
    for stutter in STUTTERS if full else STUTTERS[1:2]:
        names = furnish(shelf)
        expression = f"inject={stutter.call}:error={stutter.error}:when={stutter.when}"
        target = shelf.photos / stutter.on
        ran = traced(shelf, ["-P", str(target), "-e", expression], "scan", str(shelf.photos))
        others = [] if stutter.on in ("", "album") else [name for name in names if name != stutter.on]
        misses = wrong(ran, stutter.codes, stutter.words) | missed(lost=bare(shelf, others))
        yield Trial(Cell(BOUNDARY, stutter.name, f"scan of the {_kind(stutter.on)}"), misses=misses)
        again = shelf.scan("--retry-failed")
        misses = wrong(again, (0,), "") | missed(lost=bare(shelf, names))
        yield Trial(Cell(BOUNDARY, stutter.name, SECOND), _kind(stutter.on), misses)


def _kind(on: str) -> str:
    return {"": "root", "album": "folder"}.get(on, "photo")

"""Where the server that forks workers listens, and what killed runs have left there (RELIABILITY K7).

A run that is killed cannot remove that folder. A file in it that the run holds locked tells that it is ours and
whether the run is alive: a lock ends with its process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from multiprocessing import util
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows starts workers without a server
    fcntl = None  # type: ignore[assignment]

_MARK = "tigertag"
_BEING_MADE = 60
"""Seconds in which a mark without its name may still get it."""


def sweep(folder: Path) -> None:
    """Removes what runs of this user have left in a folder for temporary files, unless they are alive."""
    if fcntl is None:
        return
    for mark in folder.glob(f"pymp-*/{_MARK}*"):
        with suppress(OSError):  # somebody else's, or just gone
            if mark.parent.is_symlink() or mark.parent.stat().st_uid != os.geteuid():
                continue
            if mark.name != _MARK and time.time() - mark.stat().st_mtime < _BEING_MADE:
                continue
            with mark.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(mark.parent, ignore_errors=True)


def mark() -> None:
    """Marks the folder that `multiprocessing` makes for this process and removes at its end. Twice is once."""
    if fcntl is not None:
        _marked(Path(util.get_temp_dir()))


@cache
def _marked(folder: Path) -> int:
    """The descriptor that is locked as long as this process lives."""
    # Locked before it has its name, so that nobody meets it without.
    descriptor, path = tempfile.mkstemp(prefix=_MARK, dir=folder)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    Path(path).rename(folder / _MARK)
    return descriptor

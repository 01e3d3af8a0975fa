"""Where the server that forks workers listens, and what killed runs have left there (RELIABILITY K7).

A run that is killed cannot remove its folder. So it first makes a file, `tigertag-XXXX.run`, that it holds
locked as long as it lives, and then the folder of that name: at no instant is there a folder of which nobody
can tell whether its run is alive.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from multiprocessing import util
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows starts workers without a server
    fcntl = None  # type: ignore[assignment]

LONGEST = len("/tigertag-12345678.dir/pymp-12345678/listener-12345678")
"""Bytes that the name of a socket has behind that of the folder for temporary files."""
_PREFIX, _MARK, _FOLDER = "tigertag-", ".run", ".dir"
_LAST = -1000
"""Of what `multiprocessing` does when a process ends; it removes its own folder before."""


def sweep(folder: Path) -> None:
    """Removes what runs of this user have left in a folder for temporary files, unless they are alive."""
    if fcntl is None:
        return
    for mark in folder.glob(f"{_PREFIX}*{_MARK}"):
        with suppress(OSError):  # somebody else's, alive, or just gone
            descriptor = os.open(mark, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_uid == os.geteuid():
                    _remove(mark)
            finally:
                os.close(descriptor)


@cache
def settle() -> None:
    """Gives `multiprocessing` a folder of which others can tell whether this process lives. Twice is once."""
    if fcntl is None:
        return
    folder = tempfile.gettempdir()
    mark = _locked(folder)
    # Before the folder is made: whoever ends in between leaves nothing.
    util.Finalize(None, _remove, [mark], exitpriority=_LAST)
    home = mark.with_suffix(_FOLDER)
    home.mkdir(0o700)
    # What other threads put there in the meantime has no name and needs none.
    tempfile.tempdir = str(home)
    try:
        util.get_temp_dir()
    finally:
        tempfile.tempdir = folder


def _locked(folder: str) -> Path:
    """A new file that stays locked until the process ends."""
    while True:
        descriptor, name = tempfile.mkstemp(_MARK, _PREFIX, folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A run that began just now may have taken it for a dead one's before it was locked.
        if os.fstat(descriptor).st_nlink:
            return Path(name)
        os.close(descriptor)


def _remove(mark: Path) -> None:
    """The folder first: without its mark it would stay for ever."""
    shutil.rmtree(mark.with_suffix(_FOLDER), ignore_errors=True)
    if not mark.with_suffix(_FOLDER).exists():
        mark.unlink(missing_ok=True)

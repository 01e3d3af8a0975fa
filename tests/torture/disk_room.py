"""Disks that are full or read-only, and users without a home (K3, K8)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture.disk_photos import (
    BOUNDARY,
    SECOND,
    bare,
    can_mount,
    furnish,
    small,
    wrong,
)
from tests.torture.shelf import LIMIT, Ran, Shelf
from tests.torture.trial import Cell, Trial, missed, untried
from tests.torture.zoo_draw import saved

_SIZES = {"state: no room at all": "8k", "state: room for tables only": "400k"}


def crowded(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """No room for the database or for a large photo; with room again the next scan goes on."""
    if not can_mount(shelf):
        yield untried(Cell(BOUNDARY, "full", "scan"), "mounting is not allowed")
        return
    for fault, size in (_SIZES if full else {}).items():
        names = furnish(shelf)
        with small(shelf.home, size):
            ran = shelf.scan()
            yield Trial(Cell(BOUNDARY, fault, "scan"), misses=wrong(ran, (8,), "room|full"))
            subprocess.run(["mount", "-o", "remount,size=64m", str(shelf.home)], check=True)
            again = shelf.scan()
            misses = wrong(again, (0,), "") | missed(lost=bare(shelf, names))
            yield Trial(Cell(BOUNDARY, fault, SECOND), misses=misses)
    names = [*furnish(shelf), "large.bmp"]
    shelf.put("large.bmp", saved("BMP", size=(2600, 2200)))
    with small(shelf.tmp, "2m"):
        ran = shelf.scan()
        yield Trial(
            Cell(BOUNDARY, "temporary folder: no room", "scan"),
            misses=wrong(ran, (8,), r"Cannot keep a photo in .* \(no room left\)") | missed(lost=shelf.left()),
        )
        subprocess.run(["mount", "-o", "remount,size=64m", str(shelf.tmp)], check=True)
        again = shelf.scan()
        misses = wrong(again, (0,), "") | missed(lost=bare(shelf, names))
        yield Trial(Cell(BOUNDARY, "temporary folder: no room", SECOND), misses=misses)


def homeless(shelf: Shelf) -> Iterator[Trial]:
    """No HOME, a TMPDIR that is not there, a state that may only be read."""
    phase = "scan"
    for fault, env in {
        "no HOME": {"HOME": ""},
        "HOME that is not there": {"HOME": "/nonexistent/home"},
        "TMPDIR that is not there": {"TMPDIR": "/nonexistent/tmp"},
        "HOME is a file": {"HOME": "/dev/null"},
        "TMPDIR with a long name": {"TMPDIR": str(_long(shelf))},
    }.items():
        names = furnish(shelf, 4)
        shelf.env |= env
        ran = shelf.scan()
        yield Trial(Cell(BOUNDARY, fault, phase), misses=wrong(ran, (0,), "") | missed(lost=bare(shelf, names)))
    furnish(shelf, 4)
    shelf.env["HOME"] = ""
    shelf.settings["DB_URL"] = ""
    ran = shelf.scan()
    yield Trial(Cell(BOUNDARY, "no HOME and no DB_URL", phase), misses=wrong(ran, (0, 2, 8), ""))
    for path in shelf.folder.glob("tigertag*"):
        path.unlink()
    if not can_mount(shelf):
        yield untried(Cell(BOUNDARY, "state may only be read", phase), "mounting is not allowed")
        return
    for fault, prepare in {"state may only be read": 1, "empty state may only be read": 0}.items():
        names = furnish(shelf, 4)
        with small(shelf.home, "8m"):
            if prepare:
                shelf.scan()
                shelf.put("new.jpg", jpeg_bytes(590, size=(96, 72)))
            subprocess.run(["mount", "-o", "remount,ro", str(shelf.home)], check=True)
            ran = shelf.scan()
            yield Trial(
                Cell(BOUNDARY, fault, phase), misses=wrong(ran, (8,), "read-only|Read-only|written|permission")
            )
            subprocess.run(["mount", "-o", "remount,rw", str(shelf.home)], check=True)
            again = shelf.scan()
            misses = wrong(again, (0,), "") | missed(lost=bare(shelf, names))
            yield Trial(Cell(BOUNDARY, fault, SECOND), misses=misses)


def _long(shelf: Shelf) -> Path:
    """A folder whose name leaves no room for that of a socket."""
    folder = shelf.folder / ("t" * 110)
    folder.mkdir(exist_ok=True)
    return folder


def read_only(shelf: Shelf) -> Iterator[Trial]:
    """Everything may only be read but the state: no temporary folder is to be found."""
    cell = Cell(BOUNDARY, "root may only be read, no temporary folder", "scan")
    if not can_mount(shelf) or shutil.which("unshare") is None:
        yield untried(cell, "mounting is not allowed")
        return
    for with_large in (False, True):
        names = furnish(shelf, 4)
        if with_large:
            shelf.put("large.bmp", saved("BMP", size=(2600, 2200)))
        env = shelf.folder / "read-only.env"
        env.write_text("".join(f"{name}='{value}'\n" for name, value in shelf.settled().items()))
        env.chmod(0o600)
        with small(shelf.home, "8m"):
            script = (
                "mount --make-rprivate / && mount -o remount,bind,ro / && "
                "for each in /tmp /var/tmp /usr/tmp /dev/shm; do "
                'mountpoint -q $each && mount -o remount,bind,ro $each; done; exec "$@"'
            )
            command = [sys.executable, "-m", "tigertag", "--env-file", str(env), "scan", str(shelf.photos)]
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", script, "sh", *command],
                env=shelf.environment() | {"TMPDIR": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
                cwd="/",
                capture_output=True,
                text=True,
                timeout=LIMIT,
            )
            ran = Ran(0, done.returncode, done.stdout, done.stderr, 0)
            lost = None if with_large or ran.code else bare(shelf, names)
            codes, words = ((8,), "temporary|Cannot keep") if with_large else ((0,), "")
            yield Trial(cell, "large photo" if with_large else "", wrong(ran, codes, words) | missed(lost=lost))
        env.unlink()

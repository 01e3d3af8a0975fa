"""What lies in a folder and is no regular file, or not to be read; and what a run touches at all (K5, I16)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture.shelf import NOBODY, Shelf, traced
from tests.torture.trial import Cell, Trial, missed, untried

BOUNDARY = "pictures"
PHASE = "scan of a folder"
_USER = NOBODY if os.getuid() == 0 else 0
_PLAIN = ("--executor", "threads")
"""Of another user, who may not be able to read what a new process of Python starts from."""


def trials(shelf: Shelf, full: bool) -> Iterator[Trial]:
    yield from silent(shelf)
    if full:
        yield from said(shelf)
        yield from unread_folder(shelf)


def _furnish(shelf: Shelf) -> None:
    shelf.clear()
    for number in range(3):
        shelf.put(f"good/{number}.jpg", jpeg_bytes(300 + number, size=(120, 90)))


def _lost(shelf: Shelf) -> str | None:
    answered = shelf.answered()
    bare = [key for key in (f"good/{number}.jpg" for number in range(3)) if answered[key] != 3]
    return f"not tagged: {bare}" if bare else shelf.left()


def silent(shelf: Shelf) -> Iterator[Trial]:
    """Pipes, sockets, devices and links that lead nowhere or out: not opened, and no reason to complain."""
    _furnish(shelf)
    root = shelf.photos
    outside = shelf.folder / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret.jpg").write_bytes(jpeg_bytes(310, size=(120, 90)))
    os.mkfifo(root / "pipe.jpg")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(root / "socket.jpg"))
    links = {
        "loop.jpg": "loop.jpg",
        "device.jpg": "/dev/zero",
        "terminal.jpg": "/dev/tty",
        "nowhere.jpg": "not there.jpg",
        "out.jpg": str(outside / "secret.jpg"),
        "up.jpg": "../outside/secret.jpg",
        "folder.jpg": "good",
        "proc.jpg": "/proc/self/environ",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    (root / "round").mkdir()
    (root / "round" / "again").symlink_to(root)
    ran = shelf.scan(limit=60)
    listening.close()
    answered = shelf.answered()
    for name in ("pipe.jpg", "socket.jpg", *links, "round/again"):
        misses = missed(
            hung=ran.hung,
            exit=None if ran.code == 0 else f"{ran.code} for 0",
            words=f"named: {ran.naming(name)}" if ran.naming(name) else ran.wrong_words(),
            leaked="it was read" if any(key.startswith(name) for key in answered) else None,
            lost=_lost(shelf),
        )
        yield Trial(Cell(BOUNDARY, f"odd file: {name.partition('.')[0]}", PHASE), misses=misses)
    shutil.rmtree(outside)


def said(shelf: Shelf) -> Iterator[Trial]:
    """A sparse file of 2 TB, one that grows while it is read, and one that may not be read."""
    _furnish(shelf)
    sparse = shelf.put("sparse.jpg", b"")
    os.truncate(sparse, 2 << 40)
    growing = shelf.put("growing.jpg", jpeg_bytes(320, size=(120, 90)) + bytes(8 << 20))
    closed = shelf.put("closed.jpg", jpeg_bytes(321, size=(120, 90)))
    closed.chmod(0)
    patterns = {
        "sparse": r"is too large \(over 512 MiB\)",
        "growing": r"changes while it is read|is too large",
        "closed": r"cannot be read \(Permission denied\)",
    }
    with _growing(growing):
        ran = shelf.scan(*_PLAIN, limit=60, user=_USER)
    for name, pattern in patterns.items():
        lines = ran.naming(f"{name}.jpg")
        is_right = len(lines) == 1 and re.search(pattern, lines[0])
        misses = missed(
            hung=ran.hung,
            exit=None if ran.code == 3 else f"{ran.code} for 3",
            words=ran.wrong_words() or (None if is_right else f"{lines}"),
            lost=_lost(shelf),
        )
        yield Trial(Cell(BOUNDARY, f"file: {name}", PHASE), misses=misses)
    closed.chmod(0o644)
    growing.write_bytes(jpeg_bytes(322, size=(120, 90)))
    again = shelf.scan(*_PLAIN, user=_USER)
    well = {name: shelf.answered()[f"{name}.jpg"] == 3 for name in ("growing", "closed")}
    yield Trial(
        Cell(BOUNDARY, "file: growing", "the scan after it"),
        misses=missed(
            exit=None if again.code == 0 else f"{again.code} for 0: {again.err[:200]}",
            lost=None if all(well.values()) else f"still not tagged: {well}",
        ),
    )


@contextmanager
def _growing(path: Path) -> Iterator[None]:
    """Somebody writes to a file all the time."""
    over = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not over.is_set():
                file.write(b"more" * 64)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def unread_folder(shelf: Shelf) -> Iterator[Trial]:
    """A folder that may not be entered, met first or when its photos were known: they are not gone."""
    if os.getuid() != 0:
        yield untried(Cell(BOUNDARY, "folder without permission", PHASE), "only root can become another user")
        return
    for phase, scans in ((PHASE, 0), ("the scan after it", 1)):
        _furnish(shelf)
        for number in range(9):
            shelf.put(f"closed/{number}.jpg", jpeg_bytes(330 + number, size=(120, 90)))
        for _ in range(scans):
            shelf.scan(*_PLAIN, user=NOBODY)
        (shelf.photos / "closed").chmod(0)
        ran = shelf.scan(*_PLAIN, user=NOBODY)
        (shelf.photos / "closed").chmod(0o755)
        again = shelf.scan(*_PLAIN, user=NOBODY)
        bare = [number for number in range(9) if shelf.answered()[f"closed/{number}.jpg"] != 3]
        misses = missed(
            hung=ran.hung,
            exit=None if (ran.code, again.code) == (3, 0) else f"{ran.code}, then {again.code} for 3, then 0",
            words=ran.wrong_words()
            or (
                None
                if "closed could not be read" in ran.err.replace("closed cannot", "closed could not")
                else ran.err[:200]
            ),
            lost=_lost(shelf) or (f"not tagged afterwards: {bare}" if bare else None),
        )
        yield Trial(Cell(BOUNDARY, "folder without permission", phase), misses=misses)


# ── what a run touches ────────────────────────────────────────────────────────────────────────────────────

_CHANGING = re.compile(
    r"^\d+ +(?:open|openat|creat|mkdir|mkdirat|rename|renameat2?|unlink|unlinkat|rmdir|link|linkat|symlink"
    r"|symlinkat|truncate|chmod|fchmodat|chown|fchownat|utimensat|mknod|mknodat)\("
)
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FREE = ("/dev/null", "/dev/tty", "/proc/self/", "/dev/shm/")


def contained(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """Nothing is changed outside the state and the temporary folder, nothing read through links (I16)."""
    cell = Cell(BOUNDARY, "links and odd names, under strace", PHASE)
    if not full:
        return
    if shutil.which("strace") is None:
        yield untried(cell, "strace is not installed")
        return
    _furnish(shelf)
    outside = shelf.folder / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret.jpg").write_bytes(jpeg_bytes(310, size=(120, 90)))
    (shelf.photos / "out.jpg").symlink_to(outside / "secret.jpg")
    (shelf.photos / "album").symlink_to(outside)
    shelf.put("large.bmp", _large())
    shelf.put("bad.webp", b"RIFF\x10\0\0\0WEBPVP8 \4\0\0\0abcd")
    log = shelf.folder / "strace.log"
    ran = traced(shelf, ["-e", "trace=%file"], "scan", str(shelf.photos), log=str(log))
    allowed = tuple(str(folder) for folder in (shelf.home, shelf.tmp))
    changed, read = [], []
    for line in log.read_text(errors="replace").splitlines():
        if re.search(r" = -1 E", line) or "O_PATH" in line:
            continue
        paths = _PATH.findall(line)
        is_open = re.match(r"^\d+ +open(at)?\(", line)
        if is_open and paths and paths[0].startswith(str(outside)):
            read.append(paths[0])
        if _CHANGING.match(line) and (not is_open or _WRITES.search(line)):
            changed += [
                path for path in paths if path.startswith("/") and not path.startswith((*allowed, *_FREE))
            ]
    log.unlink()
    shutil.rmtree(outside)
    yield Trial(
        cell,
        misses=missed(
            leaked=f"read {read[:3]}" if read else f"changed {sorted(set(changed))[:3]}" if changed else None,
            exit=None if ran.code == 3 else f"{ran.code} for 3: {ran.err[:200]}",
            lost=_lost(shelf),
        ),
    )


def _large() -> bytes:
    """So large that it is kept in a temporary file."""
    from tests.torture.zoo_draw import saved

    return saved("BMP", size=(2600, 2200))

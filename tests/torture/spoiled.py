"""Decoders that crash, never end or want too much memory: that photo fails, the others go on (E15, K6, I17)."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture.shelf import Ran, Shelf, session
from tests.torture.trial import Cell, Trial, missed

BOUNDARY = "pictures"
PHASE = "scan of a folder"
_GOOD = 8
_MARKED = (122, 91)
"""The size of the picture that the decoder does not bear."""


def trials(shelf: Shelf, full: bool) -> Iterator[Trial]:
    size = f"{_MARKED[0]}x{_MARKED[1]}"
    twice = {"crash": (r"crashed the program that looked at it \(SIG(SEGV|BUS)\), twice", {"crash": size})}
    twice["endless"] = (r"took too much processor time, twice", {"spin": size, "seconds": "1"})
    for fault, (pattern, how) in twice.items():
        if full or fault == "crash":
            yield _one(shelf, f"decoder: {fault}", pattern, how)
    if full:
        yield _one(shelf, "decoder: memory", r"not enough memory", {"hold": size, "memory": str(64 << 20)})
        yield _once(shelf, size)
        for number in range(4):
            yield _killed_from_outside(shelf, 1 + 2 * number)


def _furnish(shelf: Shelf, *marked: str) -> None:
    shelf.clear()
    for number in range(_GOOD):
        shelf.put(f"good/{number}.jpg", jpeg_bytes(400 + number, size=(120, 90)))
    for number, name in enumerate(marked):
        shelf.put(name, jpeg_bytes(420 + number, size=_MARKED))


def _lost(shelf: Shelf) -> str | None:
    answered = shelf.answered()
    bare = [key for key in (f"good/{number}.jpg" for number in range(_GOOD)) if answered[key] != 3]
    return f"not tagged: {bare}" if bare else shelf.left()


def _one(shelf: Shelf, fault: str, pattern: str, how: dict[str, str]) -> Trial:
    _furnish(shelf, "bad/1.jpg", "bad/2.jpg")
    shelf.spoiled(**how)
    ran = shelf.scan(limit=90)
    lines = [ran.naming(f"bad/{number}.jpg") for number in (1, 2)]
    is_right = all(len(some) == 1 and re.search(pattern, some[0]) for some in lines)
    again = shelf.scan()
    return Trial(
        Cell(BOUNDARY, fault, PHASE),
        misses=missed(
            hung=ran.hung,
            exit=_codes(ran, again),
            words=ran.wrong_words() or (None if is_right else f"{lines}"),
            lost=_lost(shelf),
        ),
        injected=2,
    )


def _codes(ran: Ran, again: Ran) -> str | None:
    found = ran.code, again.code
    return None if found == (3, 0) else f"{found} for (3, 0): {ran.err[-200:]} {again.err[-200:]}"


def _once(shelf: Shelf, size: str) -> Trial:
    """It was not the photo: the second try is good, and nobody is named."""
    _furnish(shelf, "lucky.jpg")
    shelf.spoiled(crash_once=size, mark=str(shelf.folder / "crashed"))
    ran = shelf.scan(limit=90)
    mark = shelf.folder / "crashed"
    struck = mark.exists()
    if struck:
        mark.rmdir()
    return Trial(
        Cell(BOUNDARY, "decoder: crash once", PHASE),
        misses=missed(
            hung=ran.hung,
            exit=None if ran.code == 0 else f"{ran.code} for 0: {ran.err[:200]}",
            words=f"said: {ran.err[:200]}" if ran.err else None,
            lost=_lost(shelf) or (None if shelf.answered()["lucky.jpg"] == 3 else "the photo is not tagged"),
        ),
        injected=int(struck),
    )


def _killed_from_outside(shelf: Shelf, times: int) -> Trial:
    """Workers are shot while they work, as a system short of memory does: at most two photos are named."""
    _furnish(shelf)
    pid, start = shelf.start("scan", str(shelf.photos))
    shot: list[int] = []
    over = threading.Event()

    def shoot() -> None:
        while len(shot) < times and not over.wait(0.01):
            for worker in _workers(pid):
                if worker not in shot and len(shot) < times:
                    os.kill(worker, 9)
                    shot.append(worker)

    hunter = threading.Thread(target=shoot)
    hunter.start()
    ran = shelf.finish(pid, start)
    over.set()
    hunter.join()
    named = [line for line in ran.complaints if "SIGKILL" in line]
    # One that is shot before it is ready says nothing about a photo: the run ends, and the next one goes on.
    code = 4 if "cannot be started" in ran.err else 3 if named else 0
    again = shelf.scan("--retry-failed")
    return Trial(
        Cell(BOUNDARY, "workers killed", PHASE),
        f"{len(shot)} workers",
        missed(
            hung=ran.hung,
            exit=None
            if (ran.code, again.code) == (code, 0)
            else f"{ran.code}, {again.code}: {ran.err[-200:]} {again.err[-200:]}",
            words=ran.wrong_words() or (f"{len(named)} named" if len(named) > len(shot) // 2 else None),
            lost=_lost(shelf),
        ),
        injected=len(shot),
    )


def _workers(pid: int) -> list[int]:
    """The workers of a run: children of the server that forks them, which is a child of the run."""
    parents = {each: _parent(each) for each in session(pid)}
    return [each for each, parent in parents.items() if parents.get(parent) == pid]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0

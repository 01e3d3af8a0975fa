"""Disks that are not there, stutter, are full or read-only (K1, K2, K3, K4, K7, K8)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture import disk_absent, disk_errors, disk_room
from tests.torture.disk_photos import (
    BOUNDARY,
    SECOND,
    bare,
    furnish,
    kept,
    wrong,
)
from tests.torture.shelf import Shelf, shelf
from tests.torture.trial import Cell, Trial, missed
from tests.torture.zoo_draw import saved


def trials(full: bool) -> Iterator[Trial]:
    with shelf() as made:
        yield from disk_absent.trials(made, full)
        yield from disk_errors.trials(made, full)
        yield from disk_room.crowded(made, full)
        yield from killed(made, 6 if full else 1)
        if full:
            yield from changing(made)
            yield from disk_room.homeless(made)
            yield from disk_room.read_only(made)


def changing(shelf: Shelf) -> Iterator[Trial]:
    """A photo is exchanged for another all the time: whatever was tagged, at the end it is what lies there."""
    names = furnish(shelf)
    path = shelf.photos / names[0]
    over = threading.Event()

    def exchange() -> None:
        number = 0
        while not over.is_set():
            number += 1
            new = shelf.folder / "new.jpg"
            new.write_bytes(jpeg_bytes(560 + number % 9, size=(96, 72)))
            new.replace(path)

    thread = threading.Thread(target=exchange)
    thread.start()
    ran = shelf.scan()
    over.set()
    thread.join()
    last = shelf.put(names[0], jpeg_bytes(580, size=(96, 72)))
    again = shelf.scan()
    unlike = _content(shelf, last)
    misses = wrong(ran, (0, 3), "") | wrong(again, (0,), "") | missed(lost=bare(shelf, names) or unlike)
    yield Trial(Cell(BOUNDARY, "a photo is exchanged while it is read", "scan"), misses=misses)


def _content(shelf: Shelf, path: Path) -> str | None:
    """Whether the item's photo is another than the one that lies there."""
    from tigertag.media import open_photo

    with path.open("rb") as file, open_photo(file, path.name) as photo:
        wanted = photo.content_id
    rows = [str(row) for row in kept(shelf)["item"] if f'"{path.relative_to(shelf.photos)}"' in str(row)]
    return None if len(rows) == 1 and wanted in rows[0] else "the item is another photo"


# ── K7: killed ────────────────────────────────────────────────────────────────────────────────────────────


def killed(shelf: Shelf, times: int) -> Iterator[Trial]:
    """Kill -9 while large photos are in temporary files: after the next scan nothing is left of them."""
    large = [saved("BMP", seed=each, size=(2600, 2200)) for each in range(2)]
    for number in range(times):
        names = [*furnish(shelf, 6), "large0.bmp", "large1.bmp"]
        for each, content in enumerate(large):
            shelf.put(f"large{each}.bmp", content)
        pid, start = shelf.start("scan", str(shelf.photos))
        until = time.monotonic() + 30
        while not _spools(pid, shelf.tmp) and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(0.15 * number)
        os.kill(pid, 9)
        shelf.finish(pid, start)
        again = shelf.scan()
        yield Trial(
            Cell(BOUNDARY, "SIGKILL while a large photo is in a temporary file", SECOND),
            f"{150 * number} ms later",
            wrong(again, (0,), "") | missed(lost=bare(shelf, names)),
        )


def _spools(pid: int, tmp: Path) -> bool:
    """Whether a process has a file open in the temporary folder."""
    try:
        links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return True  # it has ended
    # The place of the server that forks workers is not meant.
    return any(link.startswith(f"{tmp}/") and not link.endswith(".run") for link in links)

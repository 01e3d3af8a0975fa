"""The photos of the trials of disks, what must be true of them, and small disks."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture import state
from tests.torture.shelf import ENGINES, Ran, Shelf
from tests.torture.trial import Miss, missed

BOUNDARY = "disk"
PHOTOS = 24
SECOND = "the scan after it"


def furnish(shelf: Shelf, number: int = PHOTOS) -> list[str]:
    shelf.clear()
    return place(shelf, number)


def place(shelf: Shelf, number: int = PHOTOS) -> list[str]:
    """The photos, the same whenever they are put there."""
    names = [f"album/{each}.jpg" for each in range(number)]
    for each, name in enumerate(names):
        shelf.put(name, _PICTURES[each])
        os.utime(shelf.photos / name, (1_600_000_000, 1_600_000_000))
    return names


_PICTURES = [jpeg_bytes(500 + each, size=(96, 72)) for each in range(PHOTOS)]


def bare(shelf: Shelf, names: Sequence[str]) -> str | None:
    """Photos that not all engines have answered, and files that are left."""
    answered = shelf.answered()
    lost = [name for name in names if answered[name] != len(ENGINES)]
    return f"{len(lost)} photos are not tagged: {lost[:3]}" if lost else shelf.left()


def wrong(ran: Ran, codes: Sequence[int], words: str) -> dict[Miss, str]:
    """A code that is none of those, or no line with those words, on standard error where it failed."""
    said = ran.complaints if ran.code else ran.out.splitlines()
    is_said = not words or any(re.search(words, line) for line in said)
    return missed(
        hung=ran.hung,
        exit=None if ran.code in codes else f"{ran.code} for {codes}: {ran.err[:300]}",
        words=ran.wrong_words() or (None if is_said else f"no line like `{words}`: {ran.err[:300]}"),
    )


def kept(shelf: Shelf) -> dict[str, list[object]]:
    """What is known of photos and tags; which disk they lie on is the source's to note."""
    return state.dump(shelf.url)


def mount(path: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=777", "tmpfs", str(path)], check=True)


def unmount(path: Path) -> None:
    subprocess.run(["umount", "-l", str(path)], check=True)


def can_mount(shelf: Shelf) -> bool:
    """Whether small disks can be made here."""
    place = shelf.folder / "mount"
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        return False
    unmount(place)
    return True


@contextmanager
def small(path: Path, size: str) -> Iterator[None]:
    """A disk of that size in the place of a folder."""
    mount(path, f"size={size}")
    try:
        yield
    finally:
        unmount(path)

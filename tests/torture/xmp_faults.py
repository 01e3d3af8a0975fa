"""Sidecars and photos that cannot or must not be written: each is named once, and the others are written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.pictures import xmp
from tests.torture.disk_photos import can_mount, mount, unmount
from tests.torture.shelf import NOBODY, Ran, Shelf, traced
from tests.torture.trial import Cell, Miss, Trial, missed, untried

if TYPE_CHECKING:
    from tests.torture.xmp import Place

_SCAN = ("scan", "PHOTOS", "--executor", "threads")
_OTHERS = ("0.jpg", "1.jpg")
SECOND = "the scan after it"


@dataclass(frozen=True)
class Fault:
    """What is wrong with `2.jpg` or its sidecar, and what a scan says of it."""

    name: str
    make: Callable[[Shelf], object]
    codes: tuple[int, ...]
    words: str
    mend: Callable[[Shelf], object]
    modes: Sequence[str] = ("sidecar", "embedded")
    untouched: tuple[str, ...] = ()
    """Files that must be as they were, byte by byte."""
    user: int = 0


def _sidecar(content: bytes) -> Callable[[Shelf], object]:
    return lambda shelf: shelf.put("2.jpg.xmp", content)


def _two_sidecars(shelf: Shelf) -> None:
    """The full name wins; the other is as it was."""
    shelf.put("2.xmp", xmp(["theirs"]))
    shelf.put("2.jpg.xmp", xmp(["mine"]))


def _nothing(shelf: Shelf) -> None:
    """It stays as it is."""


def _no_sidecar(shelf: Shelf) -> None:
    (shelf.photos / "2.jpg.xmp").unlink()


def _two_links(shelf: Shelf) -> None:
    os.link(shelf.photos / "2.jpg", shelf.folder / "same.jpg")


def _one_link(shelf: Shelf) -> None:
    (shelf.folder / "same.jpg").unlink()


def _closed(shelf: Shelf) -> None:
    """The files are nobody's own, the folder is root's."""
    for path in shelf.photos.iterdir():
        os.chown(path, NOBODY, NOBODY)
    shelf.photos.chmod(0o555)


def _open(shelf: Shelf) -> None:
    shelf.photos.chmod(0o777)


_BOMB = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xmp(["&a;"])
FAULTS = (
    Fault(
        "malformed sidecar",
        _sidecar(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf"),
        (3,),
        r"2\.jpg.*",
        _no_sidecar,
        ("sidecar",),
        ("2.jpg.xmp",),
    ),
    Fault(
        "sidecar with entities", _sidecar(_BOMB), (3,), r"2\.jpg.*", _no_sidecar, ("sidecar",), ("2.jpg.xmp",)
    ),
    Fault("empty sidecar", _sidecar(b""), (0, 3), r"2\.jpg|", _no_sidecar, ("sidecar",)),
    Fault(
        "sidecar is no XML",
        _sidecar(os.urandom(500)),
        (3,),
        r"2\.jpg",
        _no_sidecar,
        ("sidecar",),
        ("2.jpg.xmp",),
    ),
    Fault("two sidecars", _two_sidecars, (0,), "", _nothing, ("sidecar",), ("2.xmp",)),
    # What may not be embedded goes into a sidecar, and is named.
    Fault(
        "photo with two names",
        _two_links,
        (3,),
        r"2\.jpg has 2 hard links.*sidecar",
        _one_link,
        ("embedded",),
        ("2.jpg",),
    ),
    Fault("folder may only be read", _closed, (3,), r"2\.jpg.*read-only", _open, user=NOBODY),
)


def trials(place: Place, full: bool) -> Iterator[Trial]:
    faults = [fault for fault in FAULTS if place.mode in fault.modes]
    for fault in faults if full else faults[:1]:
        if fault.user and os.getuid():
            yield untried(Cell(place.boundary, fault.name, "scan"), "only root can become another user")
            continue
        yield from _one(place, fault)
    if full:
        yield from _no_room(place)
        yield from _stuttering(place)


def _one(place: Place, fault: Fault) -> Iterator[Trial]:
    place.furnish()
    fault.make(place.shelf)
    before = place.files()
    how = {"user": fault.user} if fault.user else {}
    ran = place.run(*_SCAN, **how)
    after = place.files()
    touched = [name for name in fault.untouched if after.get(name) != before[name]]
    named = [line for line in ran.complaints if "2.jpg" in line]
    yield Trial(
        Cell(place.boundary, fault.name, "scan"),
        misses=_wrong(ran, fault.codes, fault.words)
        | missed(
            lost=f"touched {touched}" if touched else _harm(place, fault) or _bare(place, fault),
            words=None if len(named) <= 1 else f"named {len(named)} times: {named[:2]}",
        ),
    )
    fault.mend(place.shelf)
    again = place.run(*_SCAN, "--retry-failed", **how)
    yield Trial(
        Cell(place.boundary, fault.name, SECOND),
        misses=_wrong(again, (0,), "") | missed(lost=place.harm() or untagged(place, (*_OTHERS, "2.jpg"))),
    )


def _harm(place: Place, fault: Fault) -> str | None:
    """What was malformed before is no harm."""
    harm = place.harm()
    return None if harm and "2.jpg.xmp" in harm and "sidecar" in fault.name else harm


def _bare(place: Place, fault: Fault) -> str | None:
    return untagged(place, () if fault.user else _OTHERS)


def untagged(place: Place, names: Sequence[str]) -> str | None:
    """Photos in which, or beside which, no tag of ours stands."""
    files = place.files()
    bare = [name for name in names if b"seen" not in files.get(name, b"") + files.get(f"{name}.xmp", b"")]
    return f"not tagged: {bare}" if bare else None


def _wrong(ran: Ran, codes: Sequence[int], words: str) -> dict[Miss, str]:
    said = not words or ran.code == 0 or any(re.search(words, line) for line in ran.complaints)
    return missed(
        hung=ran.hung,
        exit=None if ran.code in codes else f"{ran.code} for {codes}: {ran.err[:300]}",
        words=ran.wrong_words() or (None if said else f"no line like `{words}`: {ran.err[:300]}"),
    )


def _no_room(place: Place) -> Iterator[Trial]:
    """The disk of the photos is full: every photo is whole, and tagged once there is room (M1, I9)."""
    cell, after = (Cell(place.boundary, "disk of the photos is full", phase) for phase in ("scan", SECOND))
    if not can_mount(place.shelf):
        yield untried(cell, "mounting is not allowed")
        return
    place.furnish()
    aside = place.shelf.folder / "aside"
    place.shelf.photos.rename(aside)
    place.shelf.photos.mkdir()
    mount(place.shelf.photos, "size=256k")
    try:
        shutil.copytree(aside, place.shelf.photos, dirs_exist_ok=True)
        filling = place.shelf.photos / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        ran = place.run(*_SCAN)
        misses = _wrong(ran, (8, 3), "room|full") | missed(lost=place.harm())
        yield Trial(cell, misses=misses)
        filling.unlink()
        subprocess.run(["mount", "-o", "remount,size=8m", str(place.shelf.photos)], check=True)
        again = place.run(*_SCAN)
        lost = place.harm() or untagged(place, (*_OTHERS, "2.jpg"))
        yield Trial(after, misses=_wrong(again, (0,), "") | missed(lost=lost))
    finally:
        unmount(place.shelf.photos)
        shutil.rmtree(aside)


def _stuttering(place: Place) -> Iterator[Trial]:
    """A system call on the file to be written fails, once or always (M1)."""
    if shutil.which("strace") is None:
        yield untried(Cell(place.boundary, "EIO from rename", "scan"), "strace is not installed")
        return
    name = "2.jpg.xmp" if place.mode == "sidecar" else "2.jpg"
    for calls in (
        "rename,renameat,renameat2,link,linkat",
        "openat",
        "fsync",
        "write",
        "fchmod,chmod,fchown,utimensat",
    ):
        for error in ("EIO", "ENOSPC", "EACCES"):
            place.furnish()
            path = place.shelf.photos / name
            fault = f"{error} from {calls.partition(',')[0]}"
            inject = ["-P", str(path), "-P", str(place.shelf.photos)]
            inject = inject[:2] if calls == "openat" else inject
            ran = traced(
                place.shelf,
                [*inject, "-e", f"inject={calls}:error={error}:when=1+"],
                *(str(place.shelf.photos) if each == "PHOTOS" else each for each in _SCAN),
            )
            misses = missed(
                hung=ran.hung,
                exit=None if ran.code in (0, 3, 8) else f"{ran.code} for 0, 3 or 8: {ran.err[:300]}",
                words=ran.wrong_words(),
                lost=place.harm() or (_silent(place, ran)),
            )
            yield Trial(Cell(place.boundary, fault, "scan"), misses=misses)
            again = place.run(*_SCAN, "--retry-failed")
            lost = place.harm() or untagged(place, (*_OTHERS, "2.jpg")) or _stray(place)
            yield Trial(Cell(place.boundary, fault, SECOND), misses=_wrong(again, (0,), "") | missed(lost=lost))


def _silent(place: Place, ran: Ran) -> str | None:
    """0 with something not done."""
    return untagged(place, (*_OTHERS, "2.jpg")) if ran.code == 0 else None


def _stray(place: Place) -> str | None:
    known = {*place.photos, *(f"{name}.xmp" for name in place.photos)}
    found = sorted({path.name for path in place.shelf.photos.iterdir()} - known)
    return f"left beside the photos: {found}" if found else None

"""Photos in archives: what is damaged or does harm is named, the rest is tagged, absence is no deletion."""

from __future__ import annotations

import io
import os
import re
import shutil
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import archives
from tests.archives import KINDS, number, packed, tarred, with_field, zipped
from tests.pictures import jpeg_bytes
from tests.torture.shelf import ENGINES, Ran, Shelf, shelf, traced
from tests.torture.trial import Cell, Miss, Trial, missed, untried

BOUNDARY = "archive"
SECOND = "the scan after it"
_THREADS = ("--executor", "threads")
GOOD = {f"trip/{each}.jpg": jpeg_bytes(720 + each, size=(96, 72)) for each in range(3)}
_BAD = jpeg_bytes(730, size=(96, 72))
_MANY = {f"trip/{each}.jpg": jpeg_bytes(740 + each, size=(64, 48)) for each in range(24)}


def trials(full: bool) -> Iterator[Trial]:
    with shelf() as made:
        for fault in FAULTS if full else FAULTS[-1:]:
            yield from _one(made, fault)
        yield from _killed(made, full)
        if full:
            for kind in KINDS:
                yield from _cut(made, kind)
            yield from _absent(made)
            yield from _stuttering(made)
            yield _exchanged(made)


@dataclass(frozen=True)
class Fault:
    """An archive with the good photos and something bad in it; `words` name that, once."""

    name: str
    content: bytes
    codes: tuple[int, ...]
    words: str
    kind: str = "zip"


def _with(offset: int, value: bytes) -> bytes:
    return with_field(zipped({"bad.jpg": _BAD, **GOOD}), "bad.jpg", offset, value)


def _damaged() -> bytes:
    content = bytearray(zipped({"bad.jpg": _BAD, **GOOD}))
    content[100] ^= 0xFF
    return bytes(content)


def _linked() -> bytes:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        for name, content in GOOD.items():
            archive.writestr(name, content)
    return out.getvalue()


def _twice() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return zipped([("a.jpg", _BAD), ("a.jpg", jpeg_bytes(731)), *GOOD.items()])


def _deep() -> bytes:
    content = _BAD
    for depth in range(6):
        content = zipped({f"{depth}.zip" if depth else "a.jpg": content})
    return zipped({"deep.zip": content, **GOOD})


_OUT = ["../../out.jpg", "/out.jpg", "a/../../out.jpg", "C:\\out.jpg", "..\\out.jpg"]
_NAMES = {name: jpeg_bytes(770 + each, size=(64, 48)) for each, name in enumerate(_OUT)}
FAULTS = (
    Fault("encrypted member", _with(archives.FLAGS, number(1, 2)), (3,), r"bad\.jpg.*is encrypted"),
    Fault("unknown packing", _with(archives.METHOD, number(9, 2)), (3,), r"bad\.jpg.*cannot read"),
    Fault("wrong checksum", _with(archives.CHECKSUM, number(1)), (3,), r"bad\.jpg.*is damaged"),
    Fault("size that is too small", _with(archives.SIZE, number(len(_BAD) - 7)), (3,), r"bad\.jpg.*is damaged"),
    Fault("size that is too large", _with(archives.SIZE, number(len(_BAD) + 7)), (3,), r"bad\.jpg.*ends early"),
    Fault("size of 4 GB", _with(archives.SIZE, number(0xFFFF_FF00)), (3,), r"bad\.jpg.*is not unpacked"),
    Fault("damaged member", _damaged(), (3,), r"bad\.jpg.*is damaged"),
    Fault("bomb", zipped({"bad.bmp": bytes(300 << 20), **GOOD}), (3,), r"bad\.bmp.*is not unpacked"),
    Fault("no picture", zipped({"bad.jpg": b"no picture at all", **GOOD}), (3,), r"bad\.jpg"),
    Fault("archives in archives in archives", _deep(), (3,), r"is not looked into"),
    Fault("damaged archive within", zipped({"in.zip": zipped({"a.jpg": _BAD})[:90], **GOOD}), (3,), r"in\.zip"),
    Fault("link", _linked(), (0,), ""),
    Fault("link in a tar", tarred(GOOD, "", ("link.jpg", "/etc/passwd")), (0,), "", "tar"),
    Fault("one name twice", _twice(), (0,), ""),
    Fault("names that lead out", zipped({**_NAMES, **GOOD}), (0,), ""),
    Fault("names that lead out of a tar", tarred({**_NAMES, **GOOD}), (0,), "", "tar"),
    Fault("names of control characters", zipped({"a\nb\x1b[31m.jpg": b"none", **GOOD}), (3,), r"\.jpg"),
)


def _put(shelf: Shelf, content: bytes, kind: str = "zip") -> Path:
    shelf.clear()
    return shelf.put(f"deep/er/trip.{kind}", content)


def _untagged(shelf: Shelf, names: Sequence[str] = (*GOOD,)) -> str | None:
    """Good photos that not every engine has answered."""
    answered = shelf.answered()
    done = [key for key, count in answered.items() if count == len(ENGINES)]
    bare = [name for name in names if not any(name in key for key in done)]
    return f"not tagged: {bare[:3]}" if bare else shelf.left()


def _escaped(shelf: Shelf) -> str | None:
    """Files that a scan has made outside its own folders."""
    found = [str(path) for path in (*shelf.folder.rglob("out.jpg"), Path("/out.jpg")) if path.exists()]
    return f"written outside: {found}" if found else None


def _wrong(ran: Ran, codes: Sequence[int], words: str) -> dict[Miss, str]:
    named = [line for line in ran.complaints if words and re.search(words, line)]
    return missed(
        hung=ran.hung,
        exit=None if ran.code in codes else f"{ran.code} for {codes}: {ran.err[:300]}",
        words=ran.wrong_words()
        or (f"{len(named)} lines like `{words}`: {ran.err[:300]}" if words and len(named) != 1 else None),
    )


def _one(shelf: Shelf, fault: Fault) -> Iterator[Trial]:
    """Scanned twice: what is bad is named by the first scan, and silent in the second."""
    path = _put(shelf, fault.content, fault.kind)
    for phase, codes, words in (("scan", fault.codes, fault.words), (SECOND, (0,), "")):
        ran = shelf.run("scan", str(path), *_THREADS)
        misses = _wrong(ran, codes, words) | missed(lost=_untagged(shelf), leaked=_escaped(shelf))
        if phase == SECOND and ran.complaints:
            misses |= missed(words=f"said again: {ran.err[:200]}")
        yield Trial(Cell(BOUNDARY, fault.name, phase), misses=misses)


def _cut(shelf: Shelf, kind: str) -> Iterator[Trial]:
    """What stood before the cut is tagged; once the archive is whole, so is the rest."""
    whole = packed(kind, {**GOOD, "noise.bin": os.urandom(200_000), "last.jpg": _BAD})
    path = _put(shelf, whole[: len(whole) * 2 // 3], kind)
    ran = shelf.run("scan", str(path), *_THREADS)
    cell = f"{kind} that is cut"
    lost = _untagged(shelf) if kind in ("tar", "tar.gz") else shelf.left()
    yield Trial(Cell(BOUNDARY, cell, "scan"), misses=_wrong(ran, (3,), "ends early") | missed(lost=lost))
    path.write_bytes(whole)
    again = shelf.run("scan", str(path), *_THREADS)
    lost = _untagged(shelf, (*GOOD, "last.jpg"))
    yield Trial(Cell(BOUNDARY, cell, SECOND), misses=_wrong(again, (0,), "") | missed(lost=lost))


def _killed(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """Kill -9 at every step: the next scan does the rest, and asks nothing twice."""
    content, log = zipped(GOOD), shelf.folder / "moments"
    path = _put(shelf, content)
    ran = shelf.run("scan", str(path), *_THREADS, moment=str(log))
    assert ran.code == 0, ran.err
    last = len(log.read_text().splitlines())
    for moment in range(1, last + 1) if full else (last // 2,):
        path = _put(shelf, content)
        ran = shelf.run("scan", str(path), *_THREADS, kill_at=moment, moment=str(log))
        if ran.code != -9:
            continue
        again = shelf.run("scan", str(path), *_THREADS)
        once_more = shelf.run("scan", str(path), *_THREADS)
        said = None if "Nothing to do" in once_more.out else f"still to do: {once_more.out[-200:]}"
        lost = _untagged(shelf) or said
        misses = _wrong(again, (0,), "") | missed(lost=lost)
        fault = f"SIGKILL {log.read_text().strip()}"
        yield Trial(Cell(BOUNDARY, fault, "scan"), f"moment {moment}", misses)


def _absent(shelf: Shelf) -> Iterator[Trial]:
    """An archive that is gone, empty or halved takes nothing with it (I12)."""
    few = dict(list(_MANY.items())[:5])
    for fault, content, codes, words in (
        ("archive missing", None, (2, 5), r"trip\.zip"),
        ("archive empty", zipped({}), (9,), r"lists 0 photos where 24 were known. Nothing was removed"),
        ("archive halved", zipped(few), (9,), r"lists 5 photos where 24 were known. Nothing was removed"),
        ("archive of 0 bytes", b"", (3, 5, 9), r"trip\.zip|Nothing was removed"),
    ):
        path = _put(shelf, zipped(_MANY))
        shelf.run("scan", str(path), *_THREADS)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        ran = shelf.run("scan", str(path), *_THREADS)
        said = any(re.search(words, line) for line in ran.complaints)
        misses = missed(
            hung=ran.hung,
            exit=None if ran.code in codes else f"{ran.code} for {codes}: {ran.err[:300]}",
            words=ran.wrong_words() or (None if said else f"no line like `{words}`: {ran.err[:300]}"),
            lost=_untagged(shelf, [*_MANY]),
        )
        yield Trial(Cell(BOUNDARY, fault, "a later scan"), misses=misses)
        path.write_bytes(zipped(_MANY))
        again = shelf.run("scan", str(path), *_THREADS)
        idle = None if "Nothing to do" in again.out else f"asked again: {again.out[-200:]}"
        misses = _wrong(again, (0,), "") | missed(lost=_untagged(shelf, [*_MANY]), billed=idle)
        yield Trial(Cell(BOUNDARY, fault, SECOND), misses=misses)


def _stuttering(shelf: Shelf) -> Iterator[Trial]:
    """A system call on the archive fails (K2)."""
    if shutil.which("strace") is None:
        yield untried(Cell(BOUNDARY, "EIO from read", "scan"), "strace is not installed")
        return
    for calls, error, when in (
        ("read,pread64", "EIO", "1"),
        ("read,pread64", "EIO", "1+"),
        ("read,pread64", "EIO", "3+"),
        ("read,pread64", "ESTALE", "1+"),
        ("openat", "EIO", "1+"),
        ("openat", "EACCES", "1+"),
        ("openat", "ENOENT", "2+"),
    ):
        path = _put(shelf, zipped(GOOD))
        fault = f"{error} from {calls.partition(',')[0]}, {when}"
        inject = ["-P", str(path), "-e", f"inject={calls}:error={error}:when={when}"]
        ran = traced(shelf, inject, "scan", str(path), *_THREADS)
        codes = (0, 3, 5) if when != "1+" else (3, 5)
        silent = _untagged(shelf) if ran.code == 0 else None
        yield Trial(Cell(BOUNDARY, fault, "scan"), misses=_wrong(ran, codes, "") | missed(lost=silent))
        again = shelf.run("scan", str(path), *_THREADS, "--retry-failed")
        yield Trial(
            Cell(BOUNDARY, fault, SECOND), misses=_wrong(again, (0,), "") | missed(lost=_untagged(shelf))
        )


def _exchanged(shelf: Shelf) -> Trial:
    """Another archive of that name between two scans: what is in it now is tagged, nothing is mixed up."""
    path = _put(shelf, zipped(GOOD))
    shelf.run("scan", str(path), *_THREADS)
    new = {name: jpeg_bytes(780 + each, size=(96, 72)) for each, name in enumerate(GOOD)}
    path.write_bytes(zipped(new))
    ran = shelf.run("scan", str(path), *_THREADS)
    again = shelf.run("scan", str(path), *_THREADS)
    idle = None if "Nothing to do" in again.out else f"still to do: {again.out[-200:]}"
    misses = _wrong(ran, (0,), "") | missed(lost=_untagged(shelf) or idle)
    return Trial(Cell(BOUNDARY, "another archive of that name", "a later scan"), misses=misses)

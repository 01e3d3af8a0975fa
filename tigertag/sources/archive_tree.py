"""An archive with the archives that lie in it: what photos they hold, and the way to each of them."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from tigertag.media import is_picture
from tigertag.media.anatomy import Unfit
from tigertag.media.names import is_hidden, key_of, kind_of, matches, path_of, printable, taken_as
from tigertag.media.sidecars import ENDINGS
from tigertag.media.spool import Spool, spool
from tigertag.sources.archive_beside import Places, Way
from tigertag.sources.archive_limits import MOST_DEPTH, MOST_NESTED, Broken, Budget
from tigertag.sources.archive_reading import HEAD, Archive, Member, Reopen, spelled
from tigertag.sources.archive_tar import TarArchive, is_tar
from tigertag.sources.archive_unpack import COMPRESSIONS
from tigertag.sources.archive_zip import STARTS, ZipArchive

_KEPT = 8
"""Archives within that stay open, unpacked, between two photos."""


def open_archive(reopen: Reopen) -> Archive:
    """What a file holds, by its first bytes. Raises Broken, OSError."""
    with reopen() as file:
        head = file.read(HEAD + 1)
    if not head:
        raise Broken("is empty")
    if head.startswith(STARTS):
        return ZipArchive(reopen)
    for mark in COMPRESSIONS:
        if head.startswith(mark):
            return TarArchive(reopen, mark)
    if is_tar(head):
        return TarArchive(reopen)
    raise Broken("is no zip or tar file")


def key_of_way(way: Way) -> str:
    """Number and name of each member, joined by `!`: `0:inner.zip!0:Summer/a.jpg`."""
    return "!".join(f"{number}:{key_of(name).replace('!', _MARK)}" for name, number in way)


def way_of(key: str) -> Way:
    """The way that `key_of_way` made this key of. Raises ValueError for any other text."""
    pieces = [piece.partition(":") for piece in key.split("!")]
    return tuple((path_of(name), int(number)) for number, _, name in pieces)


_MARK = "\\x21"


def shown(way: Way) -> str:
    """For people: without the dots and slashes that tools put at the front of a name."""
    pieces = []
    for name, number in way:
        parts = [part for part in spelled(name).split("/") if part not in ("", ".")]
        pieces.append(printable("/".join(parts)) + (f" ({number + 1})" if number else ""))
    return "/".join(pieces)


@dataclass(frozen=True, slots=True)
class Found:
    """A photo in an archive; or an archive that cannot be read on, with the reason."""

    way: Way
    member: Member
    stamp: str
    trouble: str = ""


@dataclass(slots=True)
class _Inner:
    """An archive within, unpacked."""

    archive: Archive
    kept: Spool
    users: int = 0

    def close(self) -> None:
        self.archive.close()
        self.kept.close()


@dataclass(slots=True)
class Tree:
    """One outermost archive. `open` is safe to use from several threads."""

    reopen: Reopen
    stamp: str
    """Of the archive as a file; part of a photo's stamp where the archive has no checksums."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    videos: bool = False
    """Whether videos count as photos."""
    skipped: Counter[str] = field(default_factory=Counter)
    places: Places = field(default_factory=Places)
    """What was met in listing, for the sidecars."""
    _archive: Archive | None = None
    _inner: dict[Way, _Inner] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # ── listing ───────────────────────────────────────────────────────────────────────────────────────────

    def photos(self) -> Iterator[Found]:
        """In the archive's order. Where an archive cannot be read on, it comes itself, with its trouble.

        Raises OSError where the file cannot be opened.
        """
        budget = Budget()
        with self.reopen() as file:
            budget.packed = file.seek(0, io.SEEK_END)
        yield from self._photos((), self._outermost, self.stamp, budget)

    def _photos(self, way: Way, opened: Callable[[], Archive], stamp: str, budget: Budget) -> Iterator[Found]:
        try:
            archive = opened()
            for member in archive.members():
                budget.take_member()
                mark = member.mark if archive.has_checksums else f"{member.mark}:{stamp}"
                yield from self._taken((*way, (member.name, member.number)), member, mark, budget)
        except Broken as error:
            yield Found(way, Member("", 0, 0, ""), stamp, str(error))

    def _taken(self, way: Way, member: Member, stamp: str, budget: Budget) -> Iterator[Found]:
        """The photos that a member is, or holds."""
        parts = member.name.replace("\\", "/").split("/")  # some tools write the names of Windows
        if any(is_hidden(part) for part in parts if part not in ("", ".", "..")):
            return
        kind = taken_as(kind_of(member.name), member.size, videos=self.videos)
        if not member.is_link and (kind == "picture" or member.name.endswith(ENDINGS)):
            self.places.add(way, stamp)
        if member.is_link:
            self.skipped["links"] += 1
        elif kind == "archives":
            yield from self._within(way, member, stamp, budget)
        elif kind not in (None, "picture") or (kind is None and not is_picture(member.head)):
            self.skipped.update([kind or "other files"] if kind != "" else [])
        elif self._is_excluded(shown(way)):
            self.skipped["excluded"] += 1
        else:
            if len(way) > 1 and not member.trouble:  # the outermost has seen to its own
                budget.take_photo(member.size)
            yield Found(way, member, stamp, member.trouble)

    def _is_excluded(self, path: str) -> bool:
        return matches(path, self.exclude) or bool(self.include and not matches(path, self.include))

    def _within(self, way: Way, member: Member, stamp: str, budget: Budget) -> Iterator[Found]:
        if len(way) >= MOST_DEPTH:
            yield Found(way, member, stamp, f"is not looked into: it lies in {len(way)} others")
            return
        budget.take_nested(member.size)
        with self._use(way) as opened:
            yield from self._photos(way, opened, stamp, budget)

    # ── opening ───────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def open(self, way: Way) -> Iterator[BinaryIO]:
        """The bytes of a photo. Raises KeyError where it is not there, Broken, OSError."""
        with self._use(way[:-1]) as opened, opened().open(*way[-1]) as file:
            yield file

    def _outermost(self) -> Archive:
        with self._lock:
            if self._archive is None:
                self._archive = open_archive(self.reopen)
            return self._archive

    @contextmanager
    def _use(self, way: Way) -> Iterator[Callable[[], Archive]]:
        """Gives what opens an archive within, or the outermost; what was opened stays so while it is used."""
        if not way:
            yield self._outermost
            return
        taken: list[_Inner] = []

        def opened() -> Archive:
            taken.append(self._take(way))
            return taken[-1].archive

        try:
            yield opened
        finally:
            with self._lock:
                for each in taken:
                    each.users -= 1
                self._tidy()

    def _take(self, way: Way) -> _Inner:
        with self._lock:
            if way not in self._inner:
                self._inner[way] = self._unpack(way)
            self._inner[way].users += 1
            return self._inner[way]

    def _unpack(self, way: Way) -> _Inner:
        """Raises Broken."""
        with self._use(way[:-1]) as opened, opened().open(*way[-1]) as file:
            try:
                kept = spool(file, MOST_NESTED)
            except Unfit as error:
                raise Broken(str(error)) from error
        try:
            return _Inner(open_archive(kept.open), kept)
        except BaseException:
            kept.close()
            raise

    def _tidy(self) -> None:
        idle = [way for way, each in self._inner.items() if not each.users]
        for way in idle[: max(0, len(self._inner) - _KEPT)]:
            self._inner.pop(way).close()

    def close(self) -> None:
        """Twice is once."""
        with self._lock:
            for each in self._inner.values():
                each.close()
            self._inner.clear()
            if self._archive is not None:
                self._archive.close()
                self._archive = None

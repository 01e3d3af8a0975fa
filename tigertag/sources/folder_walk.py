"""Walking a folder: every regular file once, whatever loops and oddities lie in it."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from tigertag.errors import TransientError
from tigertag.media import is_picture
from tigertag.media.names import is_hidden, kind_of, matches, printable, taken_as
from tigertag.media.sidecars import ENDINGS, Neighbours

log = logging.getLogger(__name__)

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Found(NamedTuple):
    """A picture: its path below the root, as the system spells it, and what the system knows of it."""

    path: str
    status: os.stat_result
    sidecar: str | None = None
    """Its name."""
    beside: os.stat_result | None = None
    """What the system knows of the sidecar."""


class Opened(NamedTuple):
    """A folder: its path below the root, what lies in it, and the number of its device."""

    path: str
    folders: Sequence[str]
    """By name."""
    files: Sequence[os.DirEntry[str]]
    """All that is no folder."""
    device: int

    def path_of(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name

    def look(self, *, has_inodes: bool) -> str | None:
        """What the files look like, all that photos' stamps are made of included, in hex.

        None where it cannot be told, because a link leads elsewhere. For most folders of most listings this is
        all that is done, and each call in here is one for each photo.
        """
        parts = []
        try:
            for entry in self.files:
                status = entry.stat(follow_symlinks=False)
                mode = status.st_mode
                if stat.S_ISLNK(mode):
                    return None
                inode = status.st_ino if has_inodes else 0
                parts.append(f"{entry.name}/{status.st_size}/{status.st_mtime_ns}/{inode}/{mode}")
                if not mode & 0o004:
                    parts.append(str(os.access(entry.path, os.R_OK)))
        except OSError:  # it went while we looked
            return None
        return blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Beside:
    """The sidecars of a folder."""

    names: Neighbours
    entries: Mapping[str, os.DirEntry[str]]
    path_of: Callable[[str], str]

    @classmethod
    def of(cls, folder: Opened) -> _Beside:
        entries = {entry.name: entry for entry in folder.files if entry.name.endswith(ENDINGS)}
        names = (entry.name for entry in folder.files) if entries else ()
        return cls(Neighbours.of(names), entries, folder.path_of)


@dataclass(slots=True)
class Walk:
    """One walk below `root`. Follows no links to folders; `.nomedia` hides a folder, but not the root."""

    root: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    videos: bool = False
    """Whether videos count as pictures."""
    skipped: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    """Folders that could not be read."""
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def pictures(self) -> Iterator[Found]:
        """In the order of their names, a folder's before those of its subfolders. Raises as `folders`."""
        for folder in self.folders():
            yield from self.pictures_in(folder)

    def folders(self) -> Iterator[Opened]:
        """In the order of their names, each before its subfolders.

        Raises TransientError at the end where a folder could not be read, OSError where the root cannot.
        """
        waiting = [""]
        while waiting:
            path = waiting.pop()
            folder = self._opened(path)
            if folder is None:
                continue
            below = [folder.path_of(each) for each in folder.folders if not is_hidden(each)]
            yield folder
            waiting.extend(sorted((each for each in below if not matches(each, self.exclude)), reverse=True))
        if self.unread:
            first = f"{self.root}/{printable(self.unread[0])}"
            rest = f" and {len(self.unread) - 1} more" if len(self.unread) > 1 else ""
            raise TransientError(
                f"{first}{rest} could not be read, so what lies in there is unknown. Check its permissions."
            )

    def pictures_in(self, folder: Opened) -> Iterator[Found]:
        """In the order of their names, each with its sidecar."""
        beside = _Beside.of(folder)
        for entry in sorted(folder.files, key=attrgetter("name")):
            if not is_hidden(entry.name) and (found := self._picture(folder.path_of(entry.name), entry)):
                yield self._with_sidecar(found, entry.name, beside) if beside.entries else found

    def only(self, name: str) -> Found:
        """The picture of this name right below the root. Raises OSError."""
        with os.scandir(self.root) as listing:
            folder = Opened("", (), [entry for entry in listing if not _is_folder(entry)], 0)
        return self._with_sidecar(Found(name, (self.root / name).stat()), name, _Beside.of(folder))

    def _with_sidecar(self, found: Found, photo: str, beside: _Beside) -> Found:
        name = beside.names.sidecar_of(photo)
        status = None if name is None else self._status(beside.path_of(name), beside.entries[name])
        if status is None or not stat.S_ISREG(status.st_mode):
            return found
        return found._replace(sidecar=name, beside=status)

    def _opened(self, path: str) -> Opened | None:
        folders: list[str] = []
        files: list[os.DirEntry[str]] = []
        try:
            with os.scandir(self.root / path) as listing:
                for entry in listing:
                    if _is_folder(entry):
                        folders.append(entry.name)
                    else:
                        files.append(entry)
                status = (self.root / path).stat()
            is_closed = bool(path) and (self.root / path / ".nomedia").exists()
        except OSError as error:
            if not path:
                raise
            self._unreadable(path, error)
            return None
        place = status.st_dev, status.st_ino
        if place in self._seen or is_closed:
            return None
        self._seen.add(place)
        return Opened(path, folders, files, status.st_dev)

    def _unreadable(self, folder: str, error: OSError) -> None:
        if isinstance(error, FileNotFoundError) or folder in self.unread:
            return  # it went while we walked, or is named already
        self.unread.append(folder)
        log.warning("%s/%s cannot be read (%s)", self.root, printable(folder), error.strerror)

    def _picture(self, path: str, entry: os.DirEntry[str]) -> Found | None:
        kind = kind_of(entry.name)
        if kind is not None and kind != "picture" and not (kind == "videos" and self.videos):
            self._skip(kind)
            return None
        if (self.exclude or self.include) and self._is_left_out(path):
            self._skip("excluded")
            return None
        status = self._status(path, entry)
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        if kind is None and not self._looks_like_one(path):
            self._skip("other files")
            return None
        taken = taken_as(kind, status.st_size, videos=self.videos)
        if taken not in (None, "picture"):
            self._skip(taken or "")
            return None
        return Found(path, status)

    def _is_left_out(self, path: str) -> bool:
        return matches(path, self.exclude) or bool(self.include and not matches(path, self.include))

    def _skip(self, kind: str) -> None:
        if kind:
            self.skipped[kind] += 1

    def _status(self, path: str, entry: os.DirEntry[str]) -> os.stat_result | None:
        """None for a link that leads to a folder, to nothing, or out of the root."""
        try:
            if not entry.is_symlink():
                return entry.stat(follow_symlinks=False)
            target = (self.root / path).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.ELOOP:
                self._unreadable(path.rpartition("/")[0], error)
            return None
        if stat.S_ISREG(target.st_mode) and is_below(self.root, self.root / path):
            return target
        self.skipped["links"] += 1
        return None

    def _looks_like_one(self, path: str) -> bool:
        """For a name that does not say what it is."""
        try:
            descriptor = open_regular(self.root, self.root / path)
            if descriptor is None:
                return False
            with os.fdopen(descriptor, "rb") as file:
                return is_picture(file.read(512))
        except OSError as error:
            log.debug("%s is not looked at (%s)", printable(path), error.strerror)
            return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # the file system gives no types and the entry went meanwhile
        return False


def is_below(root: Path, path: Path) -> bool:
    """Whether `path`, with all links resolved, lies below `root`, which is resolved; or is the root."""
    real = os.path.realpath(path)
    return real == str(root) or real.startswith(str(root).rstrip("/") + "/")


def open_regular(root: Path, path: Path) -> int | None:
    """A descriptor of a regular file below `root`; None where it is something else. Never blocks.

    Raises OSError.
    """
    if not is_below(root, path) or not stat.S_ISREG(path.stat().st_mode):
        return None
    # Looked at again once it is open: it may have been exchanged for a pipe in between.
    descriptor = os.open(os.path.realpath(path), _FLAGS | getattr(os, "O_NOFOLLOW", 0))
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None

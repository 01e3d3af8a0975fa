"""Walking a folder: every regular file once, whatever loops and oddities lie in it."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tigertag.errors import TransientError
from tigertag.media import is_picture
from tigertag.sources.folder_names import is_hidden, kind_of, matches, printable

log = logging.getLogger(__name__)

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


@dataclass(frozen=True, slots=True)
class Found:
    """A picture: its path below the root, as the system spells it, and what the system knows of it."""

    path: str
    status: os.stat_result


@dataclass(slots=True)
class Walk:
    """One walk below `root`. Follows no links to folders; `.nomedia` hides a folder, but not the root."""

    root: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    """Folders that could not be read."""
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def pictures(self) -> Iterator[Found]:
        """In the order of their names, those of a folder before those of its subfolders.

        Raises TransientError at the end where a folder could not be read, OSError where the root cannot.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            below: list[str] = []
            for entry in self._entries(folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if self._is_folder(entry):
                    below += [path] if not matches(path, self.exclude) else []
                elif found := self._picture(path, entry):
                    yield found
            waiting.extend(reversed(below))
        if self.unread:
            first = f"{self.root}/{printable(self.unread[0])}"
            rest = f" and {len(self.unread) - 1} more" if len(self.unread) > 1 else ""
            raise TransientError(
                f"{first}{rest} could not be read, so what lies in there is unknown. Check its permissions."
            )

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
                status = (self.root / folder).stat()
        except OSError as error:
            if not folder:
                raise
            self._unreadable(folder, error)
            return []
        place = status.st_dev, status.st_ino
        if place in self._seen or (folder and any(entry.name == ".nomedia" for entry in entries)):
            return []
        self._seen.add(place)
        return [entry for entry in entries if not is_hidden(entry.name)]

    def _unreadable(self, folder: str, error: OSError) -> None:
        if isinstance(error, FileNotFoundError) or folder in self.unread:
            return  # it went while we walked, or is named already
        self.unread.append(folder)
        log.warning("%s/%s cannot be read (%s)", self.root, printable(folder), error.strerror)

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir(follow_symlinks=False)
        except OSError:  # the file system gives no types and the entry went meanwhile
            return False

    def _picture(self, path: str, entry: os.DirEntry[str]) -> Found | None:
        kind = kind_of(entry.name)
        if kind is not None and kind != "picture":
            self._skip(kind)
            return None
        if matches(path, self.exclude) or (self.include and not matches(path, self.include)):
            self._skip("excluded")
            return None
        status = self._status(path, entry)
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        if kind is None and not self._looks_like_one(path):
            self._skip("other files")
            return None
        return Found(path, status)

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

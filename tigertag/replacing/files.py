"""Putting a new file in the place of an old one, in one step."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tigertag.errors import DiskError, PhotoError, TransientError
from tigertag.replacing.drafts import a_name
from tigertag.replacing.rights import NotKept, dress, is_writable

Step = Callable[[Path], None]
"""Makes the file that a path names, or looks at it and raises."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_SUCH_THING = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def holding(data: bytes) -> Step:
    """A step that makes a file of these bytes, readable by its owner alone until it is done."""

    def write(path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)

    return write


def unchecked(path: Path) -> None:
    """A check that finds nothing wrong."""


def untold(sha256: str) -> None:
    """Nobody needs to know beforehand."""


def replace(
    path: Path,
    write: Step,
    verify: Step = unchecked,
    *,
    was: str = "",
    name: str = "",
    announce: Callable[[str], None] = untold,
    keep_times: bool = True,
    keep_owner: bool = True,
) -> str:
    """Puts the file that `write` makes in the place of `path`, and gives its SHA-256, hex.

    `write` is given a path in the same folder where nothing is yet; `verify` looks at the result and raises
    where it is no good. `was` is the SHA-256 of the bytes that the new ones were made from. Mode, owner, access
    lists and extended attributes stay, and the time of the last change unless `keep_times` is off. A link stays
    a link: the file that it names is replaced. `name` is what a person calls the file. `announce` is told the
    SHA-256 that the file will have, when all is ready and nothing has happened yet.

    Whatever is raised, the file is as it was, but for a TransientError that says otherwise: where the disk does
    not confirm the new name. Raises PhotoError where the file is read-only, has hard links, or
    its owner cannot be kept (unless `keep_owner` is off), TransientError where it changed meanwhile, DiskError
    where there is no room. What `write` and `verify` raise goes through.
    """
    name = name or str(path)
    with _told(name):
        real = path.resolve(strict=True)
        before = _look(real)
        _refuse(name, real, before)
        if was and before.sha256 != was:
            raise _changed(name)
        with _draft(real.parent) as draft:
            write(draft)
            verify(draft)
            made = _sha256(draft)
            dress(draft, real, before.status, keep_times=keep_times, keep_owner=keep_owner)
            _sync(draft)
            announce(made)
            if _look(real) != before:
                raise _changed(name)
            draft.replace(real)
        _confirm(real.parent, name)
    return made


def create(path: Path, write: Step, verify: Step = unchecked, *, like: Path, name: str = "") -> str:
    """Makes a file that is not there yet, and gives its SHA-256, hex; the same care as `replace`.

    It can be read and written by whom `like` can be, and belongs to the same owner where this user may say so.
    Raises TransientError where there is such a file by now.
    """
    name = name or str(path)
    with _told(name):
        folder = path.parent.resolve(strict=True)
        if not is_writable(folder):
            raise PhotoError(f"{name} cannot be made: its folder is read-only")
        with _draft(folder) as draft:
            write(draft)
            verify(draft)
            made = _sha256(draft)
            _belong(draft, like.stat())
            _sync(draft)
            _put(draft, folder / path.name, name)
        _confirm(folder, name)
    return made


def remove(path: Path, *, was: str, name: str = "") -> None:
    """Removes a file whose SHA-256 is `was`. Raises as `replace` does."""
    name = name or str(path)
    with _told(name):
        real = path.resolve(strict=True)
        before = _look(real)
        _refuse(name, real, before)
        if before.sha256 != was:
            raise _changed(name)
        real.unlink()
        _confirm(real.parent, name)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file at one moment. Equal where nobody has touched it in between."""

    status: os.stat_result
    sha256: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and self._marks() == other._marks()

    def __hash__(self) -> int:
        return hash(self._marks())

    def _marks(self) -> tuple[object, ...]:
        now = self.status
        # Not the time of access, which our own reading moves.
        place = (now.st_dev, now.st_ino, now.st_nlink, now.st_size, now.st_mtime_ns)
        return (*place, now.st_mode, now.st_uid, now.st_gid, self.sha256)


def _look(path: Path) -> _Seen:
    status = path.lstat()
    return _Seen(status, _sha256(path) if stat.S_ISREG(status.st_mode) else "")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(name: str, real: Path, seen: _Seen) -> None:
    if not stat.S_ISREG(seen.status.st_mode):
        raise PhotoError(f"{name} is no file that can be replaced")
    if not is_writable(real):
        raise PhotoError(f"{name} is read-only and stays as it is")
    if not is_writable(real.parent):
        raise PhotoError(f"{name} lies in a read-only folder and stays as it is")
    if seen.status.st_nlink > 1:
        raise PhotoError(
            f"{name} has {seen.status.st_nlink} hard links, of which one would be cut off; it stays as it is"
        )


def _changed(name: str) -> TransientError:
    return TransientError(f"{name} was changed by another program meanwhile; it is left for the next run")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What the system says, as one of our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise TransientError(f"{name} is not there any more") from error
    except NotKept as error:
        raise PhotoError(f"Refused to write {name}: {error}") from error
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _NO_ROOM:
            raise DiskError(f"No room left to write {name} ({why}). Nothing was changed.") from error
        if error.errno == errno.EROFS:
            raise PhotoError(f"{name} lies on a disk that is read-only ({why})") from error
        if isinstance(error, PermissionError):
            raise PhotoError(f"{name} is read-only or protected ({why}) and stays as it is") from error
        raise TransientError(f"{name} cannot be written ({why})") from error


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A path for the new file. Whatever lies there in the end is removed."""
    draft = folder / a_name(secrets.token_hex(8))
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _belong(draft: Path, like: os.stat_result) -> None:
    now = draft.stat()
    if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid) and hasattr(os, "chown"):
        with suppress(PermissionError):  # a file that is new has no owner to keep
            os.chown(draft, like.st_uid, like.st_gid)
    draft.chmod(stat.S_IMODE(like.st_mode) & 0o666 | 0o600)


def _put(draft: Path, path: Path, name: str) -> None:
    """Gives the draft its name unless there is such a file."""
    taken = TransientError(f"{name} was made by another program meanwhile; it is left for the next run")
    try:
        path.hardlink_to(draft)
    except FileExistsError as error:
        raise taken from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        draft.unlink()
        return
    # A file system without links: the best that there is.
    if path.exists() or path.is_symlink():
        raise taken
    draft.rename(path)


def _sync(path: Path) -> None:
    with path.open("rb+" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())


def _confirm(folder: Path, name: str) -> None:
    """Forces the new name to the disk. Raises TransientError: by then the file is the new one."""
    try:
        _sync_folder(folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise TransientError(
            f"{name} is written, but the disk does not confirm it ({why}); the next run looks again"
        ) from error


def _sync_folder(folder: Path) -> None:
    """So that the new name outlives a power cut."""
    if os.name == "nt":  # which cannot open a folder, and keeps names in order by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SUCH_THING:  # some network file systems have none for folders
            raise
    finally:
        os.close(descriptor)

"""The file of a SQLite database: made whole or not at all, tried before it is used, copied, put to rest."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import stat
import time
import uuid
from contextlib import closing, suppress
from datetime import datetime
from glob import escape
from pathlib import Path

from tigertag.errors import ConfigError, DiskError, StoreError
from tigertag.store.address import Address
from tigertag.store.faults import broken, translated

log = logging.getLogger(__name__)

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction (D3)."""

# "TgTg": tells `file`, and a curious person, whose database it is (sqlite.org/pragma.html).
APPLICATION_ID = 0x54675467

# No creation takes so long.
_CREATION_SECONDS = 600

_NETWORK = re.compile(r"nfs\d*|cifs|smb\w*|9p|afs|ncpfs|fuse\.(sshfs|rclone|smbnetfs|glusterfs|s3fs)")
_MOUNT_ESCAPE = re.compile(r"\\([0-7]{3})")


def uri(path: Path, mode: str) -> str:
    """SQLite's name for the file; `mode` is `ro` or `rw`, neither ever makes it (sqlite.org/uri.html)."""
    return f"{path.as_uri()}?mode={mode}"


def connect(path: Path, mode: str, seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection on which only explicit BEGINs start transactions; usable from any thread, one at a time."""
    return sqlite3.connect(
        uri(path, mode), uri=True, timeout=seconds, isolation_level=None, check_same_thread=False
    )


def is_there(address: Address, path: Path) -> bool:
    """Whether the file exists. Raises StoreError where it is no regular, non-empty file, DiskError for EACCES.

    A file of 0 bytes is what a full disk or a broken copy leaves behind: refused, never filled (D6).
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _no_access(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise broken(address, "it is no regular file")
    if found.st_size == 0:
        raise broken(address, "it is empty, 0 bytes")
    return True


def create(address: Address, path: Path) -> None:
    """Makes an empty database, readable by its owner only, and the folders above it.

    It is made under another name and linked, so that no kill leaves a file that the next start would refuse.
    """
    new = path.with_name(f".{path.name}.new-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise _no_access(path, error) from error
    try:
        with translated(address), closing(connect(new, "rw")) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _into_place(new, path)
    except OSError as error:
        raise _no_access(path, error) from error
    finally:
        new.unlink(missing_ok=True)


def _into_place(new: Path, path: Path) -> None:
    try:
        with suppress(FileExistsError):  # another process made it at the same moment: theirs is as good
            os.link(new, path)
    except OSError:  # a file system without hard links
        if not path.exists():
            new.rename(path)
    _sync(path.parent)


def _sweep(path: Path) -> None:
    """Removes what creations that were killed have left (K7)."""
    for old in path.parent.glob(f".{escape(path.name)}.new-*"):
        pid = old.name.rpartition(".new-")[2].partition("-")[0]
        with suppress(FileNotFoundError):
            is_dead = Path("/proc/self").exists() and not Path(f"/proc/{pid}").exists()
            # In a container every run may have the same pid.
            if is_dead or old.stat().st_mtime < time.time() - _CREATION_SECONDS:
                old.unlink()


def _no_access(path: Path, error: OSError) -> DiskError:
    reason = (error.strerror or str(error)).lower()
    if error.errno == 28:
        return DiskError(f"No room left on the disk of {path} ({reason}). Make room and run it again.")
    return DiskError(
        f"The database {path} cannot be made or opened ({reason}). "
        "Check the permissions of its folder, or set DB_URL to another place."
    )


def recover(address: Address, path: Path) -> None:
    """Rolls back what a kill left half done, where a read-only connection could not (a hot journal)."""
    with translated(address):
        try:
            with closing(connect(path, "ro")) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                raise
            with closing(connect(path, "rw")) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master")


def make_writable(address: Address, path: Path, mounts: str | None = None) -> None:
    """Turns on the write-ahead log and proves that a write is possible, before anything is billed (D7).

    On a network file system, where the log's shared memory does not work (sqlite.org/wal.html), the rollback
    journal stays and a warning is given (D12).
    """
    with suppress(OSError):  # a folder that cannot be written: the database itself may still be
        _sweep(path)
    kind = file_system(path, mounts)
    mode = "DELETE" if _NETWORK.fullmatch(kind) else "WAL"
    if mode == "DELETE":
        log.warning(
            "The database %s lies on a network file system (%s). Only one machine at a time may use it; "
            "a local disk or PostgreSQL is safer.",
            path,
            kind,
        )
    with translated(address), closing(connect(path, "rw", seconds=2)) as connection:
        for statement in (f"PRAGMA journal_mode = {mode}", "BEGIN IMMEDIATE", "ROLLBACK"):
            try:
                connection.execute(statement)
            except sqlite3.OperationalError as error:
                # Busy: another run is at work on it, so it can be written, and the mode is set.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                return


def put_to_rest(path: Path) -> None:
    """After the last connection: one file again, without `-wal` and `-shm`.

    A read-only connection to a database that rests in WAL mode would leave those two behind, and could not be
    had at all in a read-only folder. Where another process is using it, it stays as it is.
    """
    with suppress(sqlite3.Error), closing(connect(path, "rw", seconds=0)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def copy(address: Address, path: Path, label: str, now: datetime) -> Path:
    """A whole copy beside the database, through SQLite's backup API; complete or not there at all.

    The caller holds the run lock: what earlier copies that were killed have left is removed.
    """
    target = path.with_name(f"{path.name}.backup-{label}-{now:%Y%m%dT%H%M%SZ}")
    part = target.with_name(f".{target.name}.part")
    try:
        for old in path.parent.glob(f".{escape(path.name)}.backup-*.part"):
            old.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy_into(address, path, part)
        _sync(part)
        part.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise _no_copy(target, error) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def backup(address: Address, path: Path, target: Path) -> None:
    """A whole, checked copy at `target`, readable by its owner only; complete or not there at all.

    Others may go on writing meanwhile: SQLite's backup API copies one state of it. Raises ConfigError where
    `target` exists, StoreError for a database that is damaged, DiskError.
    """
    part = target.with_name(f".tigertag-{uuid.uuid4().hex}.part")
    try:
        if target.exists():
            raise _exists(target)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy_into(address, path, part)
        found = integrity(address, part)
        if found:
            raise StoreError(
                f"The database {path} is damaged ({found[0]}): no copy was made. Use an older one."
            )
        _sync(part)
        _name(part, target)
        _sync(target.parent)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        raise _no_copy(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def _no_copy(target: Path, error: OSError) -> DiskError:
    reason = (error.strerror or str(error)).lower()
    return DiskError(
        f"The copy {target} cannot be made ({reason}). Nothing was changed: make room or a folder that can be "
        "written there, and run it again."
    )


def _name(part: Path, target: Path) -> None:
    """Gives a file its name, never over a file that came meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise _exists(target) from None
        part.rename(target)


def _exists(target: Path) -> ConfigError:
    return ConfigError(f"{target} is there already; a copy is never written over a file. Give another name")


def _copy_into(address: Address, path: Path, part: Path) -> None:
    with (
        translated(address),
        closing(connect(path, "ro")) as source,
        closing(connect(part, "rw")) as destination,
    ):
        source.backup(destination)
        destination.execute("PRAGMA journal_mode = DELETE")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def integrity(address: Address, path: Path) -> tuple[str, ...]:
    """What SQLite's own check and the foreign keys find wrong; empty for a sound database."""
    with translated(address), closing(connect(path, "ro")) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
        orphans = [
            f"row {row[1]} of {row[0]} points to a missing row of {row[2]}"
            for row in connection.execute("PRAGMA foreign_key_check")
        ]
    return tuple(text for text in found if text != "ok") + tuple(orphans[:20])


def file_system(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that `path` lies on (`ext4`, `nfs4`), empty where nothing tells.

    `mounts` is the text of /proc/self/mountinfo (proc(5)): of the mount points above `path` the longest wins,
    of equal ones the last.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    best, kind = -1, ""
    place = path.resolve()
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if len(before.split()) < 5 or not after:
            continue
        point = Path(_MOUNT_ESCAPE.sub(lambda found: chr(int(found[1], 8)), before.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind

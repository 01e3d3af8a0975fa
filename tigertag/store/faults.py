"""What a database's error means, and the words for it. The one place where drivers' errors become ours.

Codes: SQLite's result codes (sqlite.org/rescode.html), PostgreSQL's SQLSTATE (Appendix A of its manual),
MariaDB's and MySQL's error numbers (their "Error Codes" pages). Constraint and programming errors are no
fault of the database and stay as they are.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from glob import escape
from pathlib import Path

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tigertag.errors import DiskError, StoreError, TigerTagError
from tigertag.store.address import Address


class Fault(StrEnum):
    BUSY = "busy"
    """Deadlock, serialization failure or lock: the same transaction may succeed if run again."""
    AWAY = "away"
    """No answer, or the connection broke."""
    DENIED = "denied"
    FORBIDDEN = "forbidden"
    """Let in, but without the right to do this."""
    FULL = "full"
    READ_ONLY = "read-only"
    BROKEN = "broken"


_SQLITE = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Fault.READ_ONLY,
    sqlite3.SQLITE_PERM: Fault.READ_ONLY,
    sqlite3.SQLITE_NOTADB: Fault.BROKEN,
    sqlite3.SQLITE_CORRUPT: Fault.BROKEN,
    sqlite3.SQLITE_IOERR: Fault.AWAY,
}
_SQLSTATE = {
    "40001": Fault.BUSY,
    "40P01": Fault.BUSY,
    "55P03": Fault.BUSY,
    "53100": Fault.FULL,
    "25006": Fault.READ_ONLY,
    "42501": Fault.FORBIDDEN,
    "3D000": Fault.DENIED,
    "XX001": Fault.BROKEN,
    "XX002": Fault.BROKEN,
}
_SQLSTATE_CLASSES = {"08": Fault.AWAY, "57": Fault.AWAY, "53": Fault.AWAY, "28": Fault.DENIED}
_MARIADB = {
    0: Fault.AWAY,  # pymysql's number for a connection that is already closed
    1020: Fault.BUSY,
    1205: Fault.BUSY,
    1213: Fault.BUSY,
    1021: Fault.FULL,
    1114: Fault.FULL,
    1290: Fault.READ_ONLY,
    1792: Fault.READ_ONLY,
    1836: Fault.READ_ONLY,
    1044: Fault.DENIED,
    1045: Fault.DENIED,
    1049: Fault.DENIED,
    1698: Fault.DENIED,
    1142: Fault.FORBIDDEN,
    1143: Fault.FORBIDDEN,
    1227: Fault.FORBIDDEN,
    1370: Fault.FORBIDDEN,
    1034: Fault.BROKEN,
    1194: Fault.BROKEN,
    1195: Fault.BROKEN,
    1040: Fault.AWAY,
    1053: Fault.AWAY,
    1927: Fault.AWAY,
}

_REFUSED_BY_LIBPQ = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|(database|role) .+ does not exist"
)


def classify(error: BaseException) -> Fault | None:
    """What `error` means; None where it is no fault of the database but of the statement."""
    if isinstance(error, PoolTimeout):
        return Fault.AWAY
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    return _of_server(error)


def _of_sqlite(error: sqlite3.Error) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the shared index of the WAL could not grow
        return Fault.FULL
    # The low byte is the primary code; the rest says more exactly where it came from.
    return None if code is None else _SQLITE.get(code & 0xFF)


def _of_server(error: DBAPIError) -> Fault | None:
    # MariaDB's numbers first: its SQLSTATE, which newer drivers tell as well, is HY000 for nearly everything.
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(number, int):
        if number == 1030 and "28" in str(error.orig):  # "Got error 28 from storage engine": ENOSPC
            return Fault.FULL
        return Fault.AWAY if 2000 <= number < 3000 else _MARIADB.get(number)
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return _SQLSTATE.get(state) or _SQLSTATE_CLASSES.get(state[:2])
    # libpq gives no code for a connection that it could not make, or that broke; only words.
    if _REFUSED_BY_LIBPQ.search(str(error.orig)):
        return Fault.DENIED
    is_connection = isinstance(error, OperationalError | InterfaceError)
    return Fault.AWAY if is_connection or error.connection_invalidated else None


def translate(error: BaseException, address: Address) -> TigerTagError | None:
    """`error` in one line, without a secret; None where it is no fault of the database."""
    fault = classify(error)
    if fault is None:
        return None
    orig = error.orig if isinstance(error, DBAPIError) else error
    if address.is_sqlite:
        return _sqlite_words(fault, address, address.redacted(str(orig)))
    return _server_words(fault, address, address.redacted(_message(orig)))


def _message(error: BaseException | None) -> str:
    """The message without pymysql's number and libpq's question, at most 300 characters."""
    text = str(error.args[-1]) if error is not None and error.args else str(error)
    lines = [line.strip() for line in text.splitlines() if "Is the server running" not in line]
    return " ".join(lines).rstrip(" .")[:300] or "no reason given"


def _sqlite_words(fault: Fault, address: Address, reason: str) -> TigerTagError:
    name = address.name
    match fault:
        case Fault.FULL:
            return DiskError(f"No room left on the disk of {name} ({reason}). Make room and run it again.")
        case Fault.BROKEN:
            return broken(address, reason)
        case Fault.BUSY:
            return StoreError(
                f"The database {name} stays locked by another program ({reason}). "
                "End that program and run this again."
            )
        case Fault.AWAY:
            return StoreError(
                f"The disk of the database {name} does not read or write it ({reason}). "
                "Check the disk and run this again."
            )
        case _:
            return DiskError(
                f"The database {name} cannot be written or opened ({reason}). "
                "Check the permissions of the file and of its folder, or set DB_URL to another place."
            )


def _server_words(fault: Fault, address: Address, reason: str) -> TigerTagError:
    name = address.name
    match fault:
        case Fault.FULL:
            return DiskError(f"No room left on the database {name} ({reason}). Make room and run it again.")
        case Fault.READ_ONLY:
            return DiskError(f"The database {name} cannot be written ({reason}). Check DB_URL.")
        case Fault.DENIED:
            return StoreError(
                f"The database {name} refused access ({reason}). Check user, password and name in DB_URL."
            )
        case Fault.FORBIDDEN:
            return DiskError(
                f"The database {name} does not let its user do this ({reason}). Grant that user all rights on "
                "it, or name another one in DB_URL."
            )
        case Fault.BUSY:
            return StoreError(f"The database {name} stays locked ({reason}). Run it again later.")
        case Fault.BROKEN:
            return StoreError(f"The database {name} is damaged ({reason}). Restore it from a backup.")
        case _:
            return StoreError(f"Cannot reach the database {name} ({reason}). Is it running?")


def broken(address: Address, reason: str) -> StoreError:
    """The file is no database, or a damaged one. It is never written over."""
    backup = newest_backup(address.path) if address.path is not None else None
    advice = (
        f"A backup lies beside it: {backup}."
        if backup is not None
        else "Put a backup in its place, or move it away to start anew."
    )
    return StoreError(
        f"{address.name} is not a database that can be read ({reason}). It was left as it is. {advice}"
    )


def newest_backup(path: Path) -> Path | None:
    """The youngest copy beside `path`: ours (`NAME.backup-…`), or one that is named `.bak`."""
    name, stem = escape(path.name), escape(path.stem)
    patterns = (f"{name}.backup-*", f"{name}.bak*", f"{stem}.bak*")
    try:
        found = {copy for pattern in patterns for copy in path.parent.glob(pattern) if copy != path}
        return max(found, key=lambda copy: copy.stat().st_mtime_ns, default=None)
    except OSError:
        return None


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Errors of the database leave the block as StoreError or DiskError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        ours = translate(error, address)
        if ours is None:
            raise
        raise ours from error

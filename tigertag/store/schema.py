"""The schema's versions: which one a database has, and bringing it to the one this program works with."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, column, false, select, table, text, update

from tigertag.errors import ConfigError, StoreError
from tigertag.store import sqlite_file, versions
from tigertag.store.address import Address
from tigertag.store.database import Database
from tigertag.store.faults import translated
from tigertag.store.lock import RunLock
from tigertag.store.versions import Found, State, head

__all__ = [
    "Upgraded",
    "backup",
    "current",
    "faults",
    "found",
    "head",
    "migrating",
    "require_current",
    "require_writable",
    "upgrade",
]

# Any number will do, as long as no other program on the server takes it; MariaDB's locks have names.
_ADVISORY_LOCK = 0x54675467
_LOCK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What `upgrade` did; `before` is empty for a database without tables."""

    before: str
    after: str
    backup: Path | None
    """The copy of a SQLite file as it was; None where there was nothing to copy, or nothing to do."""


def current(db: Database) -> str:
    """The revision that the database has, empty for none."""
    return found(db).revision


def found(db: Database, scripts: Path | None = None) -> Found:
    """What lies in the database."""
    with db.reading() as session:
        return versions.look(session.connection(), scripts)


def require_current(db: Database) -> None:
    """Goes on only with a schema at head; a database in which nothing is kept yet gets it here.

    Raises StoreError for an older one, naming the command, for a newer one, for one of 2021 and for one of
    another program.
    """
    there = found(db)
    refusal = versions.refusal(there, db.address.name)
    if refusal is not None:
        raise refusal
    is_new = there.state is State.EMPTY or (there.state is State.OLDER and not db.read_only and _is_unused(db))
    if there.state is State.OLDER and not is_new:
        raise StoreError(
            f"The database {db.address.name} was made by an older TigerTag (schema {there.revision}, needed is "
            f"{head()}). Run `tigertag db upgrade`; it makes a copy first."
        )
    if is_new:
        with migrating(db) as connection:
            versions.migrate(connection)


def require_writable(db: Database) -> None:
    """Raises DiskError or StoreError where the database opens and yet takes no writes (D7). Changes nothing.

    A SQLite file has proved it when it was opened to be written.
    """
    if db.address.path is None:
        nothing = update(table("run", column("id"))).where(false()).values(id=column("id"))
        db.transact(lambda session: session.execute(nothing))


def _is_unused(db: Database) -> bool:
    """Whether no run has begun yet: so MariaDB leaves it where the process that set it up was killed."""
    with db.reading() as session:
        return session.scalar(select(column("id")).select_from(table("run")).limit(1)) is None


def upgrade(url: str, scripts: Path | None = None) -> Upgraded:
    """Brings the database at `url` to head, and makes it where there is none.

    A kill leaves it as it was, or half-way where the database cannot roll back tables (MariaDB); the next start
    finishes. Raises LockHeld while a run is under way, StoreError, DiskError.
    """
    with Database.open(url) as db:
        before = found(db, scripts)
        if before.state is State.CURRENT:
            return Upgraded(before.revision, before.revision, None)
        if before.state is State.EMPTY:
            return _upgraded(db, before, None, scripts)
        with RunLock(beats_every=0).acquire(db, "db upgrade"):
            return _upgraded(db, before, _backup(db, before.revision), scripts)


def _upgraded(db: Database, before: Found, backup: Path | None, scripts: Path | None) -> Upgraded:
    with migrating(db) as connection:
        versions.migrate(connection, scripts)
    return Upgraded(before.revision, found(db, scripts).revision, backup)


def _backup(db: Database, revision: str) -> Path | None:
    if db.address.path is None:
        return None
    return sqlite_file.copy(db.address, db.address.path, revision, datetime.now(UTC))


@contextmanager
def migrating(db: Database) -> Iterator[Connection]:
    """A connection in a transaction in which migrations may run, one process at a time."""
    try:
        with translated(db.address), db.engine.connect() as connection:
            if db.dialect == "sqlite":
                _without_foreign_keys(connection)
            elif db.dialect != "postgresql":
                _alone_on_mariadb(connection, db)
            with connection.begin():
                yield from _in_transaction(connection, db)
    finally:
        # The connection has settings that no other transaction should meet: it must not stay in the pool.
        db.engine.dispose()


def _in_transaction(connection: Connection, db: Database) -> Iterator[Connection]:
    if db.dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    yield connection
    if db.dialect == "sqlite":
        _insist_on_foreign_keys(connection, db)


def _without_foreign_keys(connection: Connection) -> None:
    # Changing a table makes a new one and drops the old, which foreign keys would see as deleting its rows;
    # the switch works outside of transactions only (sqlite.org/lang_altertable.html, section 7).
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().execute("PRAGMA foreign_keys = OFF")


def _insist_on_foreign_keys(connection: Connection, db: Database) -> None:
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        raise StoreError(
            f"Upgrading {db.address.name} would leave {len(orphans)} rows without what they point to. "
            "It was left as it was; please report this."
        )


def _alone_on_mariadb(connection: Connection, db: Database) -> None:
    # A lock of the connection: it outlives the commits that MariaDB puts around each change of a table, and
    # ends with the connection, however that ends.
    key = {"name": f"tigertag:{db.address.url.database}"[:64], "seconds": _LOCK_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), key) != 1:
        raise StoreError(f"Another program is upgrading the database {db.address.name}. Try again later.")
    connection.commit()


def backup(url: str, target: Path | None, now: datetime) -> Path:
    """Copies the database at `url` while it may be in use, to `target` or beside it; where the copy is.

    Raises ConfigError, with the server's own command, for a database that is no file.
    """
    address = Address.parse(url)
    if address.path is None:
        raise ConfigError(_servers_own(address))
    copy = target or address.path.with_name(f"{address.path.name}.backup-{now:%Y%m%dT%H%M%SZ}")
    with Database.open(url, create=False, read_only=True) as db:
        if db.is_stand_in:
            raise StoreError(f"There is no database at {address.name} yet, so there is nothing to copy.")
        sqlite_file.backup(address, address.path, copy.absolute())
    return copy


def _servers_own(address: Address) -> str:
    """How a server's database is copied, in its own words; without the password, for which it asks."""
    url = address.url
    if url.get_backend_name() == "postgresql":
        words, user = ["pg_dump", "--format=custom", "--file=tigertag.dump"], "username"
    else:
        words, user = ["mysqldump", "--single-transaction", "--password", "--result-file=tigertag.sql"], "user"
    given = {"host": url.host, "port": url.port, user: url.username}
    words += [f"--{name}={value}" for name, value in given.items() if value]
    command = shlex.join([*words, url.database or ""])
    return f"{address.name} is copied by the server's own program, not by TigerTag: {command}"


def faults(db: Database) -> tuple[str, ...]:
    """What the database's own check finds wrong, a line each; servers check themselves."""
    return () if db.address.path is None else sqlite_file.integrity(db.address, db.address.path)

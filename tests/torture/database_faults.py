"""What can be wrong with a database, done to real ones of each kind."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, make_url, text

from tests.store.test_schema_refused import make_2021
from tests.torture import state
from tests.torture.proxy import Proxy
from tests.torture.rig import Rig


@contextmanager
def through(rig: Rig) -> Iterator[None]:
    """The program reaches its server only through `rig.wire`; a file is reached as it is."""
    if rig.database is not None:
        yield
        return
    url = make_url(rig.url)
    with Proxy((url.host or "127.0.0.1", url.port or 0)) as rig.wire:
        changed = url.set(host="127.0.0.1", port=rig.wire.port)
        rig.settings["DB_URL"] = changed.render_as_string(hide_password=False)
        rig.empty = rig.keep()
        yield


def execute(url: str, *statements: str) -> None:
    """Each in a transaction of its own."""
    with state.connect(url) as connection:
        for statement in statements:
            # What a driver takes for a parameter is none here.
            connection.exec_driver_sql(statement.replace("%", "%%"))
            connection.commit()


# ── locked ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def locked(rig: Rig, table: str) -> Iterator[Callable[[], object]]:
    """Another program holds the table (of SQLite: the file) when what is given is called, until the end."""
    with closing(_Holder(rig.url, table)) as holder:
        yield holder.hold


class _Holder:
    def __init__(self, url: str, table: str) -> None:
        self._url, self._table = url, table
        self._connection: Connection | None = None

    def hold(self) -> None:
        self._connection = state.connect(self._url)
        if self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(f"LOCK TABLE {self._table} IN ACCESS EXCLUSIVE MODE")
        elif self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql("PRAGMA busy_timeout = 20000")
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self._connection.exec_driver_sql(f"LOCK TABLES {self._table} WRITE")

    def close(self) -> None:
        if self._connection is not None:
            if self._connection.dialect.name not in ("postgresql", "sqlite"):
                self._connection.exec_driver_sql("UNLOCK TABLES")
            self._connection.close()


# ── refused by the server ─────────────────────────────────────────────────────────────────────────────────

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION torture_fail() RETURNS trigger AS $$
BEGIN
  IF nextval('torture_count') > {after} AND currval('torture_count') <= {until} THEN
    RAISE EXCEPTION 'as ordered' USING ERRCODE = '{code}';
  END IF;
  RETURN COALESCE(NEW, OLD);
END $$ LANGUAGE plpgsql
"""
_MARIADB = """
CREATE TRIGGER torture_{event} BEFORE {event} ON {table} FOR EACH ROW
BEGIN
  SET @torture = NEXTVAL(torture_count);
  IF @torture > {after} AND @torture <= {until} THEN
    SIGNAL SQLSTATE '{code}' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'as ordered';
  END IF;
END
"""
_EVENTS = ("INSERT", "UPDATE", "DELETE")
_EVER = 10**9
CODES = {
    "deadlock": ("40P01", "40001", 1213),
    "serialization failure": ("40001", "HY000", 1020),
    "lock wait timeout": ("55P03", "HY000", 1205),
    "full disk": ("53100", "HY000", 1021),
    "full table": ("53100", "HY000", 1114),
}
"""By fault PostgreSQL's SQLSTATE, MariaDB's, and its number."""


@contextmanager
def refusing(rig: Rig, fault: str, table: str, after: int = 0, times: int = _EVER) -> Iterator[None]:
    """The server itself answers changes of the table with that error, after so many, so many times.

    The count is of a sequence, which no rollback takes back.
    """
    code, sqlstate, number = CODES[fault]
    until = after + times
    if rig.url.startswith("postgresql"):
        execute(
            rig.url,
            "CREATE SEQUENCE torture_count",
            _POSTGRESQL.format(after=after, until=until, code=code),
            f"CREATE TRIGGER torture BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION torture_fail()",
        )
        ending = [f"DROP TRIGGER torture ON {table}", "DROP SEQUENCE torture_count"]
    else:
        values = {"table": table, "after": after, "until": until, "code": sqlstate, "number": number}
        execute(rig.url, "CREATE SEQUENCE torture_count")
        execute(rig.url, *(_MARIADB.format(event=event, **values) for event in _EVENTS))
        ending = [*(f"DROP TRIGGER torture_{event}" for event in _EVENTS), "DROP SEQUENCE torture_count"]
    try:
        yield
    finally:
        execute(rig.url, *ending)


# ── what lies in it ───────────────────────────────────────────────────────────────────────────────────────


def empty_file(rig: Rig) -> None:
    _file(rig).write_bytes(b"")


def letter(rig: Rig) -> None:
    _file(rig).write_bytes(b"no database at all, but a letter\n" * 99)


def half(rig: Rig) -> None:
    whole = _file(rig).read_bytes()
    _file(rig).write_bytes(whole[: len(whole) // 2])


def overwritten(rig: Rig) -> None:
    """Every page but the first is another program's."""
    whole = _file(rig).read_bytes()
    _file(rig).write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def without_a_table(rig: Rig) -> None:
    cascade = " CASCADE" if rig.url.startswith("postgresql") else ""
    before = ["SET FOREIGN_KEY_CHECKS = 0"] if rig.url.startswith("mysql") else []
    with state.connect(rig.url) as connection:
        for statement in [*before, f"DROP TABLE verdict{cascade}"]:
            connection.exec_driver_sql(statement)
        connection.commit()


def without_tables(rig: Rig) -> None:
    """An empty database in place of what is there."""
    if rig.database is not None:
        return
    with state.connect(rig.url) as connection:
        if rig.url.startswith("postgresql"):
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        else:
            connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 0")
            for name in connection.dialect.get_table_names(connection):
                connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.commit()


def newer(rig: Rig) -> None:
    execute(rig.url, "UPDATE alembic_version SET version_num = '9999'")


def of_2021(rig: Rig) -> None:
    """In place of what there was; a server must be empty for it."""
    if rig.database is not None:
        rig.database.unlink(missing_ok=True)
    with state.connect(rig.url) as connection:
        make_2021(connection, "daa645fb1635")
        connection.commit()


def contents(rig: Rig) -> object:
    """All that is in the database, byte by byte where it is a file."""
    if rig.database is not None:
        return {path.name: path.read_bytes() for path in rig.database.parent.iterdir() if path.is_file()}
    with state.connect(rig.url) as connection:
        names = sorted(connection.dialect.get_table_names(connection))
        return {
            name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")).all())) for name in names
        }


def _file(rig: Rig) -> Path:
    assert rig.database is not None
    # No connection of ours may find its log beside another file.
    for path in (f"{rig.database}-wal", f"{rig.database}-shm"):
        Path(path).unlink(missing_ok=True)
    return rig.database


# ── disks ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A disk of so many bytes at `folder`. Raises OSError where this user may not mount one."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        _unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder is mounted read-only. Raises OSError where this user may not mount."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        _unmount(folder)


def may_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run(["mount", "--version"], capture_output=True).returncode == 0


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip())


def _unmount(folder: Path) -> None:
    with suppress(OSError):
        subprocess.run(["umount", str(folder)], check=False, capture_output=True)


def fill(folder: Path) -> None:
    """Leaves no byte on the disk."""
    with suppress(OSError), (folder / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))

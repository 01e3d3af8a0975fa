"""Opening and transactions (RELIABILITY D3, D4, D11, I20)."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests import databases
from tests.store.rows import bump, no_pause, photo, photos, snapshot
from tigertag.errors import DiskError, StoreError
from tigertag.store import schema, tables
from tigertag.store.database import Database

# ---- transactions -----------------------------------------------------------------------------------------


def test_a_session_commits_at_its_end(database: Database) -> None:
    with database.session() as session:
        session.add(photo())
    assert photos(database) == 1


def test_an_error_in_a_session_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.add(photo())
        session.flush()
        raise ZeroDivisionError
    assert photos(database) == 0


def test_rows_stay_usable_after_their_session(database: Database) -> None:
    row = photo("jpeg1:after")
    with database.session() as session:
        session.add(row)
    assert row.content_id == "jpeg1:after"


def test_a_broken_constraint_stays_what_it_is(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.add_all([photo("jpeg1:twice"), photo("jpeg1:twice")])


def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.add(tables.ItemRow(source_id=99, key="k", key_hash="h", path="p", path_hash="h", stamp="s"))


def test_a_reader_is_not_held_up_by_a_writer(database: Database) -> None:
    with database.session() as writer:
        writer.add(photo())
        writer.flush()
        assert photos(database) == 0
    assert photos(database) == 1


def test_a_transaction_that_meets_another_is_run_again(database: Database) -> None:
    tries: list[int] = []

    def work(session: Session) -> int:
        tries.append(1)
        if len(tries) < 4:
            raise_busy(database)
        return 7

    database._pause = no_pause
    assert (database.transact(work), len(tries)) == (7, 4)


def test_a_transaction_that_always_meets_another_ends_in_one_line(database: Database) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        raise_busy(database)

    database._pause = no_pause
    with pytest.raises(StoreError, match="stays locked"):
        database.transact(work)
    assert len(tries) == 5


def test_a_transaction_that_waits_long_is_not_tried_again_once_the_run_is_to_stop(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.connect.LEFT_SECONDS", -1.0)
    stop, tries = threading.Event(), list[int]()
    database = Database(sqlite_database.engine, sqlite_database.address, pause=no_pause, stop=stop)

    def work(session: Session) -> None:
        tries.append(1)
        if len(tries) == 2:
            stop.set()
        raise_busy(database)

    with pytest.raises(StoreError, match="stays locked"):
        database.transact(work)
    assert len(tries) == 2


def test_a_signal_is_heard_while_sqlite_waits_for_a_lock(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.connect._SLICE_SECONDS", 0.05)
    heard, locked, released_early = threading.Event(), threading.Event(), []

    def hold() -> None:
        with closing(sqlite3.connect(sqlite_database.address.name)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            released_early.append(heard.wait(20))

    before = signal.signal(signal.SIGALRM, lambda *_: heard.set())
    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(20)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with sqlite_database.session() as session:
            session.add(photo("jpeg1:a"))
    finally:
        signal.signal(signal.SIGALRM, before)
        holder.join()
    assert released_early == [True] and photos(sqlite_database) == 1


def test_a_lock_is_not_waited_for_long_once_the_run_is_to_stop(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.migrate(sqlite_url)
    for name, seconds in (("BUSY", 3600), ("LEFT", 0.2), ("_SLICE", 0.05)):
        monkeypatch.setattr(f"tigertag.store.connect.{name}_SECONDS", seconds)
    stop = threading.Event()
    stop.set()
    with (
        Database.open(sqlite_url, stop=stop) as database,
        closing(sqlite3.connect(database.address.name)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="stays locked"):
            database.transact(lambda session: session.add(photo("jpeg1:a")))


def test_after_a_long_wait_in_vain_the_next_transactions_wait_once_until_one_succeeds(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.database._IN_VAIN_SECONDS", -1.0)
    database, tries = sqlite_database, list[int]()
    database._pause = no_pause

    def work(session: Session) -> None:
        tries.append(1)
        raise_busy(database)

    counts = []
    for _ in range(2):
        with pytest.raises(StoreError, match="stays locked"):
            database.transact(work)
        counts.append(len(tries))
    database.transact(lambda session: None)
    with pytest.raises(StoreError, match="stays locked"):
        database.transact(work)
    assert [*counts, len(tries)] == [5, 6, 11]


def raise_busy(database: Database) -> None:
    """The error that each database's driver raises for a transaction that lost against another."""
    orig: Exception
    if database.dialect == "sqlite":
        orig = sqlite3.OperationalError("database is locked")
        orig.sqlite_errorcode = sqlite3.SQLITE_BUSY
    elif database.dialect == "postgresql":
        import psycopg

        orig = psycopg.errors.DeadlockDetected("deadlock detected")
    else:
        import pymysql

        orig = pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock")
    raise DBAPIError("UPDATE photo", {}, orig)


def test_two_that_lock_crosswise_both_get_through(database: Database) -> None:
    with database.session() as session:
        session.add_all([photo("jpeg1:a"), photo("jpeg1:b")])
    barrier, faults = threading.Barrier(2), []

    def widen(first: str, second: str) -> None:
        met: list[bool] = []

        def work(session: Session) -> None:
            bump(session, first)
            if not met and database.dialect != "sqlite":  # SQLite's writers never overlap
                met.append(True)
                barrier.wait(20)
            bump(session, second)

        try:
            database.transact(work)
        except Exception as error:  # noqa: BLE001 - a thread's errors are looked at by the test
            faults.append(error)

    threads = [threading.Thread(target=widen, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with database.reading() as session:
        assert [row.width for row in session.query(tables.PhotoRow)] == [5, 5]


def test_ten_threads_write_side_by_side(database: Database) -> None:
    def work(number: int) -> None:
        for step in range(5):
            with database.session() as session:
                session.add(photo(f"jpeg1:{number}-{step}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert photos(database) == 50


def test_a_moment_comes_back_as_it_was(database: Database) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC)
    with database.session() as session:
        session.add(tables.PhotoRow(content_id="jpeg1:t", width=1, height=1, seen=moment))
    with database.reading() as session:
        assert session.query(tables.PhotoRow).one().seen == moment


@pytest.mark.parametrize("name", ["Größe 🐯", "x" * 500, "straße", "STRASSE", " a\tb\n", "%_'\"\\"])
def test_a_name_is_stored_whole(database: Database, name: str) -> None:
    with database.session() as session:
        session.add(tables.TagRow(kind="tag", name=name, fold=name))
    with database.reading() as session:
        assert session.query(tables.TagRow).filter_by(name=name).one().name == name


def test_names_that_differ_in_case_or_accent_are_two(database: Database) -> None:
    with database.session() as session:
        session.add_all(tables.TagRow(kind="tag", name=name, fold=name) for name in ("cafe", "café", "Cafe"))
    with database.reading() as session:
        assert session.query(tables.TagRow).filter_by(name="cafe").count() == 1


def test_a_name_that_is_too_long_is_never_cut(database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("SQLite stores names of any length whole")
    with pytest.raises(DBAPIError), database.session() as session:
        session.add(tables.TagRow(kind="tag", name="x" * 501, fold="x"))


# ---- opening ----------------------------------------------------------------------------------------------


def test_a_missing_file_is_made_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "tigertag.db"
    with Database.open(f"sqlite:///{path}") as database:
        schema.require_current(database)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("after", ["before the database was there", "after"])
def test_what_a_killed_creation_left_is_removed_but_not_that_of_a_living_one(
    after: str, sqlite_url: str, tmp_path: Path
) -> None:
    if after == "after":
        Database.open(sqlite_url).close()
    for pid in (os.getpid(), 2**22 + 1):  # the second is above any pid (proc(5), pid_max)
        (tmp_path / f".tigertag.db.new-{pid}-0a").write_bytes(b"half")
    Database.open(sqlite_url).close()
    assert set(snapshot(tmp_path)) == {"tigertag.db", f".tigertag.db.new-{os.getpid()}-0a"}


def test_a_dry_run_on_no_database_makes_none(sqlite_url: str, tmp_path: Path) -> None:
    with Database.open(sqlite_url, create=False, read_only=True) as database:
        schema.require_current(database)
        assert photos(database) == 0
        assert database.is_stand_in
    assert snapshot(tmp_path) == {}


def test_a_dry_run_on_an_empty_database_leaves_it_empty(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        Database.open(database_url).close()
    with Database.open(database_url, create=False, read_only=True) as database:
        schema.require_current(database)
        assert photos(database) == 0
    with Database.open(database_url) as database:
        assert schema.current(database) == ""


def test_the_database_in_memory_is_one_for_all_threads(sqlite_url: str) -> None:
    with Database.open(sqlite_url, create=False, read_only=True) as database:
        thread = threading.Thread(target=lambda: database.transact(lambda session: session.add(photo())))
        thread.start()
        thread.join()
        assert photos(database) == 1


def test_a_missing_file_that_may_not_be_made_is_named(sqlite_url: str) -> None:
    with pytest.raises(StoreError, match=r"no database at .*tigertag\.db"):
        Database.open(sqlite_url, create=False)


def test_reading_changes_no_byte_and_leaves_no_file(sqlite_database: Database, tmp_path: Path) -> None:
    sqlite_database.close()
    before = snapshot(tmp_path)
    with Database.open(sqlite_database.url_shown, create=False, read_only=True) as database:
        assert photos(database) == 0
    assert snapshot(tmp_path) == before


def test_what_is_opened_to_read_cannot_be_written(migrated_url: str) -> None:
    with Database.open(migrated_url, create=False, read_only=True) as database:
        with pytest.raises(DiskError, match="cannot be written"), database.session() as session:
            session.add(photo())
            session.flush()
        assert photos(database) == 0


def test_a_reader_in_another_process_reads_while_a_run_writes(sqlite_database: Database) -> None:
    with sqlite_database.session() as writer:
        writer.add(photo())
        writer.flush()
        with Database.open(sqlite_database.url_shown, read_only=True) as reader:
            assert photos(reader) == 0


def test_the_file_is_one_file_again_at_the_end(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.session() as session:
        session.add(photo())
    assert (tmp_path / "tigertag.db-wal").exists()
    sqlite_database.close()
    assert list(snapshot(tmp_path)) == ["tigertag.db"]


def test_every_commit_reaches_the_disk(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        modes = [
            session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert modes == ["wal", 2, 1]


def test_two_that_make_the_same_file_get_the_same_database(sqlite_url: str) -> None:
    barrier = threading.Barrier(4)
    revisions: list[str] = []

    def start() -> None:
        barrier.wait(20)
        with Database.open(sqlite_url) as database:
            schema.require_current(database)
            revisions.append(schema.current(database))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert revisions == [schema.head()] * 4

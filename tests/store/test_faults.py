"""What is said when the database fails, and what is left alone (RELIABILITY D1-D7, D12)."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests import databases
from tests.store.rows import bump, no_pause, photo, photos, snapshot
from tigertag.errors import ConfigError, DiskError, StoreError
from tigertag.store import sqlite_file, tables
from tigertag.store.address import Address
from tigertag.store.database import Database
from tigertag.store.faults import Fault, classify
from tigertag.store.lock import RunLock


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# ---- faults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"no database at all, but a letter" * 99, b"SQLite format 3\0" + b"\xff" * 984]
)
def test_what_is_no_database_is_refused_and_left_alone(sqlite_url: str, content: bytes) -> None:
    path = file_of(sqlite_url)
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreError, match="not a database") as caught:
            Database.open(sqlite_url, read_only=read_only)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert snapshot(path.parent) == {path.name: content}


def test_a_database_that_was_cut_short_is_refused_and_its_backup_named(
    sqlite_database: Database, tmp_path: Path
) -> None:
    sqlite_database.close()
    path = tmp_path / "tigertag.db"
    backup = sqlite_file.copy(sqlite_database.address, path, "0001", datetime.now(UTC))
    cut = path.read_bytes()[:8192]
    path.write_bytes(cut)
    with pytest.raises(StoreError, match=backup.name):
        Database.open(sqlite_database.url_shown)
    assert path.read_bytes() == cut


def test_damage_that_is_met_later_is_told_in_one_line(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.session() as session:
        session.add_all(photo(f"jpeg1:{number:064}") for number in range(2000))
    sqlite_database.close()
    path = tmp_path / "tigertag.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 40 * 4096)
        file.write(b"\xff" * 36 * 4096)
    with (
        Database.open(sqlite_database.url_shown) as database,
        pytest.raises(StoreError, match="not a database"),
        database.reading() as session,
    ):
        session.query(tables.PhotoRow).all()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_never_opened(sqlite_url: str, make: object) -> None:
    make(file_of(sqlite_url))  # type: ignore[operator]
    with pytest.raises(StoreError, match="no regular file"):
        Database.open(sqlite_url)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DiskError, match=r"data/tigertag\.db cannot be made"):
        Database.open(f"sqlite:///{tmp_path / 'data' / 'tigertag.db'}")


def test_a_file_that_may_not_be_written_is_refused_at_the_start(
    sqlite_database: Database, tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    sqlite_database.close()
    (tmp_path / "tigertag.db").chmod(0o400)
    with pytest.raises(DiskError, match="cannot be written"):
        Database.open(sqlite_database.url_shown)


def test_a_full_disk_is_named(sqlite_database: Database) -> None:
    with (
        pytest.raises(DiskError, match=r"No room left on the disk of .*tigertag\.db"),
        sqlite_database.session() as session,
    ):
        # SQLite answers a limit on its pages as it answers a full disk.
        session.execute(text("PRAGMA max_page_count = 1"))
        session.add_all(photo(f"jpeg1:{number:064}") for number in range(2000))
    assert photos(sqlite_database) == 0


def test_a_lock_that_stays_is_told_in_one_line(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.connect.BUSY_SECONDS", 0)
    path = Path(sqlite_database.address.name)
    with closing(sqlite_file.connect(path, "rw")) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreError, match="stays locked by another program"),
            closing(sqlite_file.connect(path, "rw", seconds=0)) as mine,
        ):
            from tigertag.store.faults import translated

            with translated(sqlite_database.address):
                mine.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer_is_one_line_without_the_password(scheme: str) -> None:
    tries: list[float] = []
    with pytest.raises(StoreError) as caught:
        Database.open(f"{scheme}://me:s3cret@127.0.0.1:1/photos", pause=tries.append)
    said = str(caught.value)
    assert said.startswith("Cannot reach the database") and "127.0.0.1:1/photos" in said
    assert "s3cret" not in said and "\n" not in said
    assert len(tries) == 4


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_is_not_on_the_server_is_named_at_once(kind: str) -> None:
    url = databases.server(kind).url.set(database="tigertag_no_such", password="s3cret")
    tries: list[float] = []
    with pytest.raises(StoreError, match="tigertag_no_such") as caught:
        Database.open(url.render_as_string(hide_password=False), pause=tries.append)
    assert (tries, "s3cret" in str(caught.value)) == ([], False)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_user_who_may_only_read_is_told_so_before_anything_is_sent(kind: str, tmp_path: Path) -> None:
    with databases.empty_url(kind, tmp_path) as url, databases.server(kind).reader(url) as readers_url:
        databases.migrate(url)
        with Database.open(readers_url) as database, pytest.raises(DiskError) as caught:
            RunLock(beats_every=0).acquire(database, "scan")
        said = str(caught.value)
        assert "does not let its user do this" in said and "denied" in said and "Grant that user" in said
        assert "s3cret" not in said


def test_a_database_that_cannot_hold_every_name_is_refused(tmp_path: Path) -> None:
    with databases.server("postgresql").latin() as url, pytest.raises(StoreError, match="its text as LATIN1"):
        Database.open(url)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_parameter_that_the_driver_does_not_know_is_a_fault_of_the_configuration(kind: str) -> None:
    url = databases.server(kind).url.update_query_dict({"zork": "1", "password": "s3cret"})
    with pytest.raises(ConfigError, match=r"DB_URL: .*zork") as caught:
        Database.open(url.render_as_string(hide_password=False))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("parameter", ["ssl_ca=/no/such/file", "read_timeout=soon"])
def test_a_parameter_with_a_value_that_cannot_be_is_one_too(parameter: str) -> None:
    url = databases.server("mariadb").url.render_as_string(hide_password=False)
    with pytest.raises(ConfigError, match="DB_URL: what stands behind its"):
        Database.open(f"{url}?{parameter}")


def test_what_was_stored_is_in_no_message_about_a_statement(sqlite_database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, sqlite_database.session() as session:
        session.add_all([photo("jpeg1:s3cret"), photo("jpeg1:s3cret")])
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_broke_between_two_transactions_is_made_again(kind: str, tmp_path: Path) -> None:
    with databases.empty_url(kind, tmp_path) as url:
        databases.migrate(url)
        with Database.open(url) as database:
            photos(database)
            disconnect(kind, url)
            assert database.transact(lambda session: session.query(tables.PhotoRow).count()) == 0


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_breaks_in_a_transaction_runs_it_again(kind: str, tmp_path: Path) -> None:
    with databases.empty_url(kind, tmp_path) as url:
        databases.migrate(url)
        with Database.open(url, pause=no_pause) as database:
            tries: list[int] = []

            def work(session: Session) -> None:
                tries.append(1)
                bump(session, "a")
                if len(tries) == 1:
                    disconnect(kind, url)
                session.add(photo("jpeg1:kept"))

            database.transact(work)
            assert (photos(database), len(tries)) == (1, 2)


def disconnect(kind: str, url: str) -> None:
    """The server ends every connection to the database, as at a restart."""
    name = make_url(url).database
    with databases.server(kind).connection() as connection:
        if kind == "postgresql":
            ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(ending), {"name": name})
            return
        ids = connection.scalars(
            text("SELECT id FROM information_schema.processlist WHERE db = :name"), {"name": name}
        )
        for identifier in list(ids):
            connection.execute(text(f"KILL {int(identifier)}"))


# ---- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text_", ["", "nonsense with s3cret", "oracle://u:s3cret@h/x", "mysql://u:s3cret@h", "pg://s3cret:x:y@/"]
)
def test_a_url_that_cannot_be_used_is_a_fault_of_the_configuration(text_: str) -> None:
    with pytest.raises(ConfigError, match="DB_URL") as caught:
        Database.open(text_)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://u:s3cret@h/x", "mysql://u@h/x?password=s3cret", "postgres://u:s3%40cret@h/x"]
)
def test_a_url_is_shown_without_its_password(url: str) -> None:
    shown = Address.parse(url).shown
    assert "s3" not in shown and shown.endswith(("/x", "masked"))


def test_drivers_of_old_urls_are_replaced_by_ours() -> None:
    assert Address.parse("postgresql+psycopg2://u@h/x").url.drivername == "postgresql+psycopg"
    assert Address.parse("mysql+mysqldb://u@h/x").url.drivername == "mysql+pymysql"


# ---- network file systems ---------------------------------------------------------------------------------

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /nas\040photos rw,relatime shared:9 - nfs4 nas:/photos rw,vers=4.2
41 40 8:2 / /nas\040photos/local rw - xfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/t.db", "ext4"),
        ("/nas photos/t.db", "nfs4"),
        ("/nas photos/local/t.db", "xfs"),
        ("/nas", "ext4"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_its_longest_mount_point(path: str, kind: str) -> None:
    assert sqlite_file.file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_on_a_network_file_system_there_is_a_warning_and_no_write_ahead_log(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    sqlite_database.close()
    path = Path(sqlite_database.address.name)
    with caplog.at_level(logging.WARNING):
        sqlite_file.make_writable(sqlite_database.address, path, f"1 0 0:1 / / rw - {kind} nas:/x rw")
    with closing(sqlite_file.connect(path, "ro")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert "network file system" in caplog.text


def test_a_half_done_write_of_a_killed_program_is_rolled_back_even_by_a_reader(
    sqlite_database: Database, tmp_path: Path
) -> None:
    sqlite_database.close()
    path = tmp_path / "tigertag.db"
    leave_a_hot_journal(path)
    with Database.open(sqlite_database.url_shown, read_only=True) as database:
        assert photos(database) == 0


def leave_a_hot_journal(path: Path) -> None:
    """As a power cut leaves it in the rollback journal's mode: the journal, and pages half written."""
    with closing(sqlite_file.connect(path, "rw")) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO photo (content_id, width, height, seen) VALUES (?, 1, 1, '2026-01-01')",
            [(f"jpeg1:{number:064}",) for number in range(3000)],
        )
        copies = {name: (path.parent / name).read_bytes() for name in (path.name, f"{path.name}-journal")}
        connection.execute("ROLLBACK")
    for name, content in copies.items():
        (path.parent / name).write_bytes(content)


def test_errors_of_statements_are_no_faults_of_the_database() -> None:
    assert classify(IntegrityError("x", {}, sqlite3.IntegrityError("x"))) is None
    assert classify(ValueError("x")) is None
    busy = sqlite3.OperationalError("locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    assert classify(busy) is Fault.BUSY

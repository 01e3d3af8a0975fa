"""A copy of the database, made while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.store.rows import NOW, photo, photos, snapshot
from tigertag.errors import ConfigError, DiskError, StoreError
from tigertag.store import schema, sqlite_file
from tigertag.store.database import Database


def of(database: Database) -> str:
    return f"sqlite:///{database.address.path}"


def test_a_copy_is_a_whole_database_and_its_owners_alone(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.session() as session:
        session.add(photo())
    copy = schema.backup(of(sqlite_database), tmp_path / "copies.db", NOW)
    assert copy.stat().st_mode & 0o777 == 0o600
    with Database.open(f"sqlite:///{copy}") as copied:
        assert (photos(copied), schema.faults(copied)) == (1, ())


def test_a_copy_without_a_name_lies_beside_the_database_and_is_found_as_its_backup(
    sqlite_database: Database, tmp_path: Path
) -> None:
    copy = schema.backup(of(sqlite_database), None, datetime(2026, 5, 1, 10, tzinfo=UTC))
    assert copy == tmp_path / "tigertag.db.backup-20260501T100000Z"
    sqlite_database.close()
    (tmp_path / "tigertag.db").write_bytes(b"")
    with pytest.raises(StoreError, match=copy.name):
        Database.open(f"sqlite:///{tmp_path / 'tigertag.db'}")


def test_what_a_run_has_not_committed_yet_is_not_in_the_copy(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.session() as session:
        session.add(photo("jpeg1:before"))
    with sqlite_database.session() as session:
        session.add(photo("jpeg1:meanwhile"))
        session.flush()
        copy = schema.backup(of(sqlite_database), tmp_path / "copy.db", NOW)
    with Database.open(f"sqlite:///{copy}") as copied:
        assert photos(copied) == 1
    assert photos(sqlite_database) == 2


@pytest.mark.parametrize("can_link", [True, False])
def test_a_file_is_never_written_over(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_link: bool
) -> None:
    if not can_link:
        monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "letter").write_text("Dear Ann")
    with pytest.raises(ConfigError, match="letter is there already"):
        schema.backup(of(sqlite_database), tmp_path / "letter", NOW)
    assert (tmp_path / "letter").read_text() == "Dear Ann"


def no_links(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("can_link", [True, False])
def test_a_file_that_comes_meanwhile_is_left_alone(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_link: bool
) -> None:
    if not can_link:
        monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "letter"
    check = sqlite_file.integrity

    def checking(*given: object) -> tuple[str, ...]:
        target.write_text("Dear Ann")
        return check(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sqlite_file, "integrity", checking)
    with pytest.raises(ConfigError, match="is there already"):
        schema.backup(of(sqlite_database), target, NOW)
    assert target.read_text() == "Dear Ann"
    assert {path.name for path in tmp_path.iterdir()} <= {*BESIDE, "letter"}


BESIDE = {"tigertag.db", "tigertag.db-wal", "tigertag.db-shm"}


def test_without_hard_links_a_copy_is_made_too(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    copy = schema.backup(of(sqlite_database), tmp_path / "copy.db", NOW)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_damaged_database_is_not_copied_as_if_it_were_sound(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.session() as session:
        session.add_all(photo(f"jpeg1:{number:064}") for number in range(2000))
    sqlite_database.close()
    path = tmp_path / "tigertag.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 40 * 4096)
        file.write(b"\xff" * 36 * 4096)
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is damaged"):
        schema.backup(of(sqlite_database), tmp_path / "copy.db", NOW)
    assert snapshot(tmp_path) == before


def test_a_database_that_is_not_there_yet_is_said(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database at"):
        schema.backup(sqlite_url, None, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=r"away/copy\.db"):
        schema.backup(of(sqlite_database), tmp_path / "away" / "copy.db", NOW)


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (
            "postgresql://me:s3cret@nas:5433/photos",
            "pg_dump --format=custom --file=tigertag.dump --host=nas --port=5433 --username=me photos",
        ),
        (
            "mariadb://me:s3cret@nas/a b",
            "mysqldump --single-transaction --password --result-file=tigertag.sql --host=nas --user=me 'a b'",
        ),
    ],
)
def test_a_server_is_copied_by_its_own_program(url: str, command: str) -> None:
    with pytest.raises(ConfigError) as caught:
        schema.backup(url, None, NOW)
    assert str(caught.value).endswith(f": {command}")
    assert "s3cret" not in str(caught.value)


def test_a_copy_that_cannot_be_made_is_named_as_such(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=r"The copy .*/missing/copy\.db cannot be made \(no such file"):
        schema.backup(of(sqlite_database), tmp_path / "missing" / "copy.db", NOW)

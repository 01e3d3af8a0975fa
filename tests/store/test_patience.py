"""A server that makes one wait, refuses to be written, or has lost a table (D2, D3, D6, D7)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from tests import databases
from tests.store.later import connected
from tests.store.rows import bump, photo
from tigertag.errors import DiskError, StoreError
from tigertag.store import schema
from tigertag.store.database import Database


@pytest.mark.parametrize("database_kind", ["postgresql", "mariadb"], indirect=True)
def test_a_lock_that_stays_is_an_error_and_no_wait_for_ever(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.connect.BUSY_SECONDS", 0.1)
    with Database.open(migrated_url) as database:
        with database.session() as session:
            session.add(photo("jpeg1:a"))
        with connected(migrated_url) as other, pytest.raises(StoreError, match="stays locked"):
            other.execute(text("SELECT * FROM photo FOR UPDATE"))
            with database.session() as session:
                bump(session, "a")


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_takes_the_call_and_says_nothing_is_given_up(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tigertag.store.connect.CONNECT_SECONDS", 1)
    monkeypatch.setattr("tigertag.store.database._PAUSES", ())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = kind.replace("mariadb", "mysql")
        with pytest.raises(StoreError, match="Cannot reach the database"):
            Database.open(f"{scheme}://me:s3cret@127.0.0.1:{listener.getsockname()[1]}/photos")


def test_a_table_that_is_gone_is_named_and_nothing_made(migrated_url: str) -> None:
    with connected(migrated_url) as connection:
        connection.execute(text("DROP TABLE verdict"))
    try:
        for read_only in (False, True):
            with pytest.raises(StoreError, match=r"is damaged: its table verdict is gone"):
                Database.open(migrated_url, read_only=read_only)
    finally:
        _make_again(migrated_url)


def _make_again(url: str) -> None:
    from tigertag.store import tables

    with connected(url) as connection:
        tables.Base.metadata.create_all(connection)


def test_a_database_that_its_server_holds_read_only_is_not_written(tmp_path: Path) -> None:
    with databases.empty_url("postgresql", tmp_path) as url:
        databases.migrate(url)
        name = make_url(url).database
        with connected(url) as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        with Database.open(url) as database:
            with database.reading() as session:
                session.execute(text("SELECT 1"))
            with pytest.raises(DiskError, match="cannot be written"), database.session() as session:
                session.add(photo())
            with pytest.raises(DiskError, match="cannot be written"):
                schema.require_writable(database)

"""Databases that are not opened: of another time, of another program (RELIABILITY D8, D10)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests import databases
from tests.store.later import ROOT, connected
from tests.store.rows import snapshot
from tigertag.errors import StoreError
from tigertag.store import runs, schema, versions
from tigertag.store.database import Database


def update(monkeypatch: pytest.MonkeyPatch, later: Path) -> None:
    """Makes this the TigerTag of those migrations."""
    monkeypatch.setattr(versions, "folder", lambda: later)
    monkeypatch.setattr(versions, "REVISIONS", ("later", *versions.REVISIONS))


# ---- what is refused --------------------------------------------------------------------------------------


def test_an_older_schema_names_the_command(
    database_url: str, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        database.transact(lambda session: runs.start(session, "scan", "", datetime.now(UTC)))
    update(monkeypatch, later)
    with Database.open(database_url) as database, pytest.raises(StoreError, match="Run `tigertag db upgrade`"):
        schema.require_current(database)


def test_a_database_in_which_no_run_has_begun_is_brought_up_to_date(
    database_url: str, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where MariaDB keeps what a set-up did that was killed between two versions (D9)."""
    databases.migrate(database_url)
    update(monkeypatch, later)
    with Database.open(database_url, read_only=True) as database, pytest.raises(StoreError, match="upgrade"):
        schema.require_current(database)
    with Database.open(database_url) as database:
        schema.require_current(database)
        assert schema.current(database) == "later"


def test_a_newer_schema_is_refused(database_url: str, later: Path) -> None:
    databases.migrate(database_url)
    schema.upgrade(database_url, later)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"made by a newer TigerTag \(schema later"):
            Database.open(database_url, read_only=read_only)


@pytest.mark.parametrize("revision", ["a82a95e67904", "b09473f6e5fa", "daa645fb1635", ""])
def test_a_database_of_2021_is_refused(database_url: str, revision: str) -> None:
    with connected(database_url) as connection:
        make_2021(connection, revision)
    for open_it in (Database.open, schema.upgrade):
        with pytest.raises(StoreError, match=r"a database of TigerTag 2021\. It was left as it is"):
            open_it(database_url)
    with connected(database_url) as connection:
        assert connection.scalar(text("SELECT name FROM tag")) == "dog"


def test_a_file_of_2021_keeps_every_byte(sqlite_url: str, tmp_path: Path) -> None:
    with connected(sqlite_url) as connection:
        make_2021(connection, "daa645fb1635")
    before = snapshot(tmp_path)
    for act in (Database.open, schema.upgrade):
        with pytest.raises(StoreError, match="2021"):
            act(sqlite_url)
    assert snapshot(tmp_path) == before


def make_2021(connection: Connection, revision: str) -> None:
    connection.execute(text("CREATE TABLE resource (id INTEGER PRIMARY KEY, location VARCHAR(200))"))
    connection.execute(text("CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(200))"))
    connection.execute(text("CREATE TABLE resource_tag (resource_id INTEGER, tag_id INTEGER)"))
    connection.execute(text("INSERT INTO tag VALUES (1, 'dog')"))
    if revision:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


@pytest.mark.parametrize("name", ["photo", "run"])
def test_a_database_of_another_program_is_refused(database_url: str, name: str) -> None:
    with connected(database_url) as connection:
        connection.execute(text(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)"))
    with pytest.raises(StoreError, match="tables of another program"):
        Database.open(database_url)


def test_tables_that_do_not_collide_may_stay_beside_ours(database_url: str) -> None:
    with connected(database_url) as connection:
        connection.execute(text("CREATE TABLE wordpress_posts (id INTEGER PRIMARY KEY)"))
    databases.migrate(database_url)


@pytest.mark.parametrize(
    ("there", "revisions", "state"),
    [
        (set(), [], "empty"),
        ({"alembic_version"}, [], "empty"),
        ({"alembic_version", "run", "source"}, [], "empty"),
        ({"run", "source"}, [], "foreign"),
        ({"run_lock", "ledger", "alembic_version"}, ["0002"], "current"),
        ({"run_lock", "ledger", "alembic_version"}, ["0001"], "older"),
        ({"run_lock", "ledger", "alembic_version"}, ["0003"], "newer"),
        ({"posts", "alembic_version"}, ["0003"], "foreign"),
        ({"resource", "tag", "resource_tag"}, [], "2021"),
        ({"alembic_version"}, ["a82a95e67904"], "2021"),
    ],
)
def test_a_database_is_known_by_its_tables_and_revision(
    there: set[str], revisions: list[str], state: str
) -> None:
    assert versions.judge(there, revisions, ["0002", "0001"]) == state


# ---- in a checkout ----------------------------------------------------------------------------------------


def test_alembic_does_the_same_in_a_checkout(database_url: str) -> None:
    done = run_alembic("upgrade", "head", url=database_url)
    assert done.returncode == 0, done.stderr
    with Database.open(database_url) as database:
        assert schema.current(database) == schema.head()
    assert run_alembic("check", url=database_url).returncode == 0
    assert run_alembic("downgrade", "base", url=database_url).returncode == 0
    with Database.open(database_url) as database:
        assert schema.current(database) == ""


def test_alembic_refuses_a_database_of_2021_in_one_line(sqlite_url: str, tmp_path: Path) -> None:
    with connected(sqlite_url) as connection:
        make_2021(connection, "daa645fb1635")
    before = snapshot(tmp_path)
    done = run_alembic("upgrade", "head", url=sqlite_url)
    assert done.returncode != 0 and "TigerTag 2021" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert snapshot(tmp_path) == before


def run_alembic(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DB_URL": url, "TIGERTAG_ENV_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )

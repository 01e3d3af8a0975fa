"""Migrations: what they make and what they keep (RELIABILITY D9, I21, I22)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, event, inspect, text

from tests import databases
from tests.store.later import HEAD, ROOT, alembic, connected
from tests.store.rows import NOW, dump, one_of_each, snapshot
from tigertag.errors import LockHeld, StoreError
from tigertag.store import schema, tables, versions
from tigertag.store.database import Database
from tigertag.store.lock import RunLock

YOUNGER = ("vector", "word")
"""Tables that migrations since the first have made."""


# ---- what the migrations make -----------------------------------------------------------------------------


def test_the_migrations_make_what_the_tables_say(migrated_url: str) -> None:
    with Database.open(migrated_url) as database, schema.migrating(database) as connection:
        command.check(alembic(connection))


def test_the_revisions_that_are_known_are_those_of_the_migrations() -> None:
    assert [*versions.REVISIONS] == versions._known(versions.folder())


def test_no_migration_is_loaded_where_there_is_nothing_to_migrate(migrated_url: str) -> None:
    program = (
        "import sys\nfrom tigertag.store.database import Database\n"
        "from tigertag.store.schema import require_current\n"
        "with Database.open(sys.argv[1]) as db: require_current(db)\n"
        "sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, migrated_url], cwd=ROOT, check=True)


def test_collations_and_constraints_are_those_of_the_tables(
    database_kind: str, migrated_url: str, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with databases.empty_url(database_kind, tmp_path / "other") as url:
        with connected(url) as connection:
            tables.Base.metadata.create_all(connection)
            wanted = described(connection)
        with connected(migrated_url) as connection:
            found = described(connection)
    assert found.pop("alembic_version")
    assert found == wanted


def described(connection: Connection) -> dict[str, dict[str, object]]:
    """All that the database itself tells of its tables, in an order that does not matter."""
    inspector = inspect(connection)
    return {
        name: {
            "columns": [{**column, "type": repr(column["type"])} for column in inspector.get_columns(name)],
            "primary": inspector.get_pk_constraint(name),
            "foreign": sorted(map(str, inspector.get_foreign_keys(name))),
            "unique": sorted(map(str, inspector.get_unique_constraints(name))),
            "checks": sorted(map(str, inspector.get_check_constraints(name))),
            "indexes": sorted(map(str, inspector.get_indexes(name))),
        }
        for name in inspector.get_table_names()
    }


def test_up_down_and_up_again_with_rows_in_every_table(database_url: str) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        for direction, revision in ((command.downgrade, "base"), (command.upgrade, "head")):
            with database.engine.begin() as connection:
                if direction is command.downgrade:
                    one_of_each(connection)
            with schema.migrating(database) as connection:
                direction(alembic(connection), revision)
            left = set(inspect(database.engine).get_table_names()) - {versions.VERSION_TABLE}
            assert left == (set(tables.Base.metadata.tables) if revision == "head" else set())
        with database.engine.begin() as connection:
            one_of_each(connection)


def test_the_listing_column_comes_and_goes_and_the_rows_stay(database_url: str) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        with database.engine.begin() as connection:
            one_of_each(connection)
            before = dump(connection)
        for direction, revision in ((command.downgrade, "0001"), (command.upgrade, "head")):
            with schema.migrating(database) as connection:
                direction(alembic(connection), revision)
        with database.engine.connect() as connection:
            after = dump(connection)
    for name in YOUNGER:
        assert before.pop(name) and not after.pop(name)
    (item,) = before["item"]
    assert item.pop("listing") is not None
    assert after["item"][0].pop("listing") is None
    assert after == before


@pytest.mark.parametrize(
    ("before", "revision", "table", "index"),
    [("0002", "0003", "send", "ix_send_at_revision_id"), ("0003", "0004", "item", "ix_item_needs")],
)
def test_an_index_comes_and_goes_and_the_rows_stay(
    database_url: str, before: str, revision: str, table: str, index: str
) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        with database.engine.begin() as connection:
            one_of_each(connection)
            rows = dump(connection)
        for direction, goal in ((command.downgrade, before), (command.upgrade, revision)):
            with schema.migrating(database) as connection:
                direction(alembic(connection), goal)
            there = {each["name"] for each in inspect(database.engine).get_indexes(table)}
            assert (index in there) is (goal == revision)
        with schema.migrating(database) as connection:
            command.upgrade(alembic(connection), "head")
        with database.engine.connect() as connection:
            after = dump(connection)
    for name in YOUNGER:
        assert rows.pop(name) and not after.pop(name)
    assert after == rows


def test_the_vectors_come_and_go_and_the_rows_stay(database_url: str) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        with database.engine.begin() as connection:
            one_of_each(connection)
            before = dump(connection)
        for direction, revision in ((command.downgrade, "0004"), (command.upgrade, "0005")):
            with schema.migrating(database) as connection:
                direction(alembic(connection), revision)
            there = set(inspect(database.engine).get_table_names())
            assert there.issuperset(YOUNGER) is (revision == "0005")
        with database.engine.connect() as connection:
            after = dump(connection)
    for name in YOUNGER:
        assert before.pop(name) and not after.pop(name)
    assert after == before


def test_a_database_that_was_emptied_is_filled_again(database_url: str) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database:
        with schema.migrating(database) as connection:
            command.downgrade(alembic(connection), "base")
        schema.require_current(database)
        assert schema.current(database) == schema.head()


def test_rows_come_back_as_they_were_stored(migrated_url: str) -> None:
    with Database.open(migrated_url) as database:
        with database.engine.begin() as connection:
            one_of_each(connection)
        with database.engine.connect() as connection:
            rows = dump(connection)
    assert rows["tag"] == [{"id": 1, "kind": "kind Größe 🐯", "name": "name Größe 🐯", "fold": "fold Größe 🐯"}]
    assert rows["run"][0]["started"] == NOW
    assert all(len(found) == 1 for found in rows.values())


# ---- upgrading --------------------------------------------------------------------------------------------


def test_a_missing_database_is_made_by_upgrade(database_url: str) -> None:
    done = schema.upgrade(database_url)
    assert (done.before, done.after, done.backup) == ("", schema.head(), None)


def test_upgrading_twice_does_nothing(database_url: str, tmp_path: Path) -> None:
    schema.upgrade(database_url)
    before = snapshot(tmp_path)
    assert schema.upgrade(database_url) == schema.Upgraded(schema.head(), schema.head(), None)
    assert snapshot(tmp_path).keys() == before.keys()


def test_an_upgrade_keeps_rows_and_copies_a_file_first(database_url: str, later: Path) -> None:
    databases.migrate(database_url)
    with Database.open(database_url) as database, database.engine.begin() as connection:
        one_of_each(connection)
        connection.execute(text("DELETE FROM run_lock"))
    done = schema.upgrade(database_url, later)
    assert (done.before, done.after) == (HEAD, "later")
    with connected(database_url) as connection:
        assert connection.execute(text("SELECT breadth, note FROM photo")).all() == [(1, "none")]
        assert connection.scalar(text("SELECT count(*) FROM item WHERE photo_id = 1")) == 1
    assert (done.backup is not None) == database_url.startswith("sqlite")
    if done.backup is not None:
        with connected(f"sqlite:///{done.backup}") as connection:
            assert connection.scalar(text("SELECT width FROM photo")) == 1
        assert done.backup.stat().st_mode & 0o777 == 0o600


def test_an_upgrade_waits_for_no_run(sqlite_url: str, later: Path) -> None:
    databases.migrate(sqlite_url)
    with Database.open(sqlite_url) as database, RunLock().acquire(database, "scan"):
        with pytest.raises(LockHeld, match="is under way"):
            schema.upgrade(sqlite_url, later)
        assert schema.current(database) == HEAD


def test_an_upgrade_that_would_orphan_rows_is_taken_back(sqlite_url: str, later: Path) -> None:
    databases.migrate(sqlite_url)
    with connected(sqlite_url) as connection:  # without foreign keys switched on
        connection.execute(
            text(
                "INSERT INTO annotation (id, analysis_id, kind, confidence, language) "
                "VALUES (1, 9, 'tag', 1, '')"
            )
        )
    with pytest.raises(StoreError, match="would leave 1 rows"):
        schema.upgrade(sqlite_url, later)
    with Database.open(sqlite_url) as database:
        assert schema.current(database) == HEAD


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """Ends every engine's work before the statement of that number; the statements that were run."""
    ran: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if len(ran) == number:
            raise Killed
        ran.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield ran
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def test_a_first_migration_that_was_killed_is_finished_by_the_next_start(
    database_kind: str, tmp_path: Path
) -> None:
    with databases.empty_url(database_kind, tmp_path) as url, killed_at(-1) as statements:
        databases.migrate(url)
    # A stride that shares no factor with the few statements that each table takes.
    for number in range(0, len(statements), 29):
        folder = tmp_path / str(number)
        folder.mkdir()
        with databases.empty_url(database_kind, folder) as url:
            with pytest.raises(Killed), killed_at(number):
                databases.migrate(url)
            databases.migrate(url)
            with Database.open(url) as database, schema.migrating(database) as connection:
                command.check(alembic(connection))
                assert versions.look(connection).state is versions.State.CURRENT


def test_an_upgrade_killed_by_the_system_leaves_the_database_as_it_was(sqlite_url: str, later: Path) -> None:
    databases.migrate(sqlite_url)
    with Database.open(sqlite_url) as database, database.engine.begin() as connection:
        one_of_each(connection)
        connection.execute(text("DELETE FROM run_lock"))
    (later / "versions" / "0003_kill.py").write_text(
        "import os, signal\nrevision, down_revision = 'latest', 'later'\n"
        "def upgrade():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    program = (
        "import sys, pathlib; from tigertag.store import schema; "
        "schema.upgrade(sys.argv[1], pathlib.Path(sys.argv[2]))"
    )
    killed = subprocess.run([sys.executable, "-c", program, sqlite_url, str(later)], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    (later / "versions" / "0003_kill.py").unlink()
    with Database.open(sqlite_url) as database:
        assert schema.current(database) == HEAD
    assert schema.upgrade(sqlite_url, later).after == "later"

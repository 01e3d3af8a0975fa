"""Which schema a database has, beside those that the migrations know.

Every command asks that first, so Alembic is imported only where there is something to migrate.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, String, column, inspect, select, table

from tigertag.errors import StoreError
from tigertag.store.tables import Base

if TYPE_CHECKING:
    from alembic.config import Config

_PACKAGE = Path(__file__).resolve().parents[1]

VERSION_TABLE = "alembic_version"
REVISIONS = ("0005", "0004", "0003", "0002", "0001")
"""Those of the migrations, the newest first; a test compares them."""
_TABLES_OF_2021 = frozenset({"resource", "tag", "resource_tag"})
_REVISIONS_OF_2021 = frozenset({"a82a95e67904", "b09473f6e5fa", "daa645fb1635"})


class State(StrEnum):
    EMPTY = "empty"
    """No tables of ours, or a first migration that was killed half-way."""
    CURRENT = "current"
    INCOMPLETE = "incomplete"
    """Of the schema that this program works with, but for tables that are gone."""
    OLDER = "older"
    NEWER = "newer"
    OF_2021 = "2021"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a database."""

    state: State
    revision: str
    """As Alembic has it, empty where it has none."""
    missing: tuple[str, ...] = ()
    """Tables that ought to be there."""


def folder() -> Path:
    """The migrations: inside the package if they are there (a wheel), else beside it (a checkout).

    Raises StoreError where neither is there.
    """
    for place in (_PACKAGE / "migrations", _PACKAGE.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise StoreError(f"The migrations of TigerTag are missing beside {_PACKAGE}. Install TigerTag again.")


def head(scripts: Path | None = None) -> str:
    """The revision that this program works with."""
    return _known(scripts)[0]


def look(connection: Connection, scripts: Path | None = None) -> Found:
    """Reads names of tables and the revision, nothing else."""
    tables = frozenset(inspect(connection).get_table_names())
    version = select(column("version_num", String)).select_from(table(VERSION_TABLE))
    revisions = tuple(connection.scalars(version)) if VERSION_TABLE in tables else ()
    state = judge(tables, revisions, _known(scripts))
    missing = tuple(sorted(Base.metadata.tables.keys() - tables)) if state is State.CURRENT else ()
    return Found(State.INCOMPLETE if missing else state, ", ".join(revisions), missing)


def judge(tables: AbstractSet[str], revisions: Sequence[str], known: Sequence[str]) -> State:
    """The state of a database with these tables and revisions; `known` are ours, the newest first."""
    if tables >= _TABLES_OF_2021 or _REVISIONS_OF_2021.intersection(revisions):
        return State.OF_2021
    ours = tables & Base.metadata.tables.keys()
    if not revisions:
        # Alembic makes its own table first, so one beside ours marks a first migration that was killed.
        return State.FOREIGN if ours and VERSION_TABLE not in tables else State.EMPTY
    if tuple(revisions) == tuple(known[:1]):
        return State.CURRENT
    if set(revisions) <= set(known):
        return State.OLDER
    return State.NEWER if {"run_lock", "ledger"} <= ours else State.FOREIGN


def refusal(found: Found, name: str) -> StoreError | None:
    """Why the database `name` may not be touched by any command, `db upgrade` included; None if it may."""
    match found.state:
        case State.OF_2021:
            return StoreError(
                f"{name} is a database of TigerTag 2021. It was left as it is: give TigerTag a new one, "
                "for example DB_URL=sqlite:////folder/tigertag-new.db."
            )
        case State.NEWER:
            return StoreError(
                f"{name} was made by a newer TigerTag (schema {found.revision}, this one knows {head()}). "
                "Nothing was written: update TigerTag."
            )
        case State.INCOMPLETE:
            return StoreError(
                f"The database {name} is damaged: its table {found.missing[0]} is gone. Nothing was written: "
                "put a backup in its place."
            )
        case State.FOREIGN:
            return StoreError(
                f"{name} holds tables of another program. Nothing was written: give TigerTag a database of "
                "its own in DB_URL."
            )
        case _:
            return None


def migrate(connection: Connection, scripts: Path | None = None) -> None:
    """Brings the schema to head, in the transaction that the caller has begun."""
    from alembic import command  # noqa: PLC0415 - a tenth of the time that a command takes to start

    config = _config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config(scripts: Path | None) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # A % in a path would be taken for an interpolation.
    config.set_main_option("script_location", str(scripts or folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _known(scripts: Path | None) -> Sequence[str]:
    """The revisions of the migrations there, the newest first."""
    if scripts is None:
        return REVISIONS
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return [script.revision for script in ScriptDirectory.from_config(_config(scripts)).walk_revisions()]

"""Rows for tests of the store, and what they count by."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, text
from sqlalchemy.orm import Session

from tigertag.store import tables
from tigertag.store.columns import Moment
from tigertag.store.database import Database

NOW = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC)


def photo(content_id: str = "jpeg1:00") -> tables.PhotoRow:
    return tables.PhotoRow(content_id=content_id, width=3, height=2, seen=datetime.now(UTC))


def photos(database: Database) -> int:
    with database.reading() as session:
        return session.query(tables.PhotoRow).count()


def no_pause(seconds: float) -> None:
    """Tries that would wait go on at once."""


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def bump(session: Session, name: str) -> None:
    session.execute(text("UPDATE photo SET width = width + 1 WHERE content_id = :id"), {"id": f"jpeg1:{name}"})


def one_of_each(connection: Connection) -> None:
    """A row in every table of the schema at head."""
    for table in tables.Base.metadata.sorted_tables:
        connection.execute(table.insert().values({column.name: _value(column) for column in table.columns}))


def _value(column: Column[Any]) -> object:
    for constraint in column.table.constraints:
        allowed = re.match(rf"{column.name} IN \('(\w+)'", str(getattr(constraint, "sqltext", "")))
        if allowed:
            return allowed[1]
    if isinstance(column.type, Moment):
        return NOW
    # A text of its own for each column shows when two are mixed up.
    own: dict[type, object] = {str: f"{column.name} Größe 🐯", float: 0.25, int: 1, bytes: b"\x00\xff"}
    return own.get(column.type.python_type, {"key": [1, "ü"]})


def dump(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """Every row of every table that the schema at head has."""
    return {
        table.name: [
            dict(row)
            for row in connection.execute(table.select().order_by(*table.primary_key.columns)).mappings()
        ]
        for table in tables.Base.metadata.sorted_tables
    }

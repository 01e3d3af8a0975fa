"""Rows by their table: for what is written so often that an object for each would cost more than the database.

Statements are built once, for building one takes longer than executing it. They see what was flushed, and
objects that a session holds do not see what they write: in a transaction a row is written one way or the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Insert, Row, Select, Table, Update, bindparam, insert, update
from sqlalchemy.orm import Session

from tigertag.store.items import chunks
from tigertag.store.tables import Base


def table_of(row: type[Base]) -> Table:
    """The table of a class."""
    table = row.__table__
    assert isinstance(table, Table)
    return table


def many(name: str = "ids") -> BindParameter[Any]:
    """Stands for the values of an IN that are named when the statement is executed."""
    return bindparam(name, expanding=True)


def each(session: Session, query: Select[Any], ids: Sequence[Any], **others: Any) -> Iterator[Row[Any]]:
    """The rows of a query over `many()`, for any number of ids; none is no statement."""
    for part in chunks(ids):
        yield from session.execute(query, {"ids": part, **others})


def add(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """New rows, which all have the same columns; none is no statement."""
    if rows:
        session.execute(_adding(table), rows)


def add_with_ids(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> list[int]:
    """New rows, which all have the same columns; their ids in the same order."""
    if not rows:
        return []
    if session.get_bind().dialect.insert_executemany_returning_sort_by_parameter_order:
        return list(session.execute(_adding_with_ids(table), rows).scalars())
    # MySQL, unlike MariaDB, gives back one id at a time.
    connection = session.connection()
    return [(connection.execute(_adding(table), row).inserted_primary_key or (0,))[0] for row in rows]


def change(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Sets columns of the rows named by `row_id`; all say the same columns."""
    if rows:
        session.execute(_changing(table, tuple(name for name in rows[0] if name != "row_id")), rows)


@cache
def _adding(table: Table) -> Insert:
    return insert(table)


@cache
def _adding_with_ids(table: Table) -> Any:
    return insert(table).returning(table.c.id, sort_by_parameter_order=True)


@cache
def _changing(table: Table, names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(table).where(table.c.id == bindparam("row_id")).values(values)

"""What must be the same after a run that was killed and run again: all that is known, without times and ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select, text

from tigertag.store import tables
from tigertag.store.address import Address

_HISTORY = {"run", "run_lock", "send", "edit", "memory"}
"""Of what was tried and noticed on the way, not of what is: a run more or less is no loss."""

Row = tuple[tuple[str, object], ...]
Dump = dict[str, list[object]]


@dataclass(frozen=True)
class Sends:
    """The requests that may be billed, by what is known of them."""

    billed: int
    unknown: int


@cache
def _engine(url: str) -> Engine:
    return create_engine(Address.parse(url).url, poolclass=NullPool)


def connect(url: str) -> Connection:
    """A connection that knows nothing of TigerTag's settings, and is closed with its block."""
    return _engine(url).connect()


def dump(url: str) -> Dump:
    """Every row of every table, each as text, ordered; a row that it points to is told by what that says."""
    with connect(url) as connection:
        reader = _Reader(connection)
        return {
            name: [*sorted(json.dumps(dict(row), sort_keys=True) for row in reader.rows(name).values())]
            for name in tables.Base.metadata.tables
            if name not in _HISTORY
        }


def difference(wanted: Mapping[str, Sequence[object]], found: Mapping[str, Sequence[object]]) -> str | None:
    """What of the first is not in the second, and the other way round; None for nothing."""
    words = []
    for name in wanted.keys() | found.keys():
        before, after = list(wanted.get(name, [])), list(found.get(name, []))
        missing = [each for each in before if each not in after]
        added = [each for each in after if each not in before]
        if missing or added:
            words.append(f"{name}: missing {missing[:2]} ({len(missing)}), added {added[:2]} ({len(added)})")
        elif len(before) != len(after):
            words.append(f"{name}: {len(after)} rows for {len(before)}")
    return "; ".join(words)[:600] or None


def sends(url: str) -> Sends:
    with connect(url) as connection:
        found = dict(
            connection.execute(
                select(tables.SendRow.outcome, func.count()).group_by(tables.SendRow.outcome)
            ).all()
        )
    return Sends(found.get("billed", 0), found.get("unknown", 0))


def intended(url: str) -> int:
    """Edits of which nobody knows whether they took place."""
    with connect(url) as connection:
        return (
            connection.scalar(
                select(func.count()).select_from(tables.Edit).where(tables.Edit.state == "intended")
            )
            or 0
        )


class _Reader:
    """Reads tables as rows without ids: a foreign key is replaced by the row that it names."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[str, dict[object, Row]] = {}

    def rows(self, name: str) -> dict[object, Row]:
        """By id, or by place where there is none."""
        if name not in self._read:
            self._read[name] = {}
            table = tables.Base.metadata.tables[name]
            for place, row in enumerate(self._connection.execute(table.select()).mappings()):
                self._read[name][row.get("id", place)] = tuple(
                    (column.name, self._told(column.name, row[column.name], list(column.foreign_keys)))
                    for column in table.columns
                    if column.name not in ("id", "run_id", "edit_id")
                    and not isinstance(row[column.name], datetime)
                )
        return self._read[name]

    def _told(self, name: str, value: object, keys: Sequence[object]) -> object:
        if not keys or value is None:
            return value
        target = keys[0].column.table.name  # type: ignore[attr-defined]
        return dict(self.rows(target)[value])


def keep(url: str) -> dict[str, list[dict[str, object]]]:
    """All rows as they are, for `put_back`."""
    with connect(url) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in tables.Base.metadata.sorted_tables
        }


def put_back(url: str, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Into an empty, migrated database on a server."""
    with connect(url) as connection, connection.begin():
        for table in tables.Base.metadata.sorted_tables:
            if not rows[table.name]:
                continue
            connection.execute(table.insert(), [dict(row) for row in rows[table.name]])
            if connection.dialect.name == "postgresql" and "id" in table.columns:
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                        f"(SELECT max(id) FROM {table.name}))"
                    )
                )

"""What Alembic runs: the migrations, on the connection it is given, else on the database of DB_URL."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, types
from sqlalchemy.dialects import mysql

from tigertag.errors import TigerTagError
from tigertag.store.tables import Base


def _types_differ(
    _context: Any,
    _column: Any,
    _metadata_column: Any,
    there: types.TypeEngine[Any],
    wanted: types.TypeEngine[Any],
) -> bool | None:
    """MariaDB has other names for two types: JSON is LONGTEXT, FLOAT(53) is DOUBLE. None: Alembic decides."""
    if isinstance(there, mysql.LONGTEXT) and isinstance(wanted, types.JSON):
        return False
    if isinstance(there, mysql.DOUBLE) and isinstance(wanted, types.Float):
        return wanted.precision != 53
    return None


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=_types_differ,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_on_url() -> None:
    # Only `alembic` on the command line comes here; the program itself needs no settings to migrate.
    from tigertag.config import database_url  # noqa: PLC0415
    from tigertag.store.database import Database  # noqa: PLC0415
    from tigertag.store.schema import migrating  # noqa: PLC0415

    with Database.open(database_url()) as database, migrating(database) as connection:
        _run(connection)


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    raise CommandError("The migrations look at the database as they go, so --sql cannot be had.")
if given is not None:
    _run(given)
else:
    try:
        _run_on_url()
    except TigerTagError as error:
        raise CommandError(str(error)) from error

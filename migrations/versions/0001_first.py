"""The first schema.

A snapshot of its own: later changes of `tigertag.store.tables` do not change it. Every step looks first whether
it has been taken, because MariaDB commits each table by itself and a kill leaves a part of them behind.
"""

from __future__ import annotations

from typing import TypeVar

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

T = TypeVar("T")

_MARIADB = ("mysql", "mariadb")


def _exact(length: int) -> sa.types.TypeEngine[str]:
    """Text compared byte by byte on every database."""
    return (
        sa.String(length)
        .with_variant(mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), *_MARIADB)
        .with_variant(sa.String(length, collation="C"), "postgresql")
    )


LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), *_MARIADB)
NAME = _exact(500)
HASH = _exact(80)
WORD = _exact(40)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *_MARIADB)


def _column(name: str, kind: sa.types.TypeEngine[T]) -> sa.Column[T]:
    return sa.Column(name, kind, nullable=False)


def _create(table: str, *parts: sa.schema.SchemaItem) -> None:
    if not sa.inspect(op.get_bind()).has_table(table):
        op.create_table(table, *parts)


def _index(table: str, *columns: str) -> None:
    name = f"ix_{table}_{'_'.join(columns)}"
    if not sa.inspect(op.get_bind()).has_index(table, name):
        op.create_index(op.f(name), table, list(columns))


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    _create_places()
    _create_engines()
    _create_answers()
    _create_targets()
    _create_writes()


def _create_places() -> None:
    _create(
        "run",
        _column("id", sa.Integer()),
        _column("command", WORD),
        _column("arguments", LONG_TEXT),
        _column("state", WORD),
        sa.Column("exit_code", sa.Integer()),
        _column("started", MOMENT),
        sa.Column("ended", MOMENT),
        sa.Column("summary", sa.JSON()),
        _primary("run", "id"),
    )
    _create(
        "run_lock",
        _column("name", WORD),
        _column("token", HASH),
        sa.Column("run_id", sa.Integer()),
        _column("command", WORD),
        _column("host", _exact(255)),
        _column("pid", sa.BigInteger()),
        _column("boot_id", HASH),
        _column("since", MOMENT),
        _column("heartbeat", MOMENT),
        _primary("run_lock", "name"),
        _points("run_lock", "run_id", "run"),
    )
    _create(
        "source",
        _column("id", sa.Integer()),
        _column("identity", LONG_TEXT),
        _column("identity_hash", HASH),
        _column("label", LONG_TEXT),
        _primary("source", "id"),
        _unique("source", "identity_hash"),
    )
    _create(
        "photo",
        _column("id", BIG_ID),
        _column("content_id", HASH),
        _column("width", sa.Integer()),
        _column("height", sa.Integer()),
        _column("seen", MOMENT),
        _primary("photo", "id"),
        _unique("photo", "content_id"),
    )
    _create(
        "item",
        _column("id", BIG_ID),
        _column("source_id", sa.Integer()),
        _column("key", LONG_TEXT),
        _column("key_hash", HASH),
        _column("path", LONG_TEXT),
        _column("path_hash", HASH),
        _column("section", LONG_TEXT),
        _column("album", LONG_TEXT),
        _column("title", LONG_TEXT),
        _column("stamp", LONG_TEXT),
        sa.Column("size", sa.BigInteger()),
        sa.Column("moment", MOMENT),
        _column("facts", sa.JSON()),
        sa.Column("gone_since", MOMENT),
        sa.Column("read_stamp", LONG_TEXT),
        sa.Column("problem", LONG_TEXT),
        sa.Column("needs", WORD),
        sa.Column("photo_id", BIG_ID),
        _column("input", HASH),
        _column("file_hash", HASH),
        _primary("item", "id"),
        _points("item", "source_id", "source"),
        _points("item", "photo_id", "photo"),
        _unique("item", "source_id", "key_hash"),
    )
    _index("item", "path_hash")
    _index("item", "photo_id")
    _index("item", "source_id", "gone_since", "moment")


def _create_engines() -> None:
    _create(
        "engine",
        _column("id", sa.Integer()),
        _column("name", _exact(100)),
        _column("plugin", _exact(255)),
        _primary("engine", "id"),
        _unique("engine", "name"),
    )
    _create(
        "revision",
        _column("id", sa.Integer()),
        _column("plugin", _exact(255)),
        _column("fingerprint", HASH),
        _column("settings", sa.JSON()),
        _column("version", _exact(100)),
        _column("reads", WORD),
        _column("created", MOMENT),
        _primary("revision", "id"),
        _unique("revision", "plugin", "fingerprint"),
    )
    _create(
        "engine_revision",
        _column("engine_id", sa.Integer()),
        _column("revision_id", sa.Integer()),
        _column("place", sa.Integer()),
        _primary("engine_revision", "engine_id", "revision_id"),
        _points("engine_revision", "engine_id", "engine"),
        _points("engine_revision", "revision_id", "revision"),
    )
    _create(
        "memory",
        _column("id", BIG_ID),
        _column("scope", _exact(255)),
        _column("key", LONG_TEXT),
        _column("key_hash", HASH),
        sa.Column("value", sa.JSON()),
        _primary("memory", "id"),
        _unique("memory", "scope", "key_hash"),
    )


def _create_answers() -> None:
    _create(
        "analysis",
        _column("id", BIG_ID),
        _column("photo_id", BIG_ID),
        _column("revision_id", sa.Integer()),
        _column("input", HASH),
        _column("state", WORD),
        sa.Column("reason", LONG_TEXT),
        sa.Column("raw", LONG_TEXT),
        _column("dropped", sa.Integer()),
        sa.Column("run_id", sa.Integer()),
        _column("at", MOMENT),
        _primary("analysis", "id"),
        _points("analysis", "photo_id", "photo"),
        _points("analysis", "revision_id", "revision"),
        _points("analysis", "run_id", "run"),
        _unique("analysis", "photo_id", "revision_id", "input"),
        _one_of("analysis", "state", "waiting", "done", "again", "failed"),
    )
    _index("analysis", "revision_id", "state")
    _create(
        "send",
        _column("id", BIG_ID),
        _column("photo_id", BIG_ID),
        _column("revision_id", sa.Integer()),
        _column("run_id", sa.Integer()),
        _column("outcome", WORD),
        _column("at", MOMENT),
        _primary("send", "id"),
        _points("send", "photo_id", "photo"),
        _points("send", "revision_id", "revision"),
        _points("send", "run_id", "run"),
        _one_of("send", "outcome", "unknown", "billed", "free"),
    )
    _index("send", "photo_id")
    _index("send", "run_id")
    _create(
        "tag",
        _column("id", BIG_ID),
        _column("kind", WORD),
        _column("name", NAME),
        _column("fold", NAME),
        _primary("tag", "id"),
        _unique("tag", "kind", "name"),
    )
    _index("tag", "fold")
    _create(
        "annotation",
        _column("id", BIG_ID),
        _column("analysis_id", BIG_ID),
        _column("kind", WORD),
        sa.Column("tag_id", BIG_ID),
        _column("confidence", sa.Float(53)),
        _column("language", WORD),
        sa.Column("x", sa.Float(53)),
        sa.Column("y", sa.Float(53)),
        sa.Column("width", sa.Float(53)),
        sa.Column("height", sa.Float(53)),
        sa.Column("value", sa.JSON()),
        _primary("annotation", "id"),
        _points("annotation", "analysis_id", "analysis"),
        _points("annotation", "tag_id", "tag"),
    )
    _index("annotation", "analysis_id")
    _index("annotation", "tag_id")


def _create_targets() -> None:
    _create(
        "target",
        _column("id", sa.Integer()),
        _column("identity", LONG_TEXT),
        _column("identity_hash", HASH),
        _column("label", LONG_TEXT),
        _column("policy", HASH),
        _primary("target", "id"),
        _unique("target", "identity_hash"),
    )
    _create(
        "delivery",
        _column("id", BIG_ID),
        _column("item_id", BIG_ID),
        _column("target_id", sa.Integer()),
        _column("state", WORD),
        _column("wanted", HASH),
        sa.Column("reason", LONG_TEXT),
        _column("at", MOMENT),
        _primary("delivery", "id"),
        _points("delivery", "item_id", "item"),
        _points("delivery", "target_id", "target"),
        _unique("delivery", "item_id", "target_id"),
        _one_of("delivery", "state", "pending", "done", "failed", "held"),
    )
    _index("delivery", "target_id", "state")


def _create_writes() -> None:
    _create(
        "edit",
        _column("id", BIG_ID),
        _column("run_id", sa.Integer()),
        _column("target_id", sa.Integer()),
        _column("item_id", BIG_ID),
        _column("action", WORD),
        _column("state", WORD),
        _column("name", NAME),
        _column("fold", NAME),
        _column("kind", WORD),
        _column("canonical", NAME),
        _column("engines", sa.JSON()),
        sa.Column("undoes", BIG_ID),
        _column("at", MOMENT),
        _primary("edit", "id"),
        _points("edit", "run_id", "run"),
        _points("edit", "target_id", "target"),
        _points("edit", "item_id", "item"),
        _points("edit", "undoes", "edit"),
        _one_of("edit", "action", "add", "remove"),
        _one_of("edit", "state", "intended", "confirmed", "withdrawn"),
    )
    _index("edit", "item_id", "target_id")
    _index("edit", "run_id")
    _index("edit", "state")
    _index("edit", "undoes")
    _create(
        "ledger",
        _column("id", BIG_ID),
        _column("target_id", sa.Integer()),
        _column("item_id", BIG_ID),
        _column("name", NAME),
        _column("fold", NAME),
        _column("kind", WORD),
        _column("canonical", NAME),
        _column("origin", WORD),
        _column("engines", sa.JSON()),
        _column("at", MOMENT),
        _primary("ledger", "id"),
        _points("ledger", "target_id", "target"),
        _points("ledger", "item_id", "item"),
        _unique("ledger", "target_id", "item_id", "fold"),
        _one_of("ledger", "origin", "ours", "theirs"),
    )
    _index("ledger", "item_id", "target_id")
    _create(
        "verdict",
        _column("id", BIG_ID),
        _column("item_id", BIG_ID),
        sa.Column("photo_id", BIG_ID),
        _column("kind", WORD),
        _column("canonical", NAME),
        _column("name", NAME),
        _column("value", WORD),
        sa.Column("run_id", sa.Integer()),
        _column("at", MOMENT),
        _primary("verdict", "id"),
        _points("verdict", "item_id", "item"),
        _points("verdict", "photo_id", "photo"),
        _points("verdict", "run_id", "run"),
        _unique("verdict", "item_id", "kind", "canonical"),
        _one_of("verdict", "value", "no", "yes", "undone"),
    )
    _index("verdict", "photo_id")


def downgrade() -> None:
    for table in (
        "verdict",
        "ledger",
        "edit",
        "delivery",
        "target",
        "annotation",
        "tag",
        "send",
        "analysis",
        "memory",
        "engine_revision",
        "revision",
        "engine",
        "item",
        "photo",
        "source",
        "run_lock",
        "run",
    ):
        if sa.inspect(op.get_bind()).has_table(table):
            op.drop_table(table)

"""Makes room for what photos and words mean to a model, as vectors.

Every step looks first whether it has been taken, because MariaDB commits each by itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MARIADB = ("mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), *_MARIADB)
HASH = (
    sa.String(80)
    .with_variant(mysql.VARCHAR(80, charset="utf8mb4", collation="utf8mb4_bin"), *_MARIADB)
    .with_variant(sa.String(80, collation="C"), "postgresql")
)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDEX = "ix_vector_revision_id_photo_id"


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    if not there.has_table("vector"):
        op.create_table(
            "vector",
            sa.Column("analysis_id", BIG_ID, nullable=False, autoincrement=False),
            sa.Column("photo_id", BIG_ID, nullable=False),
            sa.Column("revision_id", sa.Integer(), nullable=False),
            sa.Column("data", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("analysis_id", name=op.f("pk_vector")),
            _points("vector", "analysis_id", "analysis"),
            _points("vector", "photo_id", "photo"),
            _points("vector", "revision_id", "revision"),
        )
    if not sa.inspect(op.get_bind()).has_index("vector", _INDEX):
        op.create_index(_INDEX, "vector", ["revision_id", "photo_id"])
    if not there.has_table("word"):
        op.create_table(
            "word",
            sa.Column("id", BIG_ID, nullable=False),
            sa.Column("revision_id", sa.Integer(), nullable=False),
            sa.Column("text", LONG_TEXT, nullable=False),
            sa.Column("text_hash", HASH, nullable=False),
            sa.Column("data", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_word")),
            _points("word", "revision_id", "revision"),
            sa.UniqueConstraint("revision_id", "text_hash", name=op.f("uq_word_revision_id_text_hash")),
        )


def downgrade() -> None:
    for table in ("word", "vector"):
        if sa.inspect(op.get_bind()).has_table(table):
            op.drop_table(table)


def _points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))

"""Finds the items that wait for a decoder without reading all items, as every scan does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEX = "ix_item_needs"


def upgrade() -> None:
    if not _is_there():
        op.create_index(_INDEX, "item", ["needs"])


def downgrade() -> None:
    if _is_there():
        op.drop_index(_INDEX, "item")


def _is_there() -> bool:
    """MariaDB commits each change of a table by itself: a kill may leave it behind without its revision."""
    return any(index["name"] == _INDEX for index in sa.inspect(op.get_bind()).get_indexes("item"))

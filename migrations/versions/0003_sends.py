"""Lets the requests of a day or a month be counted without reading all there ever were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEX = "ix_send_at_revision_id"


def upgrade() -> None:
    if not _is_there():
        op.create_index(_INDEX, "send", ["at", "revision_id"])


def downgrade() -> None:
    if _is_there():
        op.drop_index(_INDEX, "send")


def _is_there() -> bool:
    """MariaDB commits each change of a table by itself: a kill may leave it behind without its revision."""
    return any(index["name"] == _INDEX for index in sa.inspect(op.get_bind()).get_indexes("send"))

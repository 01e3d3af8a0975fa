"""Gives items a hash of what the last listing said of them, so that the next one is compared without the rows.

It stays empty until then: the first listing after this compares every row in full.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if not _is_there():
        op.add_column("item", sa.Column("listing", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    if _is_there():
        op.drop_column("item", "listing")


def _is_there() -> bool:
    """MariaDB commits each change of a table by itself: a kill may leave it behind without its revision."""
    return any(column["name"] == "listing" for column in sa.inspect(op.get_bind()).get_columns("item"))

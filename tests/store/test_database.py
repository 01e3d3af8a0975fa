"""Opening, transactions, and what is said when the database fails (RELIABILITY D1-D7, D11, D12)."""

from __future__ import annotations

from tigertag.store.database import Database


def test_x(database: Database) -> None:
    with database.session():
        pass

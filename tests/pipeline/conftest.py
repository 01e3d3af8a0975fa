"""Houses over databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import House
from tigertag.store.database import Database


@pytest.fixture
def house(sqlite_database: Database) -> Iterator[House]:
    """A house with a SQLite database, for what is not about databases."""
    made = House(sqlite_database, f"sqlite:///{sqlite_database.address.path}")
    yield made
    made.close()


@pytest.fixture
def any_house(migrated_url: str, database: Database) -> Iterator[House]:
    """A house with a database of each kind in turn."""
    made = House(database, migrated_url)
    yield made
    made.close()

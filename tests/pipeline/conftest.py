"""Houses over databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.stage import STAGES
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


class Shelved:
    """A migrated SQLite database of which a copy can be kept and put back."""

    def __init__(self, empty: Path, folder: Path) -> None:
        self.path, self.copy = folder / "tigertag.db", folder / "kept.db"
        shutil.copyfile(empty, self.path)
        self.url = f"sqlite:///{self.path}"
        self.database = Database.open(self.url)

    def house(self) -> House:
        return House(self.database, self.url)

    def keep(self) -> None:
        self.database.close()
        shutil.copyfile(self.path, self.copy)

    def put_back(self, house: House) -> None:
        """The database as it was kept."""
        self.database.close()
        shutil.copyfile(self.copy, self.path)
        house.database = self.database = Database.open(self.url)


@pytest.fixture
def shelved(_migrated: Callable[[str], str], tmp_path: Path) -> Iterator[Shelved]:
    folder = tmp_path / "shelved"
    folder.mkdir()
    made = Shelved(Path(_migrated("sqlite").removeprefix("sqlite:///")), folder)
    yield made
    made.database.close()
    STAGES.clear()

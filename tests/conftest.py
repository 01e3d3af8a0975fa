"""What all tests share: an environment of their own, and databases of the three kinds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import compiled, databases
from tests.torture.reporting import pytest_terminal_summary
from tigertag.store.database import Database

__all__ = ["pytest_terminal_summary"]  # a hook, found by its name

# Read when the library of the hub of models is imported: no test asks a real hub, or finds the user's models.
os.environ |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_CACHE": "/nonexistent/hub"}

compiled.share()
_OURS = ("TIGERTAG", "PLEX", "ENGINE", "SOURCE_", "TARGET_", "NOTIFIER_", "SCANNER", "STASHER", "DB_URL")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No settings from outside, and a home of its own: no test reads or writes the user's."""
    for name in list(os.environ):
        if name.upper().startswith(_OURS):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name, folder in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_CACHE_HOME": ".cache",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    for name in ("XDG_CONFIG_DIRS", "XDG_DATA_DIRS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    # A proxy of the machine has no business with stand-ins on 127.0.0.1.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(params=databases.KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, of each kind in turn."""
    with databases.empty_url(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'tigertag.db'}"


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """By kind the URL of a migrated database without rows, made once for each worker."""
    made: dict[str, str] = {}
    with ExitStack() as stack:

        def of(kind: str) -> str:
            if kind not in made:
                folder = tmp_path_factory.mktemp("migrated")
                url = stack.enter_context(databases.empty_url(kind, folder))
                databases.migrate(url)
                made[kind] = url
            return made[kind]

        yield of


@pytest.fixture
def migrated_url(database_kind: str, _migrated: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database without rows, of each kind in turn."""
    url = _migrated(database_kind)
    if database_kind == "sqlite":
        yield _copied(url, tmp_path)
        return
    yield url
    databases.clear(url)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """An open, migrated database without rows, of each kind in turn."""
    with Database.open(migrated_url) as opened:
        yield opened


@pytest.fixture
def sqlite_database(_migrated: Callable[[str], str], tmp_path: Path) -> Iterator[Database]:
    """An open, migrated SQLite database without rows, for tests that are not about databases."""
    with Database.open(_copied(_migrated("sqlite"), tmp_path)) as opened:
        yield opened


def _copied(url: str, folder: Path) -> str:
    copy = folder / "tigertag.db"
    shutil.copyfile(url.removeprefix("sqlite:///"), copy)
    return f"sqlite:///{copy}"

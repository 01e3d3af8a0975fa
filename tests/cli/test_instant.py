"""What a command imports before it does anything: the rest would be waited for every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

# What plugins bring, and the plugins themselves.
_PLUGINS = ("requests", "urllib3", "plexapi", "PIL", "distributed", "tigertag.media", "tigertag.plexserver")
_FAMILIES = ("tigertag.sources.", "tigertag.engines.", "tigertag.targets.")
_NAMES_ALL = (
    "import sys, tigertag.__main__ as start\ntry: start.main()\nfinally: print(*sys.modules, file=sys.stderr)"
)

EVERYTHING = {
    "PLEX_URL": "http://127.0.0.1:1",
    "PLEX_TOKEN": "token",
    "ENGINE_IMAGGA_API_KEY": "acc_1",
    "ENGINE_IMAGGA_API_SECRET": "2",
    "ENGINE_HOME_NAME": "compreface",
    "ENGINE_HOME_URL": "http://127.0.0.1:2",
    "ENGINE_HOME_API_KEY": "3",
}


def imported(*arguments: str | Path) -> list[str]:
    """All modules that a command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", _NAMES_ALL, *arguments], capture_output=True, text=True, check=True
    )
    return done.stderr.split()


def plugins(modules: list[str]) -> list[str]:
    return [
        name
        for name in modules
        if name.startswith(_FAMILIES) or any(name == each or name.startswith(f"{each}.") for each in _PLUGINS)
    ]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_needs_click_alone(arguments: tuple[str, ...]) -> None:
    modules = imported(*arguments)
    assert "click" in modules
    assert not {"sqlalchemy", "pydantic", "alembic", *plugins(modules)} & set(modules)


def test_status_imports_no_plugin(terminal: Terminal) -> None:
    """Not even those that are set up: it looks at the database only."""
    terminal.settings |= EVERYTHING
    modules = imported("--env-file", terminal.env_file(), "status")
    assert "sqlalchemy" in modules
    assert plugins(modules) == []


def test_status_names_the_engines_that_are_set_up_though_their_settings_are_wrong(terminal: Terminal) -> None:
    """What only a plugin can judge, the commands that use it judge."""
    terminal.settings |= EVERYTHING | {"ENGINE_HOME_URL": "nonsense", "ENGINE_OFF_NAME": "imagga"}
    terminal.settings |= {"ENGINE_OFF_ENABLED": "false"}
    engines = [row["id"] for row in terminal.json("status") if row["type"] == "engine"]
    assert sorted(engines) == ["home", "imagga", "metadata"]
    assert terminal.run("scan").exit_code == 2


def test_status_says_what_is_wrong_with_what_it_needs(terminal: Terminal) -> None:
    terminal.settings |= {"DB_URL": "nonsense://"}
    result = terminal.run("status")
    assert (result.exit_code, "`DB_URL`" in result.output) == (2, True)

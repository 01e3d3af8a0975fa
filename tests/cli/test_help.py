"""Help, versions, and what is said to a mistyped command."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.cli.terminal import Terminal
from tigertag.cli.main import SECTIONS, cli

COMMANDS = [name for section in SECTIONS.values() for name in section]


def every_command() -> list[list[str]]:
    context = click.Context(cli)
    found = [[name] for name in COMMANDS]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [[name, below] for below in command.commands]
    return found


def test_help_names_every_command_with_its_line() -> None:
    shown = CliRunner().invoke(cli, ["-h"]).stdout
    for section, entries in SECTIONS.items():
        assert f"{section}:" in shown
        assert all(f"{name:<8}  {entry.text}" in shown for name, entry in entries.items())


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself_with_examples(words: list[str]) -> None:
    for flag in ("-h", "--help"):
        result = CliRunner().invoke(cli, [*words, flag])
        assert result.exit_code == 0
        assert f"Examples:\n  tigertag {words[0]}" in result.stdout
        assert "--env-file" in result.stdout


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_nothing_in_the_help_of_a_command_is_cut_or_in_the_words_of_its_library(words: list[str]) -> None:
    shown = CliRunner().invoke(cli, [*words, "-h"], env={"COLUMNS": "70"}).stdout
    assert not re.search(r"\.\.\.$", shown.partition("Options")[0].partition("\n\n")[2], re.MULTILINE)
    assert "RANGE" not in shown and "INTEGER" not in shown


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['tigertag', '-h']\nfrom tigertag.__main__ import main\ntry: main()\nfinally:"
    )
    heavy = ("sqlalchemy", "plexapi", "PIL", "pydantic", "requests", "alembic")
    check = f"{code} print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.endswith("[]\n"), done.stdout[-200:]


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout.startswith("tigertag 0.")


def test_no_command_shows_the_help_as_a_mistake() -> None:
    result = CliRunner().invoke(cli, [])
    assert (result.exit_code, "Examples:" in result.stdout) == (2, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["scn"], "There is no command `scn` (did you mean `scan`?); see `tigertag -h`"),
        (["tags", "explin"], "(did you mean `explain`?); see `tigertag tags -h`"),
        (["scan", "--limt", "3"], "--limit"),
        (["scan", "--limit", "0"], "see `tigertag scan -h`"),
        (["tags", "export"], "Choose from: lightroom, digikam; see `tigertag tags export -h`"),
        (["scan", "--since", "yesterday"], "`yesterday` is no date such as 2021-03-15"),
        (["scan", "--files-from", "nowhere.txt"], "`nowhere.txt` cannot be read (No such file or directory)"),
        (["write", "--restore", "--accept"], "opposites"),
        (["undo", "3", "--last"], "Give one of RUN"),
        (["undo"], "Say what to take back"),
        (["verdicts", "lift"], "Give IDs"),
        (["db"], "Give upgrade, current, check or backup"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_line_is_one_line_on_standard_error(terminal: Terminal, typed: list[str], said: str) -> None:
    result = terminal.run(*typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("tigertag: ")
    assert result.stderr.count("\n") == 1


def test_doctor_is_check(terminal: Terminal) -> None:
    assert terminal.ok("doctor") == terminal.ok("check")

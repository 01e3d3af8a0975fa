"""The commands, loaded when they are asked for, so that `tigertag --help` stays instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from tigertag.cli import screen
from tigertag.cli.faults import complain, exit_code
from tigertag.cli.shared import Group, Shared
from tigertag.cli.signals import at_once


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, and its one line of help."""

    place: str
    """`module:attribute` below `tigertag.cli`."""
    text: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Tag photos": {
        "check": Entry("check:check", "test sources, engines, targets and database; say what to do"),
        "scan": Entry("scan:scan", "find new and changed photos, ask the engines, write the tags"),
        "retag": Entry("scan:retag", "ask again; old answers stay until the new ones are there"),
        "write": Entry("write:write", "bring the targets in line, without an engine call"),
        "undo": Entry("undo:undo", "take back what was written"),
    },
    "Look": {
        "status": Entry("status:status", "done, waiting, failed and why, when it will be finished"),
        "runs": Entry("runs:runs", "past runs; one in detail"),
        "show": Entry("show:show", "all that is known of a photo"),
        "tags": Entry("tags:tags", "the library's tags with counts; why a photo has them"),
        "similar": Entry("similar:similar", "photos that show nearly the same as one"),
        "verdicts": Entry("verdicts:verdicts", "tags you removed that stay away; let them come again"),
    },
    "Set up": {
        "people": Entry("people:people", "the people that engines know; bring their examples in line"),
        "engines": Entry("engines:engines", "installed engines, and the variables of one"),
        "config": Entry("config:config", "settings in force and where each came from"),
        "db": Entry("db:db", "upgrade and check the database"),
    },
}
_COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
_ALIASES = {"doctor": "check"}

_EXAMPLES = (
    "tigertag scan ~/Pictures --limit 20    look at a plain folder, print the tags",
    "tigertag check                         after filling in .env: does everything answer?",
    "tigertag scan --no-write               ask the engines, write nothing yet",
    "tigertag write --dry-run               what would be written where",
    "tigertag undo --last                   take it all back",
)


class Commands(Group):
    """All commands of TigerTag. Only the one that is asked for is imported."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        entry = _COMMANDS.get(_ALIASES.get(name, name))
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        found = getattr(import_module(f"tigertag.cli.{module}"), attribute)
        return found if isinstance(found, click.Command) else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<8}", entry.text) for name, entry in entries.items()])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs a command and leaves with its exit code. Whatever happens is said in a line."""
        screen.prepare()
        shared = Shared()
        try:
            with at_once():
                code = super().main(args, prog_name or "tigertag", standalone_mode=False, obj=shared)
                screen.finish()
        except BaseException as error:  # the one place where every error becomes a line and a code
            if isinstance(error, SystemExit):
                raise
            complain(error, debug=shared.debug)
            code = exit_code(error)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    "tigertag",
    cls=Commands,
    examples=_EXAMPLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.pass_context
def cli(context: click.Context) -> int | None:
    """TigerTag keeps the tags of a photo library true.

    It shows every new photo to the engines you trust, remembers each answer in one database, and writes the
    tags where you look for them. Your own tags stay as they are, and everything it wrote can be taken back.
    """
    if context.invoked_subcommand:
        return None
    screen.out(context.get_help())
    return 2


def main() -> NoReturn:
    """The console script."""
    cli.main()

"""The options every command takes, before its name or after it, and how its help is laid out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tigertag import __version__


@dataclass(slots=True)
class Shared:
    """What a person asked of the command line as a whole."""

    env_file: Path | None = None
    json: bool = False
    quiet: bool = False
    verbose: int = 0
    log_file: Path | None = None
    yes: bool = False
    debug: bool = False


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    shared = context.ensure_object(Shared)
    if parameter.name == "verbose":
        shared.verbose += value
    elif value and parameter.name:
        setattr(shared, parameter.name, value)


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"tigertag {__version__}")
        context.exit()


def _shared_options() -> list[click.Option]:
    path = click.Path(dir_okay=False, path_type=Path)

    def option(*names: str, text: str, **more: Any) -> click.Option:
        settings: dict[str, Any] = {"callback": _keep, "expose_value": False, "is_eager": True, "help": text}
        return click.Option(names, **settings | more)

    return [
        option("--env-file", type=path, metavar="FILE", text="Read settings from FILE instead of ./.env."),
        option(
            "--json", is_flag=True, text="Print JSON: an array, or lines for scan, retag, write, undo, show."
        ),
        option("-q", "--quiet", is_flag=True, text="Say nothing but results and faults."),
        option("-v", "--verbose", count=True, text="Say more on standard error; twice for everything."),
        option("--log-file", type=path, metavar="FILE", text="Add the log to FILE, too."),
        option("--yes", is_flag=True, text="Answer every question with yes."),
        option("--debug", is_flag=True, text="Show where in the program a fault came from."),
        option("--version", is_flag=True, callback=_show_version, text="Show the version and leave."),
    ]


class Command(click.Command):
    """A command with the shared options, and examples at the end of its help."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples
        self._own = len(self.params)
        self.params = [*self.params, *_shared_options()]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        shared = [name for each in self.params[self._own :] for name in _record(each, context)]
        own = [name for each in self.params[: self._own] for name in _record(each, context)]
        helped = self.get_help_option(context)
        own += _record(helped, context) if helped else []
        if isinstance(self, click.Group):
            self.format_commands(context, formatter)
        with formatter.section("Options"):
            formatter.write_dl(own if context.parent else own + shared)
        if context.parent:
            names = ", ".join(name for name, _ in shared)
            with formatter.section("Options of every command (tigertag -h explains them)"):
                formatter.write_text(names)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _record(parameter: click.Parameter, context: click.Context) -> list[tuple[str, str]]:
    found = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
    return [found] if found else []


class Group(Command, click.Group):
    """A command with commands below it."""

    command_class = Command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if not name.startswith("-") and self.get_command(context, name) is None:
            near = difflib.get_close_matches(name, self.list_commands(context), n=1)
            hint = f" (did you mean `{near[0]}`?)" if near else ""
            raise click.UsageError(f"There is no command `{name}`{hint}", context)
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its first sentence, whole."""
        with formatter.section("Commands"):
            found = {name: self.get_command(context, name) for name in self.list_commands(context)}
            formatter.write_dl([(name, each.get_short_help_str(1000)) for name, each in found.items() if each])


def command(name: str, *, examples: Sequence[str]) -> Callable[[Callable[..., int]], Command]:
    """Makes a function a command; it gives the exit code."""
    return click.command(name, cls=Command, examples=examples)


def group(name: str, *, examples: Sequence[str]) -> Callable[[Callable[..., int | None]], Group]:
    """Makes a function a group that does something by itself when no command is named."""
    return click.group(name, cls=Group, examples=examples, invoke_without_command=True)


def subcommand(
    parent: Group, name: str, *, examples: Sequence[str]
) -> Callable[[Callable[..., int]], click.Command]:
    """Makes a function a command of a group."""
    return parent.command(name, cls=Command, examples=examples)

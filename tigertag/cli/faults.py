"""Errors as lines on standard error and an exit code."""

from __future__ import annotations

import traceback

import click

from tigertag.cli.screen import err, visible
from tigertag.cli.signals import Interrupted
from tigertag.errors import ConfigError, Stopped, TigerTagError

_LONGEST_FAULT = 400
"""Signs of an error that nobody has foreseen; all of it is shown with --debug."""


def exit_code(error: BaseException) -> int:
    """The code of a command that this error ended."""
    if isinstance(error, click.ClickException):
        return 2
    if isinstance(error, Interrupted):
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return 130
    return error.exit_code if isinstance(error, TigerTagError) else 1


def lines(error: BaseException) -> list[str]:
    """One line for each fault; none for what a person asked for."""
    if isinstance(error, Stopped | Interrupted | KeyboardInterrupt | click.Abort):
        return ["stopped"]
    if isinstance(error, click.UsageError):
        return [_usage(error)]
    if isinstance(error, click.ClickException):
        return [visible(error.format_message())]
    if isinstance(error, ConfigError):
        return [_line(fault) for fault in error.faults]
    if isinstance(error, TigerTagError):
        return [_line(str(error))]
    said = _short(_line(f"{type(error).__name__}: {error}".rstrip(": ")))
    return [f"a fault in TigerTag ({said}); run it with --debug to see where, and please report it"]


def complain(error: BaseException, *, debug: bool) -> None:
    """Says what went wrong, a line for each fault; with `debug` also where."""
    if debug:
        err("".join(traceback.format_exception(error)).rstrip())
    for line in lines(error):
        err(f"tigertag: {line}")


def _usage(error: click.UsageError) -> str:
    said = visible(" ".join(line.strip() for line in error.format_message().rstrip(".").splitlines()))
    command = error.ctx.command_path if error.ctx else "tigertag"
    return f"{said}; see `{command} -h`"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_FAULT else f"{text[:_LONGEST_FAULT]}…"


def _line(text: str) -> str:
    return visible(" ".join(text.split()))

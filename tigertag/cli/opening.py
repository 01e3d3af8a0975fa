"""From the options of the command line to an `App`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import click

from tigertag.app.context import App
from tigertag.cli import signals
from tigertag.cli.logs import listening
from tigertag.cli.screen import err, visible
from tigertag.cli.shared import Shared
from tigertag.errors import Refused, Stopped

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def open_app(shared: Shared) -> App:
    """The settings in force, with somebody who answers questions. Raises ConfigError with all faults."""
    return _opened(shared, lambda: App.load(shared.env_file, json_lines=shared.json))


def open_outline(shared: Shared) -> App:
    """For commands that look at the database only: no plugin is imported, and what only it can judge is not
    judged. Raises ConfigError.
    """
    return _opened(shared, lambda: App.outlined(shared.env_file))


def _opened(shared: Shared, load: Callable[[], App]) -> App:
    context = click.get_current_context()
    level = logging.ERROR if shared.quiet else _LEVELS[min(shared.verbose, len(_LEVELS) - 1)]
    context.with_resource(listening(level, shared.log_file, debug=shared.debug))
    app = load()
    app.confirm = lambda question: shared.yes or (is_watched() and ask(question))
    if not shared.quiet:
        for warning in app.settings.warnings:
            err(f"tigertag: warning: {visible(warning)}")
    return app


def is_watched() -> bool:
    """Whether a person sits before it who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Asks on the terminal. Everything but a yes is a no."""
    sys.stderr.write(f"{visible(question)} [y/N] ")
    sys.stderr.flush()
    try:
        with signals.at_once():  # reading a line is nothing that must be finished
            return sys.stdin.readline().strip().casefold() in ("y", "yes")
    except signals.Interrupted as signal:
        raise Stopped(signal.number) from signal


def insist(app: App, what: str, nothing: str) -> None:
    """Goes on only if a person wants it: `what` is a sentence without its stop.

    Raises Refused, saying that `nothing` (a sentence) has happened.
    """
    if not app.confirm(f"{what}. Go on?"):
        raise Refused(f"{what}. {nothing} Run it with --yes if you want that.")

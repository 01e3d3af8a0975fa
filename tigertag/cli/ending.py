"""How a command that does something ends: its report, its faults, and with --json always a summary."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tigertag.app.scanning import Tally
from tigertag.cli import report
from tigertag.cli.faults import exit_code, lines
from tigertag.cli.logs import OUTCOME
from tigertag.cli.screen import err, finish, out, out_json
from tigertag.cli.shared import Shared

log = logging.getLogger(OUTCOME)


@contextmanager
def summarized(shared: Shared) -> Iterator[None]:
    """With --json a command that an error ends prints a summary, too; the error goes on."""
    try:
        yield
    except Exception as error:
        for line in lines(error):
            log.error("%s", line)
        if shared.json:
            out_json({"type": "summary", "exit_code": exit_code(error), "errors": lines(error)})
        raise


def end(shared: Shared, words: Sequence[str], rows: Sequence[object], tally: Tally) -> None:
    """Prints what came of it: for a program all of it, for a person the report, in a quiet run nothing.

    Faults go to standard error, too, unless that is the terminal on which the report has just named them.
    """
    if shared.json:
        for row in rows:
            out_json(row)
    elif not shared.quiet:
        for line in words:
            out(line)
    for line in words:
        log.info("%s", line)
    finish()
    seen = not shared.json and not shared.quiet and sys.stdout.isatty() and sys.stderr.isatty()
    told = frozenset[str]() if shared.quiet else tally.told  # a quiet run has told nobody so far
    for line in () if seen else report.faults(tally, without=told):
        err(f"tigertag: {line}")

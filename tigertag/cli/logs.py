"""Where log lines go: standard error, and the file that a person named."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tigertag.cli.screen import err, visible
from tigertag.errors import DiskError

OUTCOME = "tigertag.outcome"
"""The logger for what standard output and error say anyway: for the file only."""

_OURS = logging.getLogger("tigertag")
_OURS.addHandler(logging.NullHandler())  # or Python itself prints what is logged before anybody listens


@contextmanager
def listening(level: int, file: Path | None, *, debug: bool) -> Iterator[None]:
    """Shows our log lines of `level` and above; those of libraries, which may hold secrets, are not shown.

    Raises DiskError where the file cannot be written.
    """
    handlers: list[logging.Handler] = [_OnScreen(level)]
    if file is not None:
        handlers.append(_opened(file, min(level, logging.INFO)))
    silent = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(silent)
    logging.captureWarnings(True)
    before = _OURS.level
    _OURS.setLevel(min(handler.level for handler in handlers))
    for handler in handlers:
        handler.setFormatter(_OneLine(debug=debug, dated=isinstance(handler, logging.FileHandler)))
        _OURS.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            _OURS.removeHandler(handler)
            handler.close()
        _OURS.setLevel(before)
        logging.captureWarnings(False)
        root.removeHandler(silent)


class _OnScreen(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.name != OUTCOME:
            err(self.format(record))


class _OneLine(logging.Formatter):
    """A line for each record. Where it was raised is shown with --debug only."""

    def __init__(self, *, debug: bool, dated: bool) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s" if dated else "tigertag: %(message)s")
        self._debug, self._dated = debug, dated

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        before = f"{moment.replace('+00:00', 'Z')} " if self._dated else ""
        record.message = record.getMessage()
        line = before + visible(" ".join(self.formatMessage(record).splitlines()))
        if self._debug and record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _opened(file: Path, level: int) -> logging.Handler:
    try:
        handler = logging.FileHandler(file.expanduser(), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DiskError(f"The log file {file} cannot be written ({error.strerror}): name another") from error
    handler.setLevel(level)
    return handler

"""What a signal does: end at once what only looks, and let a run finish what is under way."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from tigertag.cli.screen import err

_ASKED = "Stopping: finishing what is under way…  (again to stop at once)"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_Reaction = Callable[[int, FrameType | None], None]


class Interrupted(BaseException):
    """A signal, raised amid anything: nothing that catches errors may take it for one of its own."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Stoppable(Protocol):
    """What can be asked to end: an `App`."""

    stop: threading.Event
    stopped_by: int | None


@contextmanager
def at_once() -> Iterator[None]:
    """A signal raises Interrupted, wherever the program is: for what may be left at any moment."""

    def react(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _reacting(react):
        yield


@contextmanager
def after_this_step(run: Stoppable) -> Iterator[None]:
    """The first signal asks the run to end; a second one ends the process (RELIABILITY R5)."""

    def react(number: int, frame: FrameType | None) -> None:
        if run.stopped_by is not None:
            _leave(number)
        run.stopped_by = number
        run.stop.set()
        _tell()

    with _reacting(react):
        yield


@contextmanager
def _reacting(react: _Reaction) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, react) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, reaction in before.items():
            signal.signal(number, reaction)


def _tell() -> None:
    try:
        err(_ASKED)
    except RuntimeError:  # the signal came amid another line
        with suppress(OSError):
            os.write(2, f"\n{_ASKED}\n".encode("ascii", "replace"))


def _leave(number: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(128 + number)

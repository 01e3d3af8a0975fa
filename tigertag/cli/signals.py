"""What a signal does: end at once what only looks, and let a run finish what is under way."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from tigertag.cli.screen import err
from tigertag.errors import LockHeld, TigerTagError, gravest

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
    """A signal raises Interrupted, wherever the program is: for what may be left at any moment.

    A second one ends the process, should it be where nothing can be raised.
    """

    def react(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    signals = itertools.count(1)

    def watch(number: int) -> None:
        if next(signals) > 1:
            _leave(number)

    with _reacting(react, watch):
        yield


@contextmanager
def after_this_step(run: Stoppable) -> Iterator[None]:
    """The first signal asks the run to end; a second one ends the process (RELIABILITY R5)."""

    def watch(number: int) -> None:
        if run.stopped_by is not None:
            _leave(number)
        run.stopped_by = number
        run.stop.set()
        _aside(_tell)

    with _reacting(lambda number, frame: None, watch):
        try:
            yield
        except TigerTagError as error:
            if run.stopped_by is not None and error.exit_code != LockHeld.exit_code:
                error.exit_code = gravest((128 + run.stopped_by, error.exit_code))
            raise


@contextmanager
def _reacting(react: _Reaction, watch: Callable[[int], None]) -> Iterator[None]:
    """`react` is called in the main thread when that comes to it, `watch` at once in another.

    Python's own handlers wait for the main thread, and that may wait for a lock in the database for minutes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watcher = threading.Thread(target=_watch, args=(reader, watch), name="tigertag-signals", daemon=True)
    watcher.start()
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, react) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, reaction in before.items():
            signal.signal(number, reaction)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _watch(reader: int, watch: Callable[[int], None]) -> None:
    while numbers := os.read(reader, 64):
        for number in numbers:
            if number in _SIGNALS:
                watch(number)


def _tell() -> None:
    err(_ASKED)


def _leave(number: int) -> None:
    _aside(_flush)
    os._exit(128 + number)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()


def _aside(act: Callable[[], None]) -> None:
    """Does it in a thread, but waits for it no longer than a second: nobody may be reading what is written."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(1)

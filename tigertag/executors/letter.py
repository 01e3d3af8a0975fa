"""A task and its things as bytes, on their way to another process, and what comes back."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Sequence
from typing import cast

from tigertag.errors import TigerTagError
from tigertag.executors.limits import limited
from tigertag.worker import Decoding, Result, Task, Thing


def written(task: Task[Thing, Result], things: Sequence[Thing]) -> bytes:
    """Raises what pickle raises where something cannot travel."""
    return pickle.dumps((task, things), pickle.HIGHEST_PROTOCOL)


def done(letter: bytes, *, alone: bool) -> bytes:
    """Does what a letter asks, in the process that it was sent to. The answer.

    `alone`: nothing else runs in this process, so that limits on it are limits on this task.
    """
    outcome = _outcome(letter, alone)
    try:
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - whatever an engine's answer raises; the coordinator tells it
        return pickle.dumps(RuntimeError(f"its answer cannot be sent: {_words(error)}"))


def _outcome(letter: bytes, alone: bool) -> object:
    try:
        task, things = pickle.loads(letter)
        with limited() if alone and isinstance(task, Decoding) else contextlib.nullcontext():
            return task(things)
    except Exception as error:  # noqa: BLE001 - carried to the coordinator, which raises it
        return error if isinstance(error, TigerTagError) else RuntimeError(_words(error))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def read(answer: bytes) -> list[Result | TigerTagError]:
    """The outcomes. Raises the error that the task ended with."""
    outcome = pickle.loads(answer)
    if isinstance(outcome, BaseException):
        raise outcome
    return cast("list[Result | TigerTagError]", outcome)

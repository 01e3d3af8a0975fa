"""The end of a worker, for engines and tasks that have it coming."""

from __future__ import annotations

import multiprocessing
import os
import signal


def die() -> None:
    """Ends this worker as a system short of memory would. Raises AssertionError in the process of the tests."""
    if multiprocessing.parent_process() is None:
        raise AssertionError("this runs in a worker process, or it would end the test run")
    os.kill(os.getpid(), signal.SIGKILL)

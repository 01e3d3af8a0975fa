"""Asking the tests of a copy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.watching import FAILURES

_GRACE = 20
"""Seconds that pytest may take to end after a failure."""
_GLANCE = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed, and what it said."""

    test: str
    said: str


class NoAnswer(Exception):
    """The tests could not be asked, or did not end."""


def first_failure(tree: Path, *arguments: str, seconds: float) -> Failure | None:
    """The first test that fails; None where all pass. Raises NoAnswer."""
    with tempfile.TemporaryDirectory(prefix="tt-") as folder:
        failures, output = Path(folder, "failures"), Path(folder, "output")
        failures.touch()
        temporary = Path(folder, "t")  # what is left by tests that are cut off goes with it
        temporary.mkdir()
        environment = {
            **os.environ, "PYTHONPATH": str(tree), "TMPDIR": str(temporary), FAILURES: str(failures)
        }  # fmt: skip
        command = [sys.executable, "-m", "pytest", "-x", "-p", "tests.mutants.watching"]
        with output.open("wb") as said:
            asked = subprocess.Popen(
                [*command, "-p", "no:cacheprovider", *arguments],
                cwd=tree,
                env=environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                _wait(asked, failures, seconds)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(asked.pid, signal.SIGKILL)
                code = asked.wait()
        lines = failures.read_text(encoding="utf-8").splitlines()
        if lines:
            return Failure(*lines[0].split("\t", 1))
        if code != 0:
            tail = "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
            raise NoAnswer(f"pytest ended with {code} after at most {seconds:.0f} s:\n{tail}")
        return None


def _wait(asked: subprocess.Popen[bytes], failures: Path, seconds: float) -> None:
    """Until it has ended, or a test has failed and it had time to end, or the time is over."""
    until = time.monotonic() + seconds
    has_failed = False
    while asked.poll() is None and time.monotonic() < until:
        if not has_failed and failures.stat().st_size:
            has_failed = True
            until = min(until, time.monotonic() + _GRACE)
        time.sleep(_GLANCE)


def named(tree: Path, tests: Sequence[str]) -> Failure | None:
    """The same of some tests, one after the other."""
    return first_failure(tree, "-n", "0", "--timeout=60", *tests, seconds=300)


def whole_suite(tree: Path) -> Failure | None:
    """The same of all tests but those of the safeguards, which look at the text itself."""
    return first_failure(tree, "--ignore=tests/mutants", seconds=1800)

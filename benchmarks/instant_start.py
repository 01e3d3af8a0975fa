"""What a person waits for before a command begins."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.standins import Settings

_TIMES = 9
_CLICK = ("-c", "import click")


def measure(folder: Path, settings: Settings) -> Iterator[Figure]:
    """`status` looks at the database in `folder`, with `settings` in force."""
    environ = {**os.environ, **settings, "DB_URL": f"sqlite:///{folder / 'tigertag.db'}"}
    for name, note in (
        ("--help", "nothing but click"),
        ("status", "SQLAlchemy and pydantic too, but no plugin"),
    ):
        click, command = [], []
        for _ in range(_TIMES):  # in turn, so that a busy moment slows both
            click.append(_seconds(_CLICK, environ))
            command.append(_seconds(("-m", "tigertag", name), environ))
        yield Figure(
            f"tigertag {name}",
            1000 * statistics.median(command),
            "ms",
            "lower",
            1000 * statistics.median(click),
            'python -c "import click"',
            f"median of {_TIMES} starts; imports {note}",
        )


def _seconds(arguments: tuple[str, ...], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environ, check=True, capture_output=True)
    return time.perf_counter() - began

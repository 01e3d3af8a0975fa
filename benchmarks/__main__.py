"""`python -m benchmarks` (or `make bench`): one line of JSON for each figure."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.figure import Figure

PARTS = (
    "first_scan",
    "first_edits",
    "second_scan",
    "large_library",
    "memory",
    "executors",
    "local_engines",
    "changed_policy",
    "large_database",
    "embedding",
    "folder",
    "vocabulary",
    "clip",
    "one_more_word",
    "preprocessing",
)


def figures(folder: Path, *, full: bool, only: Sequence[str]) -> Iterator[Figure]:
    """All figures, or those of the modules named in `only`, each as soon as it is measured."""
    for name in only or PARTS:
        # Imported late: worker processes import this module again, and what they import counts.
        yield from import_module(f"benchmarks.{name}").measure(folder / name, full=full)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes of the goals: half an hour")
    parser.add_argument("--only", action="append", choices=PARTS, help="this module alone; may be repeated")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tigertag-bench-") as folder:
        for figure in figures(Path(folder), full=asked.full, only=asked.only or ()):
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main()

"""`python -m tests.torture [--full] [--only BOUNDARY]`: exit 1 where something is not borne."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator, Sequence

from tests.torture.boundaries import BOUNDARIES
from tests.torture.table import is_good, lines
from tests.torture.trial import Cell, Miss, Trial


def tried(names: Sequence[str], full: bool) -> Iterator[Trial]:
    """All trials of these boundaries; misses and the time taken are told at once, on stderr."""
    for name in names:
        began, count = time.monotonic(), 0
        for trial in _whole(name, full):
            count += not trial.untried
            for miss, note in trial.misses.items():
                print(f"{miss}: {trial.name}: {note}", file=sys.stderr, flush=True)
            yield trial
        print(f"{name}: {count} trials in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _whole(name: str, full: bool) -> Iterator[Trial]:
    """The trials of a boundary. Where the torture itself breaks, that is a miss, and the next one goes on."""
    try:
        yield from BOUNDARIES[name](full)
    except Exception as error:  # noqa: BLE001 - an hour's other trials are still to be told
        traceback.print_exc()
        yield Trial(
            Cell(name, "the torture itself broke", "-"), misses={Miss.HUNG: ascii(error)[:200]}, injected=0
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every system call, every fault; an hour or two")
    parser.add_argument("--only", choices=sorted(BOUNDARIES), action="append", help="this boundary alone")
    options = parser.parse_args()
    trials = list(tried(options.only or list(BOUNDARIES), options.full))
    for line in lines(trials):
        print(line)
    return 0 if is_good(trials) else 1


if __name__ == "__main__":
    sys.exit(main())

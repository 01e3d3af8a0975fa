"""`python -m tests.torture [--full] [--only BOUNDARY] [--jobs N]`: exit 1 where something is not borne."""

from __future__ import annotations

import argparse
import sys

from tests.torture.boundaries import BOUNDARIES
from tests.torture.table import is_good, lines
from tests.torture.trying import all_tried


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every system call, every fault; an hour or two")
    parser.add_argument("--only", choices=sorted(BOUNDARIES), action="append", help="this boundary alone")
    parser.add_argument("--jobs", type=int, default=1, help="boundaries tried at once; 1 unless told")
    options = parser.parse_args()
    trials = all_tried(options.only or list(BOUNDARIES), options.full, options.jobs)
    for line in lines(trials):
        print(line)
    return 0 if is_good(trials) else 1


if __name__ == "__main__":
    sys.exit(main())

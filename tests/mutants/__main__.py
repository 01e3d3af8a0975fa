"""`python -m tests.mutants [--only NAME…] [--all-tests]`: removes safeguards one at a time and asks the tests.

Exit 1 where more than one in twenty is not noticed, 2 where the tests fail with everything in place.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.asking import Failure, NoAnswer, named, whole_suite
from tests.mutants.safeguard import Safeguard
from tests.mutants.safeguards import SAFEGUARDS
from tests.mutants.trees import ROOT, copied, without

_AT_ONCE = 2
_SHOWN = 100  # Characters of what the test said.
_ONE_IN = 20
"""So many may go unnoticed, as two of forty."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """A folder with a copy of the tree with everything in place, in which it is asked what the tests notice."""

    folder: Path
    whole: Path

    def by_named_tests(self, safeguard: Safeguard) -> Failure | None:
        """The first of the tests named for it that fails without it."""
        with self._without(safeguard) as tree:
            return named(tree, [safeguard.noticed_by])

    def by_all_tests(self, safeguard: Safeguard) -> Failure | None:
        """The first of all tests that fails without it, twice, and does not fail with it."""
        with self._without(safeguard) as tree:
            found = whole_suite(tree)
            if found is not None and named(tree, [found.test]) is None:
                raise NoAnswer(
                    f"{found.test} fails without `{safeguard.name}`, and then it does not: {found.said}"
                )
        if found is not None and named(self.whole, [found.test]) is not None:
            raise NoAnswer(f"{found.test} fails with everything in place, too: {found.said}")
        return found

    @contextmanager
    def _without(self, safeguard: Safeguard) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield without(safeguard, self.whole, Path(folder, "tree"))


def _told(safeguard: Safeguard, found: Failure | None) -> bool:
    what = f"noticed by {found.test} ({found.said[:_SHOWN]})" if found else f"NOT NOTICED: {safeguard.protects}"
    print(f"{safeguard.name:<42} {what}", flush=True)
    return found is not None


def ask(rounds: Rounds, chosen: Sequence[Safeguard], *, all_tests: bool) -> int:
    """How many of the chosen are noticed; a line is printed for each."""
    left = list(chosen) if all_tests else []
    noticed = 0
    if not all_tests:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for safeguard, found in zip(chosen, pool.map(rounds.by_named_tests, chosen), strict=True):
                if found is None:
                    left.append(safeguard)
                else:
                    noticed += _told(safeguard, found)
    return noticed + sum(_told(safeguard, rounds.by_all_tests(safeguard)) for safeguard in left)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends, too
    names = [each.name for each in SAFEGUARDS]
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", choices=names, nargs="+", metavar="NAME", help="; ".join(names))
    parser.add_argument(
        "--all-tests", action="store_true", help="ask the whole suite, not the named tests first"
    )
    options = parser.parse_args()
    chosen = [each for each in SAFEGUARDS if not options.only or each.name in options.only]
    with tempfile.TemporaryDirectory(prefix="tigertag-mutants-") as folder:
        rounds = Rounds(Path(folder), copied(ROOT, Path(folder, "whole")))
        tests = dict.fromkeys(each.noticed_by for each in chosen)
        try:
            broken = named(rounds.whole, list(tests))
            if broken is not None:
                print(f"{broken.test} fails with everything in place: {broken.said}", file=sys.stderr)
                return 2
            noticed = ask(rounds, chosen, all_tests=options.all_tests)
        except (LookupError, NoAnswer) as error:
            print(error, file=sys.stderr)
            return 2
    print(f"{noticed} of {len(chosen)} safeguards, removed one at a time, are noticed")
    return 1 if len(chosen) - noticed > len(chosen) // _ONE_IN else 0


if __name__ == "__main__":
    sys.exit(main())

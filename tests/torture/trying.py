"""Trying boundaries, one after another or several at once."""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.torture.boundaries import BOUNDARIES
from tests.torture.trial import Cell, Miss, Trial


def tried(name: str, full: bool) -> Sequence[Trial]:
    """The trials of a boundary; misses and the time taken are told at once, on stderr."""
    began = time.monotonic()
    trials = []
    for trial in _whole(name, full):
        for miss, note in trial.misses.items():
            print(f"{miss}: {trial.name}: {note}", file=sys.stderr, flush=True)
        trials.append(trial)
    count = sum(1 for trial in trials if not trial.untried)
    print(f"{name}: {count} trials in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return trials


def all_tried(names: Sequence[str], full: bool, jobs: int) -> list[Trial]:
    """The trials of these boundaries, so many of which are tried at once, each in a process of its own."""
    if jobs == 1:
        return [trial for name in names for trial in tried(name, full)]
    # Not forked: what a trial starts would be given the others' pipes and servers.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        return [trial for trials in pool.map(partial(tried, full=full), names) for trial in trials]


def _whole(name: str, full: bool) -> Iterator[Trial]:
    """The trials of a boundary. Where the torture itself breaks, that is a miss, and the next one goes on."""
    try:
        yield from BOUNDARIES[name](full)
    except Exception as error:  # noqa: BLE001 - an hour's other trials are still to be told
        traceback.print_exc()
        yield Trial(
            Cell(name, "the torture itself broke", "-"), misses={Miss.HUNG: ascii(error)[:200]}, injected=0
        )

"""The one table: what was injected at each boundary, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, product

from tests.torture.trial import GRAVE, Cell, Miss, Trial

WANTED = 0.98
"""The least share of trials with the right exit code and the right words."""


def lines(trials: Sequence[Trial]) -> Iterator[str]:
    """The table, below it every miss by name, and the cells that were not tried."""
    tried = [trial for trial in trials if not trial.untried]
    rows = [_heads()]
    rows += [_row(name, of) for name, of in _by_boundary(tried)]
    rows.append(_row("all", tried))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(_padded(row, widths)).rstrip()
    yield f"right words and exit codes: {right(tried):.1%} of {len(tried)} trials"
    for trial in tried:
        for miss, note in trial.misses.items():
            yield f"MISS {miss}: {trial.name}: {note}"
    yield from _not_tried(trials)


def is_good(trials: Iterable[Trial]) -> bool:
    """Nothing lost, billed beyond the bound, hung or leaked, and nearly all words and codes right."""
    tried = [trial for trial in trials if not trial.untried]
    return right(tried) >= WANTED and not any(GRAVE & trial.misses.keys() for trial in tried)


def right(tried: Sequence[Trial]) -> float:
    """The share of trials with the right exit code and words, 0..1; 1 of none."""
    wrong = sum(1 for trial in tried if {Miss.EXIT, Miss.WORDS} & trial.misses.keys())
    return 1 - wrong / len(tried) if tried else 1.0


def _heads() -> list[str]:
    return ["boundary", "faults injected", "survived", *Miss]


def _row(name: str, trials: Sequence[Trial]) -> list[str]:
    """Faults are what was injected; a trial with a miss counts once in the column of each of its misses."""
    injected = sum(trial.injected for trial in trials)
    survived = sum(trial.injected for trial in trials if trial.survived)
    return [
        name,
        str(injected),
        str(survived),
        *(str(sum(1 for trial in trials if miss in trial.misses)) for miss in Miss),
    ]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    yield row[0].ljust(widths[0])
    for cell, width in zip(row[1:], widths[1:], strict=True):
        yield cell.rjust(width)


def _by_boundary(trials: Iterable[Trial]) -> Iterator[tuple[str, list[Trial]]]:
    for name, of in groupby(sorted(trials, key=_boundary), key=_boundary):
        yield name, list(of)


def _boundary(trial: Trial) -> str:
    return trial.cell.boundary


def _not_tried(trials: Sequence[Trial]) -> Iterator[str]:
    """Of each boundary every fault × phase without a trial: with its reason, or just left out."""
    tried = {trial.cell for trial in trials if not trial.untried}
    reasons = {trial.cell: trial.untried for trial in trials if trial.untried and trial.cell not in tried}
    parts = [trial for trial in trials if trial.untried and trial.at and trial.cell in tried]
    left_out = sorted(set(_grid({trial.cell for trial in trials})) - tried - reasons.keys())
    yield f"cells tried: {len(tried)}; not tried: {len(reasons) + len(left_out)}"
    for cell, reason in sorted(reasons.items()):
        yield f"NOT TRIED {cell}: {reason}"
    for trial in parts:
        yield f"NOT TRIED {trial.name}: {trial.untried}"
    for (boundary, fault), cells in groupby(left_out, key=lambda cell: (cell.boundary, cell.fault)):
        yield f"NOT TRIED {boundary} × {fault} × {', '.join(cell.phase for cell in cells)}"


def _grid(cells: Iterable[Cell]) -> Iterator[Cell]:
    for name, group in groupby(sorted(cells), key=lambda cell: cell.boundary):
        of = list(group)
        for fault, phase in product({cell.fault for cell in of}, {cell.phase for cell in of}):
            yield Cell(name, fault, phase)

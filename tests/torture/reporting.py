"""The short table at the end of `make test`, whichever worker ran which boundary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.torture.table import lines
from tests.torture.trial import Cell, Miss, Trial

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

PROPERTY = "torture"
"""A test's property with its trials: properties travel from workers to the terminal."""


def packed(trials: Sequence[Trial]) -> str:
    """The trials as text."""
    return json.dumps(
        [
            [
                [trial.cell.boundary, trial.cell.fault, trial.cell.phase],
                trial.at,
                {miss.name: note for miss, note in trial.misses.items()},
                trial.injected,
                trial.untried,
            ]
            for trial in trials
        ]
    )


def unpacked(text: str) -> list[Trial]:
    """What `packed` was given."""
    return [
        Trial(Cell(*cell), at, {Miss[name]: note for name, note in misses.items()}, injected, untried)
        for cell, at, misses, injected, untried in json.loads(text)
    ]


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Prints the table of all trials of this run of pytest, where there were any."""
    trials = [
        trial
        for status in ("passed", "failed")
        for report in terminalreporter.getreports(status)
        if report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
        for trial in unpacked(str(value))
    ]
    if trials:
        terminalreporter.section("faults injected (the long form: make torture FULL=1)")
        for line in lines(trials):
            terminalreporter.line(line)

"""One fault, injected at one moment, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Miss(StrEnum):
    """A way in which the program failed a trial; the value heads a column of the table."""

    LOST = "lost"  # a tag, lock, verdict or paid answer; or exit 0 or silence with something lost or undone
    BILLED = "billed beyond the bound"
    HUNG = "hung"
    EXIT = "wrong exit code"
    WORDS = "wrong words"
    LEAKED = "leaked"


GRAVE = frozenset({Miss.LOST, Miss.BILLED, Miss.HUNG, Miss.LEAKED})
"""Not one of these is borne. Of the others at most two in a hundred trials may have one."""


@dataclass(frozen=True, order=True)
class Cell:
    """What was tried: `Cell("Plex", "reset after the work is done", "write")`."""

    boundary: str
    fault: str
    phase: str

    def __str__(self) -> str:
        return f"{self.boundary} × {self.fault} × {self.phase}"


@dataclass(frozen=True)
class Trial:
    """A cell that was tried once, and how the program failed: nothing in `misses` is survived.

    `at` tells trials of one cell apart ("3rd commit"). `injected` is the number of faults that really struck,
    counted where they were injected. A trial with `untried` says why its cell could not be tried here, and is
    counted nowhere else.
    """

    cell: Cell
    at: str = ""
    misses: Mapping[Miss, str] = field(default_factory=dict)
    injected: int = 1
    untried: str = ""

    @property
    def survived(self) -> bool:
        return not self.misses

    @property
    def name(self) -> str:
        return f"{self.cell}, {self.at}" if self.at else str(self.cell)


def untried(cell: Cell, why: str, at: str = "") -> Trial:
    """A cell, or the places of it that `at` names: cannot be tried here, or left out to save time."""
    return Trial(cell, at, injected=0, untried=why)


def missed(**notes: str | None) -> dict[Miss, str]:
    """The misses with a note, by their names in lower case: `missed(exit="0 for 6", lost=None)`."""
    return {Miss[name.upper()]: note for name, note in notes.items() if note}

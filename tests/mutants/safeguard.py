"""What keeps a promise, as text that can be taken out of the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A line or two that a promise hangs on."""

    name: str
    file: str
    """Where it stands, from the root of the tree."""
    source: str
    """Its exact text, which stands there once."""
    without: str
    """What stands in its place when it is gone."""
    protects: str
    """The promise, or the row of RELIABILITY."""
    file_of_tests: str
    """Where it should be noticed first."""
    test: str = ""
    """The test there, as pytest names it; by default all of them."""

    @property
    def noticed_by(self) -> str:
        """What to ask pytest for."""
        return f"{self.file_of_tests}::{self.test}" if self.test else self.file_of_tests

    def removed_from(self, tree: Path) -> str:
        """The text of its file without it. Raises LookupError where it is not there exactly once."""
        text = (tree / self.file).read_text(encoding="utf-8")
        found = text.count(self.source)
        if found != 1:
            raise LookupError(f"{self.name}: its text stands in {self.file} {found} times, not once")
        return text.replace(self.source, self.without)

"""A terminal for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """With three photos of different days."""
    made = Terminal(tmp_path)
    made.draw("a.jpg", taken="2020:05:01 10:00:00")
    made.draw("sea/b.jpg", taken="2021:07:02 13:00:00", keywords=["beach"])
    made.draw("sea/c.jpg", taken="2022:12:03 21:00:00")
    return made

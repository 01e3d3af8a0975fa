"""A plugin for pytest: sees to it that a copy of the program is tested, and writes down what fails.

Written down at once, because some tests do not end any more once the safeguard is gone that ended them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tigertag

FAILURES = "MUTANT_FAILURES"
"""The variable with the file that gets a line for each failure: the test, a tab, what it said."""


def pytest_configure(config: pytest.Config) -> None:
    here = Path(tigertag.__file__).resolve().parents[1]
    if here != config.rootpath.resolve():
        raise pytest.UsageError(f"the program in {here} would be tested, not the one in {config.rootpath}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = " ".join(str(getattr(crash, "message", "")).split())
        with Path(os.environ[FAILURES]).open("a", encoding="utf-8") as file:
            file.write(f"{report.nodeid}\t{said[:200]}\n")

"""Copies of the tree: one with everything in place, and one for each safeguard, without it."""

from __future__ import annotations

import py_compile
import shutil
from importlib.util import cache_from_source
from pathlib import Path

from tests.mutants.safeguard import Safeguard

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns(".*_cache", ".git", ".hypothesis", ".venv", "build", "demo", "dist", "*.db*")


def copied(tree: Path, to: Path) -> Path:
    """A copy of a tree, with what Python compiled of it: it knows by size and time what it belongs to."""
    return Path(shutil.copytree(tree, to, ignore=_LEFT_OUT, symlinks=True))


def without(safeguard: Safeguard, tree: Path, to: Path) -> Path:
    """A copy without a safeguard. Raises LookupError where its text is not there exactly once."""
    left = safeguard.removed_from(tree)
    copy = copied(tree, to)
    file = copy / safeguard.file
    file.write_text(left, encoding="utf-8")
    Path(cache_from_source(str(file))).unlink(missing_ok=True)
    py_compile.compile(str(file), doraise=True)
    return copy

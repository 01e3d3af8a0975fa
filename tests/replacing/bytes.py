"""What stands in a file before and after, and what lies beside it."""

from __future__ import annotations

from pathlib import Path

OLD, NEW = b"old " * 5000, b"new " * 6000


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}

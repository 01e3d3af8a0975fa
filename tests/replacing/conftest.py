"""The file that is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replacing.bytes import OLD


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "x.jpg"
    path.write_bytes(OLD)
    return path

"""exiftool, one for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tigertag.exiftool import ExifTool
from tigertag.targets.xmp.embedded import Embedded
from tigertag.xmp.fields import Way


@pytest.fixture(scope="session")
def tool() -> Iterator[ExifTool]:
    """Starts at its first question."""
    with ExifTool() as running:
        yield running


@pytest.fixture
def embedded(tool: ExifTool) -> Embedded:
    return Embedded(tool, Way())

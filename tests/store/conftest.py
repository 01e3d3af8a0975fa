"""The houses of the pipeline's tests, and a later TigerTag."""

from pathlib import Path

import pytest

from tests.pipeline.conftest import any_house
from tests.store.later import make_later

__all__ = ["any_house", "later"]


@pytest.fixture
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The migrations of a later TigerTag: ours and one that changes a table others point to."""
    return make_later(tmp_path_factory.mktemp("later"))

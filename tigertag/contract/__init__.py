"""What plugins promise, as tests that a plugin's own tests inherit. They run with pytest.

from tigertag.contract import Bench, EngineContract

class TestBrightness(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(Brightness, options={})
"""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in ("engine", "source", "target")))

from tigertag.contract.engine import Bench, EngineContract, Outcome, ask, said  # noqa: E402
from tigertag.contract.source import Shelf, SourceContract  # noqa: E402
from tigertag.contract.stand_ins import BrokenPhoto, FakeMemory, FakePermit, FakePhoto, photos  # noqa: E402
from tigertag.contract.target import KeepingTargetContract, TargetContract, Wall  # noqa: E402

__all__ = [
    "Bench",
    "BrokenPhoto",
    "EngineContract",
    "FakeMemory",
    "FakePermit",
    "FakePhoto",
    "KeepingTargetContract",
    "Outcome",
    "Shelf",
    "SourceContract",
    "TargetContract",
    "Wall",
    "ask",
    "photos",
    "said",
]

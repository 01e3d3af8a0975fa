"""The base of local engines: what an engine of two lines gets from it, and what it may not leave out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pictures import jpeg_bytes
from tigertag.contract.engine import Bench, EngineContract, ask
from tigertag.contract.stand_ins import BrokenPhoto, FakeMemory, photos
from tigertag.errors import PhotoError
from tigertag.local import SMALL_COPY, LocalEngine
from tigertag.model import Analysis, Annotation, Finding, Kind, Photo
from tigertag.options import EngineOptions


class Weigher(LocalEngine):
    """How heavy a small copy is."""

    name = "weigher"
    settings = {}  # noqa: RUF012 - as short as a plugin may be
    renditions = (SMALL_COPY,)

    def answer(self, photo: Photo) -> Analysis:
        weight = len(photo.jpeg(SMALL_COPY))
        return Analysis(photo, (Annotation(Kind.MEASURE, "weight", value=weight),))


def weigher(**options: object) -> Weigher:
    return Weigher(EngineOptions.model_validate(options), FakeMemory())


class TestTheShortestEngine(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(Weigher, options={})


def test_it_computes_in_workers_and_sends_nothing() -> None:
    engine = weigher()
    assert (engine.runs_in, engine.billed, engine.sends) == ("worker", False, "nothing leaves this computer")


def test_options_say_how_many_run_side_by_side() -> None:
    assert weigher(concurrency=7).concurrency == 7


def test_a_photo_that_fails_is_named_and_holds_up_no_other() -> None:
    first, last = photos(2)
    broken = BrokenPhoto(jpeg_bytes(9), "broken.jpg")
    outcomes = ask(weigher(), [first, broken, last])
    assert [outcome.photo for outcome in outcomes] == [first, broken, last]
    assert [type(outcome) for outcome in outcomes] == [Analysis, PhotoError, Analysis]


def test_check_says_what_it_does_and_that_nothing_leaves() -> None:
    engine = weigher()
    assert list(engine.check()) == [Finding(True, "weigher is ready; nothing leaves this computer")]
    engine.does = "weighs small copies"
    assert list(engine.check()) == [Finding(True, "weigher weighs small copies; nothing leaves this computer")]


@pytest.mark.parametrize("missing", ["name", "settings", "answer"])
def test_what_only_the_engine_can_know_may_not_be_left_out(missing: str) -> None:
    own = {each: vars(Weigher)[each] for each in ("name", "settings", "answer") if each != missing}
    unfinished: Any = type("Unfinished", (LocalEngine,), own)
    with pytest.raises(TypeError, match=missing):
        unfinished(EngineOptions.model_validate({}), FakeMemory())

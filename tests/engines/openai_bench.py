"""Engines that ask a vision server and never wait, for the tests of openai."""

from __future__ import annotations

from typing import Any

from tests.servers.openai import VisionServer
from tigertag.contract.engine import Outcome, ask
from tigertag.contract.stand_ins import FakeMemory, FakePermit, photos
from tigertag.engines.openai import OpenAIEngine, OpenAIOptions
from tigertag.model import Analysis, Annotation, Kind, Photo


class Waits(list[float]):
    """Writes waits down instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def build(server: VisionServer, waits: Waits | None = None, **changes: Any) -> OpenAIEngine:
    options = OpenAIOptions.model_validate({**server.options, "timeout": 5, **changes})
    sleep = Waits() if waits is None else waits
    return OpenAIEngine(options, FakeMemory(), sleep=sleep, uniform=lambda _, most: most)


def started(server: VisionServer, waits: Waits | None = None, **changes: Any) -> OpenAIEngine:
    engine = build(server, waits, **changes)
    engine.start()
    return engine


def one(engine: OpenAIEngine, permit: FakePermit | None = None, photo: Photo | None = None) -> Outcome:
    (outcome,) = ask(engine, [photo or photos(1)[0]], permit)
    return outcome


def of_kind(outcome: Outcome, kind: Kind) -> list[Annotation]:
    assert isinstance(outcome, Analysis), outcome
    return [one for one in outcome.annotations if one.kind is kind]


def names(outcome: Outcome) -> list[str]:
    return [tag.name for tag in of_kind(outcome, Kind.TAG)]


def measures(outcome: Outcome) -> dict[str, object]:
    return {one.name: one.value for one in of_kind(outcome, Kind.MEASURE)}

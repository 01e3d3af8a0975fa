"""Engines that bill nobody ask for a permit before they repeat a request, so that limits and the lock hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.base import Fault, Service
from tests.servers.compreface import CompreFace
from tests.servers.openai import VisionServer
from tigertag.contract.engine import Bench, ask
from tigertag.contract.stand_ins import FakePermit, photos
from tigertag.engines.compreface import CompreFaceEngine
from tigertag.engines.openai import OpenAIEngine
from tigertag.errors import PluginDown
from tigertag.model import Analysis


@pytest.fixture(params=["recognise", "chat"])
def asking(request: pytest.FixtureRequest) -> Iterator[tuple[str, Service, Bench]]:
    """What a request is called, the service, and the engine that asks it."""
    plugin = {"recognise": CompreFaceEngine, "chat": OpenAIEngine}[request.param]
    service = CompreFace() if request.param == "recognise" else VisionServer()
    with service:
        bench = Bench(plugin, service.options, extra={"sleep": lambda _: None})
        yield request.param, service, bench
        for engine in bench.built:
            engine.close()


def test_each_repeat_has_a_permit(asking: tuple[str, Service, Bench]) -> None:
    kind, service, bench = asking
    engine, permit = bench.start(), FakePermit()
    service.fail(kind, Fault.html(503), times=2)
    (outcome,) = ask(engine, photos(1), permit)
    assert isinstance(outcome, Analysis)
    assert (service.counts[kind], len(permit.sends)) == (3, 2)


def test_without_a_permit_nothing_is_repeated(asking: tuple[str, Service, Bench]) -> None:
    kind, service, bench = asking
    engine, permit = bench.start(), FakePermit(budget=1)
    service.fail(kind, Fault.html(503), times=3)
    with pytest.raises(PluginDown, match="the budget of 1 is used"):
        ask(engine, photos(1), permit)
    assert service.counts[kind] == 2

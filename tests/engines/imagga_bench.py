"""Imagga engines that never wait, for the tests of Imagga."""

from __future__ import annotations

from typing import Any

from tests.servers.imagga import Imagga
from tigertag.contract.engine import Outcome, ask
from tigertag.contract.stand_ins import FakeMemory, FakePermit, photos
from tigertag.engines.imagga import ImaggaEngine, ImaggaOptions
from tigertag.model import Photo


class Waits(list[float]):
    """Writes waits down instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def build(imagga: Imagga, waits: Waits | None = None, limit: float = 5, **changes: Any) -> ImaggaEngine:
    """An engine that never sleeps; `limit` is the time one request may take."""
    options = ImaggaOptions.model_validate({**imagga.options, **changes})
    sleep = Waits() if waits is None else waits
    return ImaggaEngine(
        options,
        FakeMemory(),
        sleep=sleep,
        uniform=lambda _, most: most,
        read_timeout=limit,
        total_timeout=limit,
    )


def started(imagga: Imagga, waits: Waits | None = None, limit: float = 5, **changes: Any) -> ImaggaEngine:
    engine = build(imagga, waits, limit, **changes)
    engine.start()
    return engine


def named(option: str, value: object) -> dict[str, Any]:
    return {option: value}


def one(engine: ImaggaEngine, permit: FakePermit | None = None, photo: Photo | None = None) -> Outcome:
    (outcome,) = ask(engine, [photo or photos(1)[0]], permit)
    return outcome

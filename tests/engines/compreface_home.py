"""A CompreFace service with a faces folder before it, for tests of people and examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.compreface import CompreFace
from tests.servers.compreface_faces import draw_people
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.compreface import CompreFaceEngine, CompreFaceOptions
from tigertag.model import Synced

ANNA_1, ANNA_2, BEN = (
    draw_people(who, seed=seed) for who, seed in (("magenta", 1), ("magenta", 2), ("lime", 3))
)


class Home:
    """A service, a faces folder, and a memory; each engine is a new run."""

    def __init__(self, service: CompreFace, folder: Path) -> None:
        self.service, self.folder, self.memory = service, folder, FakeMemory()
        self.options: dict[str, object] = {**service.options, "faces_folder": folder}

    def engine(self, memory: FakeMemory | None = None, **changes: object) -> CompreFaceEngine:
        options = CompreFaceOptions.model_validate({**self.options, **changes})
        return CompreFaceEngine(options, memory or self.memory, sleep=lambda _: None)

    def sync(self, *, dry_run: bool = False, **changes: object) -> Synced:
        engine = self.engine(None, **changes)
        try:
            return engine.sync(dry_run=dry_run)
        finally:
            engine.close()

    def start(self) -> CompreFaceEngine:
        engine = self.engine()
        engine.start()
        engine.close()
        return engine

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def there(self) -> dict[str, int]:
        """Subject → number of examples, as the service has them."""
        return {name: len(self.service.of_subject(name)) for name in self.service.subjects}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with CompreFace() as service:
        home = Home(service, tmp_path / "faces")
        home.put("Anna/1.jpg", ANNA_1)
        home.put("Anna/2.jpg", ANNA_2)
        home.put("Ben/1.jpg", BEN)
        yield home
        assert service.damage == []

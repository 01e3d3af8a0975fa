"""A database of 100,000 photos and a million annotations: what looking, and writing nothing, take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figure import Figure
from tests import databases, large
from tests.house import House
from tigertag.app import looking
from tigertag.store.database import Database

PHOTOS, MANY = 10_000, 100_000

_ACTS: Mapping[str, Callable[[House], object]] = {
    "status": lambda house: looking.status(house.app),
    "show": lambda house: looking.show(house.app, "p7"),
    "write with nothing to do": lambda house: house.write(),
}


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """On SQLite; the baseline is a tenth of the size."""
    size = MANY if full else PHOTOS
    with _furnished(folder / "large", size) as house, _furnished(folder / "small", size // 10) as small:
        for name, act in _ACTS.items():
            act(house), act(small)  # what is compiled and cached once is no part of the figure
            note = f"{size:,} photos, {10 * size:,} annotations in SQLite; the target in memory"
            against = f"the same with {size // 10:,} photos"
            yield Figure(name, _seconds(act, house), "s", "lower", _seconds(act, small), against, note)


@contextmanager
def _furnished(folder: Path, photos: int) -> Iterator[House]:
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder / 'tigertag.db'}"
    databases.migrate(url)
    with Database.open(url) as database:
        house = House(database, url)
        try:
            large.furnish(house, photos)
            yield house
        finally:
            house.close()


def _seconds(act: Callable[[House], object], house: House) -> float:
    """The least of three times."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        act(house)
        times.append(time.perf_counter() - began)
    return min(times)

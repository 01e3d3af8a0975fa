"""What an engine takes for a photo, measured in a run for the forecasts of later ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lap:
    """The time of one batch, in seconds, less the waits in it. Belongs to one thread."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._began, self._waited = clock, clock(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """What is done in here is no work of the engine: it waits for rate and permit."""
        began = self._clock()
        try:
            yield
        finally:
            self._waited += self._clock() - began

    @property
    def seconds(self) -> float:
        return self._clock() - self._began - self._waited


class Pace:
    """The laps of a run. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._photos, self._seconds = 0, 0.0

    def add(self, photos: int, seconds: float) -> None:
        with self._lock:
            self._photos += photos
            self._seconds += seconds

    @property
    def seconds_per_photo(self) -> float | None:
        """None where none was answered."""
        with self._lock:
            return self._seconds / self._photos if self._photos else None

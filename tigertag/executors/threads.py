"""Tasks in threads of this process: nothing to start, but a decoder that crashes ends the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tigertag.errors import TigerTagError
from tigertag.worker import Result, Task, Thing


class Threads:
    """So many threads."""

    is_local = True

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool = ThreadPoolExecutor(size, "tigertag-work")

    def submit(
        self, task: Task[Thing, Result], things: Sequence[Thing], resources: Mapping[str, float]
    ) -> Future[list[Result | TigerTagError]]:
        return self._pool.submit(task, things)

    def close(self) -> None:
        """Waits for what runs. Twice is once."""
        self._pool.shutdown(wait=True, cancel_futures=True)

"""Photos in flight: fetched, prepared by the workers, and not answered by all engines yet."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from tigertag.errors import PhotoError, TigerTagError, TransientError
from tigertag.media import OpenPhoto
from tigertag.model import Item, Rendition
from tigertag.pipeline.due import DueItem
from tigertag.pipeline.lane import Key
from tigertag.pipeline.workshop import TASKS, Workshop
from tigertag.worker import Made, Render


@dataclass(slots=True)
class InFlight:
    """An item between fetch and the last answer."""

    due: DueItem
    item: Item
    photo: OpenPhoto | None = None
    asks: tuple[tuple[str, Key], ...] = ()
    """Engines that have not answered yet, and what the answers would belong to."""
    is_asked: bool = False
    """They were given it, as far as they had room."""
    keys: set[Key] = field(default_factory=set)
    """Answers that are still to come."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The pictures that the engines of an item want, or why there are none."""

    row_id: int
    made: Made | TigerTagError

    def made_of(self, renditions: Sequence[Rendition]) -> Mapping[Rendition, bytes | TigerTagError]:
        if not isinstance(self.made, TigerTagError):
            return self.made
        error = self.made
        if not isinstance(error, PhotoError):  # an extra that a worker lacks: another one may have it
            error = TransientError(str(error))
        return dict.fromkeys(renditions, error)


@dataclass(slots=True)
class Preparing:
    """Decoding for the photos in flight. Only the coordinator calls it."""

    workshop: Workshop
    events: queue.SimpleQueue[object]
    waiting: deque[int] = field(default_factory=deque)
    """Row ids, in the order in which they came."""
    under_way: int = 0

    @property
    def is_busy(self) -> bool:
        return bool(self.under_way or self.waiting)

    @property
    def has_room(self) -> bool:
        """Whether the workers should get one more; what is given to them is not taken back."""
        return self.under_way < TASKS * self.workshop.workers.size

    def start(self, row_id: int, photo: OpenPhoto, renditions: tuple[Rendition, ...]) -> None:
        """Lets workers make these; `Prepared` comes as an event."""
        self.under_way += 1
        future = self.workshop.submit(Render(renditions), [photo.file])
        future.add_done_callback(partial(self._done, row_id))

    def _done(self, row_id: int, future: Future[list[Made | TigerTagError]]) -> None:
        """In a worker's thread: only the coordinator's acts on it."""
        (made,) = future.result()
        self.events.put(Prepared(row_id, made))

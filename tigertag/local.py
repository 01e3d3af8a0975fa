"""The base of engines that compute on this computer: what they all answer alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from tigertag import __version__
from tigertag.errors import PhotoError, TransientError
from tigertag.model import JSON, Analysis, Engine, Finding, Memory, Permit, Photo, Quota, Rendition
from tigertag.options import EngineOptions

SMALL_COPY = Rendition(long_side=512)
"""For engines that need no more: where all want the same one, it is made once."""


class LocalEngine(Engine):
    """An engine that asks nobody. A subclass gives `name`, `settings` and `answer`, and what else is its own.

    It looks at photos one at a time, in worker processes or on a cluster, and costs nothing. A subclass may set
    any of its attributes anew, in `__init__` where options decide it.
    """

    Options: ClassVar[type[EngineOptions]] = EngineOptions
    version: str = __version__
    """For the record only; what changes the answers belongs into `settings`."""
    reads: Literal["picture", "file"] = "picture"
    billed: bool = False
    batch_size: int = 1
    concurrency: int = 1
    renditions: Sequence[Rendition] = ()
    runs_in: Literal["thread", "worker"] = "worker"
    resources: Mapping[str, float] = {}
    sends: str = "nothing leaves this computer"
    does: str = "is ready"
    """What `check` says after the engine's name: `looks at small copies`."""

    def __init__(self, options: EngineOptions, memory: Memory) -> None:
        """`memory` stays empty."""
        self.concurrency = options.concurrency

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, JSON]: ...

    @abstractmethod
    def answer(self, photo: Photo) -> Analysis:
        """What it says of one photo. Raises PhotoError where it cannot look at it."""

    def start(self) -> None:
        """Nothing to ask."""

    def quota(self) -> Quota | None:
        """Nothing limits it."""
        return None

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterator[Analysis | PhotoError | TransientError]:
        """One outcome for each photo, in their order; a photo that fails holds up no other."""
        for photo in photos:
            yield self._outcome(photo)

    def _outcome(self, photo: Photo) -> Analysis | PhotoError:
        try:
            return self.answer(photo)
        except PhotoError as error:
            return PhotoError(str(error), photo)

    def check(self) -> Iterable[Finding]:
        yield Finding(True, f"{self.name} {self.does}; {self.sends}")

    def close(self) -> None:
        """Nothing stays open."""

"""What says annotations about photos, and asks before it sends what may be billed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from tigertag.errors import PhotoError, TransientError
from tigertag.model.photo import Analysis, Photo, Rendition
from tigertag.model.plugin import Finding
from tigertag.model.words import JSON


class Outcome(StrEnum):
    """What became of a request that may be billed."""

    UNKNOWN = "unknown"
    """Maybe billed: no answer came, or one that says nothing about the bill."""
    BILLED = "billed"
    FREE = "free"
    """Refused by the service."""
    UNSENT = "unsent"
    """It never left: nobody was there to send it to. It is taken back, from the budget too."""


class Send(Protocol):
    """One request that may be billed. What is not settled counts as maybe billed."""

    def settle(self, outcome: Outcome) -> None: ...


class Permit(Protocol):
    """Asked before every request that may be billed, repeats included.

    An engine that is not billed asks before it repeats a request; for the first one it has been asked.
    """

    def __call__(self, photo: Photo) -> Send:
        """Commits a `send` row of what counts. Raises PluginDown where lock, budget or hours forbid it."""
        ...


@dataclass(frozen=True, slots=True)
class Quota:
    """What a billed service says is left."""

    used: int
    limit: int
    left: int
    """Requests that TigerTag will still make: limit less used less the reserve, never below 0."""
    until: str = ""
    """When it starts anew, in the service's words."""


class Engine(Protocol):
    """Says annotations about photos. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def name(self) -> str: ...  # the plugin's name
    @property
    def version(self) -> str: ...
    @property
    def reads(self) -> Literal["picture", "file"]: ...
    @property
    def billed(self) -> bool: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def concurrency(self) -> int: ...  # `analyze` calls side by side; final after `start`

    @property
    def renditions(self) -> Sequence[Rendition]:
        """What it will ask of `Photo.jpeg` for every photo: made beforehand, all from one decode."""
        ...

    @property
    def runs_in(self) -> Literal["thread", "worker"]:
        """`worker`: it computes, so it is built once more, from its options alone, in each worker process.

        There it asks for no permit, remembers nothing, and gets the file only where it `reads` that.
        """
        ...

    @property
    def resources(self) -> Mapping[str, float]:
        """What a machine must have to run it (`GPU` → 1), as a cluster's workers declare it; mostly nothing."""
        ...

    @property
    def sends(self) -> str:
        """What leaves the house and where to: `sends 300 px copies without metadata to api.imagga.com`."""
        ...

    @property
    def settings(self) -> Mapping[str, JSON]:
        """All that changes the answer, no secrets → fingerprint of a revision. No I/O beyond own files."""
        ...

    def start(self) -> None:
        """Asks the service whether it can work, what is left, and brings it up to date. Once, before photos.

        Raises PluginDown. Never called in a dry run.
        """
        ...

    def quota(self) -> Quota | None:
        """As known since `start`, less what was sent; None where nothing limits."""
        ...

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterable[Analysis | PhotoError | TransientError]:
        """One outcome for each photo, in any order, each naming its photo. Raises PluginDown."""
        ...

    def check(self) -> Iterable[Finding]: ...

    def close(self) -> None:
        """Twice is once. From another thread it ends waits between tries; a request under way is finished."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A person an engine knows, with the number of example pictures: those TigerTag added, and others'."""

    name: str
    ours: int
    others: int
    wanted: int
    """Examples that the faces folder and configuration ask for."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync of people did, or would do: example pictures by name, and problems in a sentence each."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: int = 0
    problems: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    """Ours that nobody wants any more, and whose removal nobody asked for."""


@runtime_checkable
class KnowsPeople(Protocol):
    """An engine that recognises people from example pictures."""

    def people(self) -> Sequence[Person]: ...

    def sync(self, *, dry_run: bool = False) -> Synced:
        """Idempotent. Only examples that TigerTag added are ever removed."""
        ...

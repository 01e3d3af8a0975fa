"""What runs in a worker: in another thread, process or machine. Everything here can be pickled.

A task takes several things and gives one outcome for each, in their order; an error of one of them is an
outcome like any other.
"""

from __future__ import annotations

import io
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeVar

from tigertag.errors import ConfigError, PhotoError, PluginDown, TigerTagError, TransientError
from tigertag.media import File, Here, Size
from tigertag.model import JSON, Analysis, Annotation, Engine, Photo, Rendition, Send, Sidecar, fingerprint

if TYPE_CHECKING:  # costs a tenth of a second, which a worker that only decodes can do without
    from tigertag.options import Options

T = TypeVar("T")
Thing = TypeVar("Thing")
Result = TypeVar("Result")

Made: TypeAlias = Mapping[Rendition, bytes]


Task: TypeAlias = Callable[[Sequence[Thing]], "list[Result | TigerTagError]"]
"""Work on several things."""


class Decoding:
    """A task that works on bytes of strangers: to be done under limits, where it can be lost."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Measure(Decoding):
    """The sizes of upright pictures."""

    def __call__(self, files: Sequence[File]) -> list[Size | TigerTagError]:
        return [_outcome(Here().size, file) for file in files]


@dataclass(frozen=True, slots=True)
class Render(Decoding):
    """Pictures in the sizes wanted."""

    renditions: tuple[Rendition, ...]

    def __call__(self, files: Sequence[File]) -> list[Made | TigerTagError]:
        return [_outcome(self._render, file) for file in files]

    def _render(self, file: File) -> Made:
        return Here().render(file, self.renditions)


def _outcome(make: Callable[[File], T], file: File) -> T | TigerTagError:
    try:
        return make(file)
    except TigerTagError as error:
        return error


# ── engines ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What an engine is built from."""

    plugin: str
    options: Options
    fingerprint: str
    """Of the settings it must have when built: another version of it elsewhere would answer otherwise."""


@dataclass(frozen=True, slots=True)
class Parcel(Photo):
    """A photo on its way to an engine in a worker."""

    name: str
    content_id: str
    input: str
    width: int
    height: int
    jpegs: Mapping[Rendition, bytes | TigerTagError] = field(default_factory=dict)
    file: File | None = None
    """For engines that read the file."""
    sidecar: Sidecar | None = None
    """For these, too."""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        with self._file().open() as data:
            yield io.BytesIO(bytes(data))

    def jpeg(self, rendition: Rendition) -> bytes:
        made = self.jpegs.get(rendition)
        if made is None:
            made = Here().render(self._file(), (rendition,))[rendition]
        if isinstance(made, TigerTagError):
            raise made
        return made

    def _file(self) -> File:
        if self.file is None:
            raise ValueError("an engine that reads the picture gets the renditions it declares, and no others")
        return self.file


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine said about one photo."""

    annotations: tuple[Annotation, ...]
    raw: str = ""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Shows photos to an engine, which is built where there is none yet."""

    blueprint: Blueprint

    def __call__(self, photos: Sequence[Parcel]) -> list[Said | TigerTagError]:
        said: dict[int, Said | TigerTagError] = {}
        try:
            for outcome in _analyses(self.blueprint, photos):
                if isinstance(outcome, PhotoError | TransientError):
                    place, told = _place(outcome.photo, photos), outcome
                    outcome.photo = None  # it goes back alone
                    said |= dict.fromkeys(range(len(photos)) if place is None else [place], told)
                else:
                    answer = Said(outcome.annotations, outcome.raw, outcome.dropped)
                    said |= {place: answer for place in [_place(outcome.photo, photos)] if place is not None}
        except TigerTagError as error:
            return [said.get(place, error) for place in range(len(photos))]
        silent = TransientError(f"{self.blueprint.plugin} gave no answer")
        return [said.get(place, silent) for place in range(len(photos))]


class AskFile(Ask, Decoding):
    """The same of an engine that reads the file itself: bytes of strangers, to be looked at under limits."""

    __slots__ = ()

    def __call__(self, photos: Sequence[Parcel]) -> list[Said | TigerTagError]:
        try:
            return Ask.__call__(self, photos)
        except MemoryError:
            return [PhotoError(f"{photo.name} takes too much memory to be read") for photo in photos]


def _analyses(
    blueprint: Blueprint, photos: Sequence[Parcel]
) -> Iterator[Analysis | PhotoError | TransientError]:
    """What the engine says, which is asked by as many threads as it allows."""
    ready = _engine(blueprint)
    with ready.turns:
        yield from ready.engine.analyze(photos, _no_permit)


def _place(photo: Photo | None, photos: Sequence[Parcel]) -> int | None:
    return next((place for place, each in enumerate(photos) if each is photo), None)


def _no_permit(photo: Photo) -> Send:
    raise PluginDown("an engine that runs in a worker may send nothing that is billed")


class _NoMemory:
    """Workers remember nothing: only the coordinator has a database."""

    def get(self, key: str) -> JSON:
        return None

    def set(self, key: str, value: JSON) -> None: ...
    def delete(self, key: str) -> None: ...

    def items(self) -> Sequence[tuple[str, JSON]]:
        return ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """An engine that was started, what it was built from, and how many may ask it at once."""

    blueprint: Blueprint
    engine: Engine
    turns: threading.Semaphore


@dataclass(slots=True)
class _Built:
    """The engines of this process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    engines: list[_Ready] = field(default_factory=list)


_BUILT = _Built()


def _engine(blueprint: Blueprint) -> _Ready:
    """The engine, built once in this process. Raises PluginDown where it is another one than was wanted."""
    with _BUILT.lock:
        ready = next((each for each in _BUILT.engines if each.blueprint == blueprint), None)
        if ready is None:
            ready = _started(blueprint)
            _BUILT.engines.append(ready)
        return ready


def _started(blueprint: Blueprint) -> _Ready:
    from tigertag import plugins  # noqa: PLC0415 - not needed for decoding, so that a worker starts fast

    try:
        found = plugins.find("engine", blueprint.plugin)
    except ConfigError as error:
        raise PluginDown(f"{error} (on the worker {platform.node()})") from error
    engine = plugins.build(found, blueprint.options, _NoMemory())
    if fingerprint(dict(engine.settings)) != blueprint.fingerprint:
        raise PluginDown(
            f"{blueprint.plugin} is not the same on the worker {platform.node()} as here: install the same "
            "version of the plugin and of its model there"
        )
    engine.start()
    return _Ready(blueprint, engine, threading.Semaphore(max(1, engine.concurrency)))

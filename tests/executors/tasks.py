"""Tasks that test workers."""

from __future__ import annotations

import ctypes
import os
import resource
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

from tests.dying import die
from tigertag.errors import MissingDecoder, PhotoError, PluginDown, TigerTagError
from tigertag.executors import limits
from tigertag.worker import Decoding


@dataclass(frozen=True)
class Thing:
    """Something with a name, and what is to be done with it."""

    name: str
    what: str = ""


class Look:
    """Says a thing's name in capitals, or does to the worker what the thing says."""

    def __call__(self, things: Sequence[Thing]) -> list[str | TigerTagError]:
        return [self._look(thing) for thing in things]

    def _look(self, thing: Thing) -> str | TigerTagError:
        if thing.what == "damaged":
            return PhotoError(f"{thing.name} is damaged", raw="{}")
        if thing.what == "rare":
            return MissingDecoder("heic")
        if thing.what == "down":
            raise PluginDown("the model is away", until="Monday")
        if thing.what == "fault":
            raise ZeroDivisionError("nobody divides by that")
        if thing.what == "kill":
            die()
        if thing.what == "crash":
            ctypes.string_at(0)
        return thing.name.upper()


class Decode(Look, Decoding):
    """The same, under the limits of decoding."""


class Unsendable:
    """Its answer cannot be pickled."""

    def __call__(self, things: Sequence[object]) -> list[object | TigerTagError]:
        return [threading.Lock() for _ in things]


@dataclass(frozen=True)
class Tighten:
    """Lowers the limits of the worker that does it, for what it decodes later."""

    seconds: int
    memory: int

    def __call__(self, things: Sequence[object]) -> list[TigerTagError | None]:
        limits.PROCESSOR_SECONDS, limits.MEMORY = self.seconds, self.memory
        return [None for _ in things]


class Burn(Decoding):
    """Takes all the processor time there is."""

    def __call__(self, things: Sequence[object]) -> list[TigerTagError | None]:
        while True:
            pass


class Swell(Decoding):
    """Takes so many bytes of memory."""

    def __call__(self, sizes: Sequence[int]) -> list[int | TigerTagError]:
        return [len(bytearray(size)) for size in sizes]


class Meet:
    """Writes its process id to a pipe, then waits until another says something."""

    def __call__(self, folders: Sequence[Path]) -> list[str | TigerTagError]:
        return [self._meet(folder) for folder in folders]

    def _meet(self, folder: Path) -> str:
        with (folder / "hello").open("wb", buffering=0) as hello:
            hello.write(b"%d\n" % os.getpid())
        with (folder / "go").open() as go:
            return go.readline()


class Hold:
    """Ends when it is told to, by a thread of its process."""

    begun, go = threading.Event(), threading.Event()

    def __call__(self, things: Sequence[str]) -> list[str | TigerTagError]:
        self.begun.set()
        self.go.wait()
        return list(things)


class Where:
    """The names of the Dask workers that did it."""

    def __call__(self, things: Sequence[object]) -> list[str | TigerTagError]:
        return [get_worker().name for _ in things]


class Allowance(Decoding):
    """The processor time that it may take; -1 for any."""

    def __call__(self, things: Sequence[object]) -> list[int | TigerTagError]:
        return [resource.getrlimit(resource.RLIMIT_CPU)[0] for _ in things]

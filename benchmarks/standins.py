"""The stand-ins for Plex, Imagga and CompreFace, in a process of their own: their work is not TigerTag's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeAlias

from PIL import Image

from benchmarks.pictures import different_pictures
from tests.servers.base import Fault
from tests.servers.compreface import CompreFace
from tests.servers.compreface_faces import Seen
from tests.servers.imagga import Imagga
from tests.servers.plex import PlexServer

ENGINE_SECONDS, PLEX_SECONDS, AT_ONCE = 0.05, 0.005, 8
ALBUMS = ("", "Summer", "Summer/Sea", "Summer/Sea/Boats", "2019", "2019/Winter")

Settings: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large the libraries are: `whole` have pictures, `listed` have entries in the listing only."""

    whole: int = 0
    listed: int = 0


@dataclass(frozen=True, slots=True)
class StandIns:
    """What runs over there. All Plex servers hold the same photos."""

    engines: Settings
    plex: tuple[Settings, ...]
    _pipe: Connection

    def settings(self, number: int = 0) -> Settings:
        """Variables for the engines and one of the Plex servers."""
        return {**self.plex[number], **self.engines}

    def requests(self) -> list[dict[str, int]]:
        """Requests to each Plex server since last asked, by kind."""
        self._pipe.send("requests")
        counts: list[dict[str, int]] = self._pipe.recv()
        return counts

    def damage(self) -> list[str]:
        """What a careful client never does."""
        self._pipe.send("damage")
        found: list[str] = self._pipe.recv()
        return found


@contextmanager
def stand_ins(wanted: Wanted, *, servers: int = 1) -> Iterator[StandIns]:
    """Runs them until the end of the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, wanted, servers), daemon=True)
    process.start()
    try:
        there.close()
        engines, plex = here.recv()
        yield StandIns(engines, plex, here)
    finally:
        here.close()
        process.join(10)
        process.terminate()


def _serve(pipe: Connection, wanted: Wanted, servers: int) -> None:
    with ExitStack() as stack:
        imagga = stack.enter_context(Imagga(limit=1_000_000, at_once=AT_ONCE))
        imagga.work = ENGINE_SECONDS
        compreface = stack.enter_context(CompreFace())
        compreface.faces_in = _anna
        compreface.seed("Anna")
        compreface.fail("recognise", Fault(delay=ENGINE_SECONDS), times=1_000_000)
        libraries = [stack.enter_context(PlexServer()) for _ in range(servers)]
        _fill(libraries, wanted)
        pipe.send((_engines(imagga, compreface), tuple(_plex(one) for one in libraries)))
        _answer(pipe, imagga, compreface, libraries)


def _anna(picture: Image.Image) -> list[Seen]:
    """A face in every picture, found without looking: what finding costs is not our figure."""
    return [Seen("Anna", 10, 10, picture.width / 4, picture.height / 4)]


def _fill(libraries: list[PlexServer], wanted: Wanted) -> None:
    for plex in libraries:
        plex.delay = PLEX_SECONDS
        plex.add_section("Photos")
    for number, content in enumerate(different_pictures(wanted.whole)):
        for plex in libraries:
            tags = ("Holiday",) if number % 5 == 0 else ()
            plex.add_photo(ALBUMS[number % len(ALBUMS)], f"IMG_{number:05}.jpg", content, tags=tags)
    for number in range(wanted.listed):
        for plex in libraries:
            plex.add_photo(ALBUMS[number % len(ALBUMS)], f"DSC_{number:05}.jpg", bytes, size=300_000 + number)


def _engines(imagga: Imagga, compreface: CompreFace) -> Settings:
    given = {f"ENGINE_IMAGGA_{name.upper()}": str(value) for name, value in imagga.options.items()}
    given |= {f"ENGINE_COMPREFACE_{name.upper()}": str(value) for name, value in compreface.options.items()}
    return {**given, "ENGINE_IMAGGA_CONCURRENCY": str(AT_ONCE), "ENGINE_COMPREFACE_CONCURRENCY": str(AT_ONCE)}


def _plex(plex: PlexServer) -> Settings:
    return {"PLEX_URL": plex.url, "PLEX_TOKEN": plex.token, "PLEX_SECTIONS": "Photos"}


def _answer(pipe: Connection, imagga: Imagga, compreface: CompreFace, libraries: list[PlexServer]) -> None:
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        if question == "requests":
            pipe.send([dict(plex.counts()) for plex in libraries])
            for plex in libraries:
                plex.forget_requests()
        else:
            damage = [one for plex in libraries for one in plex.damage()]
            pipe.send(damage + imagga.damage + compreface.damage)

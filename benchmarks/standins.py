"""The stand-ins for Plex, Imagga and CompreFace, in a process of their own: their work is not TigerTag's."""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Final, Literal, TypeAlias

from PIL import Image

from benchmarks.edits import Tag, by_zipf
from benchmarks.pictures import TINY, different_pictures, tiny_picture
from tests.servers.base import Fault
from tests.servers.compreface import CompreFace
from tests.servers.compreface_faces import Seen
from tests.servers.imagga import Imagga
from tests.servers.plex import PlexServer

ENGINE_SECONDS, PLEX_SECONDS, AT_ONCE = 0.05, 0.005, 8
_SAID = 12  # Tags in an answer of Imagga's.

Engines: TypeAlias = Literal["both", "small"]
BOTH: Final = "both"
"""Imagga, which wants 300 px, and CompreFace, which wants 1600."""
SMALL: Final = "small"
"""Two Imagga engines, which both want 300 px."""
ALBUMS = ("", "Summer", "Summer/Sea", "Summer/Sea/Boats", "2019", "2019/Winter")

Settings: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large the libraries are: `whole` have pictures, `tiny` very small ones, `listed` have entries in the
    listing only.
    """

    whole: int = 0
    listed: int = 0
    tiny: int = 0
    engines: Engines = BOTH
    words: int = 60
    """How many different tags Imagga has."""


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
        imagga = stack.enter_context(Imagga(limit=1_000_000, at_once=2 * AT_ONCE))
        imagga.work = ENGINE_SECONDS
        imagga.tags_for = _said(wanted.words)
        compreface = stack.enter_context(CompreFace())
        compreface.faces_in = _anna
        compreface.seed("Anna")
        compreface.fail("recognise", Fault(delay=ENGINE_SECONDS), times=1_000_000)
        libraries = [stack.enter_context(PlexServer()) for _ in range(servers)]
        _fill(libraries, wanted)
        pipe.send((_engines(wanted.engines, imagga, compreface), tuple(_plex(one) for one in libraries)))
        _answer(pipe, imagga, compreface, libraries)


def _said(words: int) -> Callable[[bytes], list[Tag]]:
    """Imagga's answer by the bytes: what looking at a picture costs is not our figure."""
    said_of = by_zipf(words, _SAID)
    return lambda picture: sorted(said_of(str(zlib.crc32(picture))), reverse=True)


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
    for number in range(wanted.tiny):
        tiny = partial(tiny_picture, number)
        for plex in libraries:
            plex.add_photo(ALBUMS[number % len(ALBUMS)], f"PNG_{number:05}.png", tiny, size=TINY)
    for number in range(wanted.listed):
        for plex in libraries:
            plex.add_photo(ALBUMS[number % len(ALBUMS)], f"DSC_{number:05}.jpg", bytes, size=300_000 + number)


def _engines(engines: Engines, imagga: Imagga, compreface: CompreFace) -> Settings:
    if engines == SMALL:
        # In other languages, or the second would be told what the first was.
        two = _declared("TWO", "imagga", {**imagga.options, "language": "de"})
        return _declared("ONE", "imagga", imagga.options) | two
    faces = _declared("COMPREFACE", "compreface", compreface.options)
    return _declared("IMAGGA", "imagga", imagga.options) | faces


def _declared(name: str, plugin: str, options: Mapping[str, object]) -> Settings:
    given = {**options, "name": plugin, "concurrency": AT_ONCE}
    return {f"ENGINE_{name}_{option.upper()}": str(value) for option, value in given.items()}


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

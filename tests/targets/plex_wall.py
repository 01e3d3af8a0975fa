"""Photos on the Plex stand-in, and targets over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.servers.plex import TOKEN, PlexServer
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import ItemError
from tigertag.model import Change, Item, Shown, Written
from tigertag.plexserver import Pace
from tigertag.sources.plex import PlexSource, PlexSourceOptions
from tigertag.targets.plex import PlexTarget, PlexTargetOptions

IMPATIENT = Pace(connect=2, read=0.3, sleep=lambda seconds: None)
PATIENT = Pace()
"""For answers so long that they take their time."""


class PlexWall:
    """Photos on the stand-in, and targets over it that share one memory, as runs of one database do."""

    def __init__(self, plex: PlexServer) -> None:
        self.plex = plex
        self.memory = FakeMemory()
        self.built: list[PlexTarget] = []
        self.plex.add_section("Photos")

    def item(self, name: str, tags: Sequence[str] = (), *, locked: bool = False) -> Item:
        key = self.plex.add_photo("Summer", f"{name}.jpg", b"x", tags=tags, locked=locked)
        return self.items()[str(key)]

    def items(self) -> dict[str, Item]:
        options = PlexSourceOptions.model_validate({"url": self.plex.url, "token": TOKEN})
        source = PlexSource(options, self.memory, IMPATIENT)
        items = {item.key: item for item in source.items()}
        source.close()
        self.plex.forget_requests()
        return items

    def many(self, count: int, tags: Sequence[str] = ()) -> list[Item]:
        keys = [str(self.plex.add_photo("Many", f"{n:04}.jpg", b"x", tags=tags)) for n in range(count)]
        items = self.items()
        return [items[key] for key in keys]

    def is_known(self) -> None:
        """As after a first write to it, which is when the server's habits are learnt."""
        write(self.target(), [self.item("first", ["Holiday"])], add=["first"])
        self.plex.forget_requests()

    def tags(self, item: Item) -> list[str]:
        return self.plex.tags(int(item.key))

    def target(self, token: str = TOKEN, pace: Pace = IMPATIENT, **options: int) -> PlexTarget:
        settings = {"url": self.plex.url, "token": token, **options}
        self.built.append(PlexTarget(PlexTargetOptions.model_validate(settings), self.memory, pace))
        return self.built[-1]


@contextmanager
def hung() -> Iterator[PlexWall]:
    with PlexServer() as plex:
        wall = PlexWall(plex)
        yield wall
        for target in wall.built:
            target.close()


def write(
    target: PlexTarget, items: Sequence[Item], add: Sequence[str] = (), remove: Sequence[str] = ()
) -> list[Written | ItemError]:
    found = [one for one in target.read(items) if isinstance(one, Shown)]
    return list(target.write([Change(one.item, tuple(add), tuple(remove), one.tags) for one in found]))

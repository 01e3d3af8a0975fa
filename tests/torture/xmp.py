"""Tags in sidecars and in the photos themselves: kills at every step, and files that are not to be written.

The photos of a person may not be lost whatever happens: at each moment every file is whole, the picture is the
same, and what was there of the person's own is there (M1 to M17, I1, I8, I9, I10).
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.pictures import jpeg_bytes, xmp
from tests.torture import state, xmp_faults
from tests.torture.shelf import Ran, Shelf, shelf
from tests.torture.trial import Cell, Trial, missed
from tigertag.media import open_photo
from tigertag.xmp.packet import Packet

OWN = "Grandma's garden"
"""A keyword of the person's."""
_THREADS = ("--executor", "threads")
# What is read from the files themselves is read again where they were written, and costs nothing.
_KEPT = {
    "ledger": "SELECT item.key, ledger.name, ledger.origin FROM ledger JOIN item ON item.id = item_id",
    "edits": "SELECT count(*) FROM edit WHERE state = 'intended'",
    "deliveries": "SELECT item.key, delivery.state FROM delivery JOIN item ON item.id = item_id",
    "answers": "SELECT content_id, state FROM analysis JOIN photo ON photo.id = photo_id WHERE input = ''",
    "verdicts": "SELECT name, value FROM verdict",
}


def trials(full: bool) -> Iterator[Trial]:
    """Sidecars, one of which is the person's; and tags in the files, one of which has the person's keywords."""
    with shelf() as made:
        for mode in ("sidecar", "embedded"):
            place = Place(made, mode)
            for name, command in STORIES.items() if full else [*STORIES.items()][:1]:
                yield from _killed(Story(place, name, command), full)
            yield from xmp_faults.trials(place, full)


@dataclass
class Place:
    """A folder of three photos, and what a run makes of it."""

    shelf: Shelf
    mode: str

    @property
    def boundary(self) -> str:
        return f"XMP {self.mode}"

    @cached_property
    def photos(self) -> Mapping[str, bytes]:
        return {
            f"{number}.jpg": jpeg_bytes(700 + number, size=(96, 72), keywords=[OWN] if number == 0 else ())
            for number in range(3)
        }

    def furnish(self) -> None:
        """The photos as the person has them, and a home without a database."""
        self.shelf.clear()
        # One engine says each tag: which of two came first would be seen in the file.
        self.shelf.settings |= {"TARGET_XMP_NAME": "xmp", "TARGET_XMP_MODE": self.mode}
        self.shelf.settings["ENGINE_ONLOOKER_ENABLED"] = "false"
        for name, content in self.photos.items():
            self.shelf.put(name, content)
        if self.mode == "sidecar":
            self.shelf.put("1.jpg.xmp", xmp([OWN]))

    def run(self, *command: str, **how: Any) -> Ran:
        return self.shelf.run(
            *(str(self.shelf.photos) if each == "PHOTOS" else each for each in command), **how
        )

    def files(self) -> dict[str, bytes]:
        root = self.shelf.photos
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.*"))}

    def kept(self) -> dict[str, list[object]]:
        """What the database says of tags."""
        with state.connect(self.shelf.url) as connection:
            return {
                name: [*sorted(str(row) for row in connection.exec_driver_sql(query))]
                for name, query in _KEPT.items()
            }

    def harm(self) -> str | None:
        """A file that is not whole, another picture, or something of the person's that is gone."""
        files = self.files()
        for name, before in self.photos.items():
            if name not in files:
                return f"{name} is gone"
            if _picture(files[name], name) != _picture(before, name):
                return f"{name} is another picture"
        own = "1.jpg.xmp" if self.mode == "sidecar" else "0.jpg"
        if OWN.replace("'", "").encode() not in files.get(own, b"").replace(b"&apos;", b"").replace(b"'", b""):
            return f"a keyword of the person's is gone from {own}"
        for name, content in files.items():
            if name.endswith(".xmp"):
                try:
                    Packet.parse(content)
                except ValueError as error:
                    return f"{name} is not whole: {error}"
        return None


def _picture(content: bytes, name: str) -> str:
    """What the picture is known by, and its coded data."""
    with open_photo(io.BytesIO(content), name) as photo:
        start = content.rindex(b"\xff\xda")
        return f"{photo.content_id} {hash(content[start:])}"


def changed_rules(place: Place) -> None:
    place.shelf.settings["ENGINE_LOOKER_PREFIX"] = "auto"


STORIES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "scan": (("scan", "PHOTOS", *_THREADS),),
    "write": (("scan", "PHOTOS", *_THREADS), ("write",)),
    "undo": (("scan", "PHOTOS", *_THREADS), ("undo", "--all", "--yes")),
}
"""Commands; the last one is killed."""


@dataclass
class Story:
    """What is done to a place, and how it ends when nobody kills it."""

    place: Place
    name: str
    commands: tuple[tuple[str, ...], ...]
    before: Path = field(init=False)
    wanted: dict[str, tuple[bytes, ...]] = field(init=False)
    kept: dict[str, list[object]] = field(init=False)
    moments: list[str] = field(init=False)

    def __post_init__(self) -> None:
        place = self.place
        place.furnish()
        for command in self.commands[:-1]:
            ended = place.run(*command)
            assert ended.code == 0, ended.err
        if self.name == "write":
            changed_rules(place)
        self.settings = dict(place.shelf.settings)
        self.before = place.shelf.folder / f"before-{self.place.mode}-{self.name}"
        for folder in (place.shelf.photos, place.shelf.home):
            shutil.copytree(folder, self.before / folder.name)
        log = place.shelf.folder / "moments"
        ended = place.run(*self.commands[-1], moment=str(log))
        assert ended.code == 0, ended.err
        self.moments = log.read_text().splitlines()
        self.wanted, self.kept = _told_alike(place.files()), place.kept()

    def begin(self) -> None:
        shelf = self.place.shelf
        shelf.clear()
        shelf.settings |= self.settings
        for folder in (shelf.photos, shelf.home):
            shutil.copytree(self.before / folder.name, folder, dirs_exist_ok=True)

    def killed_at(self, moment: int) -> Trial | None:
        """None where the run ended before it."""
        self.begin()
        place, shelf = self.place, self.place.shelf
        log = shelf.folder / "moments"
        killed = place.run(*self.commands[-1], kill_at=moment, moment=str(log))
        if killed.code != -9:
            return None
        harm = place.harm()
        again = place.run(*self.commands[-1])
        kept = None if again.code else state.difference(self.kept, place.kept())
        difference = {name for name, _ in self.wanted.items() ^ _told_alike(place.files()).items()}
        return Trial(
            Cell(place.boundary, f"SIGKILL {log.read_text().strip()}", self.name),
            f"moment {moment}",
            missed(
                hung=again.hung,
                exit=None if again.code in (0, 3) else f"{again.code}: {again.err[:200]}",
                words=again.wrong_words() or _unexpected(again),
                lost=harm or place.harm() or _told(difference) or kept or shelf.left(),
            ),
        )


def _told_alike(files: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
    """What the packets of files say, in whatever order; in which the engines answer is nobody's promise."""
    found = {}
    for name, content in files.items():
        packet = re.search(rb"<x:xmpmeta.*</x:xmpmeta>", content, re.DOTALL)
        found[name] = tuple(sorted(packet[0].split(b"\n"))) if packet else ()
    return found


def _told(names: set[str]) -> str | None:
    return f"not as without a kill: {sorted(names)}" if names else None


def _unexpected(ran: Ran) -> str | None:
    said = [line for line in ran.complaints if not re.search("has died; its lock is free|kept in", line)]
    return said[0][:200] if said and ran.code == 0 else None


def _killed(story: Story, full: bool) -> Iterator[Trial]:
    last = len(story.moments)
    for moment in range(1, last + 1) if full else (last - 4,):
        trial = story.killed_at(moment)
        if trial is not None:
            yield trial

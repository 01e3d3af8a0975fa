"""Photos, engines and a target in memory, with the semantics of real ones and the faults of real ones.

The plugins are built anew for each run, as in life; what they show lives in a `Stage` found by its name.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO, ClassVar, Literal

from pydantic import Field

from tests.stage import STAGES, Killed
from tigertag.errors import ItemError, ItemGone, PhotoError, PluginDown, TransientError
from tigertag.model import (
    JSON,
    Analysis,
    Change,
    EnginePolicy,
    Finding,
    Item,
    Memory,
    Outcome,
    Permit,
    Photo,
    Presence,
    Quota,
    Rendition,
    Shown,
    Written,
)
from tigertag.options import EngineOptions, Options, SourceOptions, TargetOptions


class _Plugin:
    def __init__(self, options: Options, memory: Memory) -> None:
        self.memory = memory
        self.stage = STAGES[str(getattr(options, "stage", ""))]

    def check(self) -> Iterable[Finding]:
        yield Finding(True, "is there")

    def close(self) -> None: ...


class ShelfSource(_Plugin):
    """Lists and opens what lies on the shelf."""

    identity = "folder:1:/shelf"
    label = "the shelf"
    skipped: Mapping[str, int] = {}

    class Options(SourceOptions):
        stage: str

    @property
    def scope(self) -> tuple[str, ...]:
        return self.stage.shelf.scope

    def items(self) -> Iterator[Item]:
        shelf = self.stage.shelf
        listed = list(shelf.photos.items())
        for number, (key, lying) in enumerate(listed * 2 if shelf.twice else listed):
            if number == shelf.cut_after:
                if shelf.cut is not None:
                    raise shelf.cut
                return
            self.stage.fuse.step()
            yield Item(
                source=self.identity,
                key=key,
                path=lying.path,
                stamp=lying.stamp,
                section=shelf.section,
                album=lying.path.rpartition("/")[0],
                size=len(lying.content),
                moment=lying.moment,
            )

    @contextmanager
    def open(self, item: Item) -> Iterator[BinaryIO]:
        self.stage.fuse.step()
        lying = self.stage.shelf.photos.get(item.key)
        if lying is None:
            raise TransientError(f"{item.path} is not there any more")
        self.stage.shelf.opened[item.key] += 1
        if lying.error is not None:
            raise lying.error
        yield io.BytesIO(lying.content)


class MindEngine(_Plugin):
    """Says what its mind holds."""

    name = "mind"
    sends = "sends nothing"
    runs_in: Literal["thread"] = "thread"
    resources: ClassVar[Mapping[str, float]] = {}

    class Options(EngineOptions):
        stage: str
        mind: str
        level: int = Field(0, description="Makes another revision.")
        reads: Literal["picture", "file"] = "picture"
        billed: bool = False
        batch_size: int = 1
        languages: tuple[str, ...] = ()
        version: str = "1"
        sees: int = Field(0, description="Pixels of the long side that it looks at; 0: it looks at no picture.")

        def policy(self) -> EnginePolicy:
            return EnginePolicy(self.min_confidence / 100, self.max_tags, self.prefix, self.languages)

    def __init__(self, options: Options, memory: Memory) -> None:
        super().__init__(options, memory)
        self.options = options
        self.mind = self.stage.minds[options.mind]
        self.reads = options.reads
        self.billed = options.billed
        self.batch_size = options.batch_size
        self.concurrency = options.concurrency
        self.version = options.version
        self.renditions: Sequence[Rendition] = (Rendition(long_side=options.sees),) if options.sees else ()
        self.settings: Mapping[str, JSON] = {"mind": options.mind, "level": options.level}

    def start(self) -> None:
        if self.mind.down is not None:
            raise self.mind.down

    def quota(self) -> Quota | None:
        left = self.mind.left
        return None if left is None else Quota(0, 1000, left, "1 December")

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterator[Analysis | PhotoError | TransientError]:
        for photo in photos:
            yield self._answer(photo, permit)

    def _answer(self, photo: Photo, permit: Permit) -> Analysis | PhotoError | TransientError:
        mind = self.mind
        if mind.waits_for is not None:
            mind.waits_for(photo)
        send = None
        if self.billed:
            self._take_one()
            send = permit(photo)
            while mind.unsent:
                mind.unsent -= 1
                send.settle(Outcome.UNSENT)
                send = permit(photo)
        self.stage.fuse.step()
        with mind.lock:
            mind.asked[photo.content_id] += 1
            mind.sent[photo.content_id] += self.billed
        self.stage.fuse.step()
        fault = mind.fails.get(photo.content_id) or mind.fails.get("")
        if fault is not None:
            error = fault(photo)
            if isinstance(error, PhotoError | TransientError) and error.photo is not None:
                return error
            raise error
        if send is not None:
            send.settle(Outcome.BILLED)
        said = mind.says.get(photo.content_id)
        return Analysis(photo, tuple(mind.default(photo) if said is None else said))

    def _take_one(self) -> None:
        """Counts down before it asks for a permit, so that the limit is never tried out."""
        with self.mind.lock:
            if self.mind.left == 0:
                raise PluginDown("1000 of 1000 used", planned=True, until="1 December")
            if self.mind.left is not None:
                self.mind.left -= 1


class WallTarget(_Plugin):
    """Hangs tags on the wall."""

    identity = "wall:1"
    label = "the wall"

    class Options(TargetOptions):
        stage: str

    def accepts(self, item: Item) -> bool:
        return True

    def read(self, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        wall = self.stage.wall
        self.stage.fuse.step()
        if wall.down is not None:
            raise wall.down
        wall.reads += len(items)
        found = [self._shown(item) for item in items]
        wall.catch_up()
        self.stage.fuse.step()
        return found

    def _shown(self, item: Item) -> Shown:
        wall = self.stage.wall
        if item.key in wall.gone:
            return Shown(item, (), Presence.GONE)
        if item.key in wall.other:
            return Shown(item, ("Someone else",), Presence.OTHER)
        return Shown(item, tuple(wall.tags.get(item.key, {}).values()))

    def write(self, changes: Sequence[Change]) -> Iterable[Written | ItemError]:
        return [self._write(change) for change in changes]

    def _write(self, change: Change) -> Written | ItemError:
        wall, key = self.stage.wall, change.item.key
        if wall.before_write is not None:
            wall.before_write(key)
        if key in wall.gone:
            return ItemGone(f"{change.item.path} is not there any more", change.item)
        if key in wall.refuses:
            return ItemError(f"{change.item.path} is refused", change.item, again=wall.refuses[key])
        before, first = wall.of(key), len(wall.marks)
        for action, names in (("add", change.add), ("remove", change.remove)):
            for name in names:
                if name == wall.hates:
                    shown = tuple(wall.tags.get(key, {}).values())
                    return ItemError(f"{change.item.path}: no {name}", change.item, again=False, shown=shown)
                self._edit(key, action, name)
        for mark in wall.marks[first:]:
            if away := before & wall.of(key) - mark.after:
                wall.damage.append(f"{key}: {sorted(away)} stays, and was away after {mark}")
        self.stage.fuse.step()
        return Written(change.item, tuple(wall.tags.get(key, {}).values()))

    def _edit(self, key: str, action: str, name: str) -> None:
        wall = self.stage.wall
        try:
            self.stage.fuse.step(edit=True)
        except Killed:
            if wall.is_late and not wall.late:
                wall.late.append((key, action, name))
            raise
        if wall.loses[key]:
            wall.loses[key] -= 1
        else:
            wall.edit(key, action, name)
        self.stage.fuse.step(edit=True)

"""Photos, engines and a target in memory, with the semantics of real ones and the faults of real ones.

The plugins are built anew for each run, as in life; what they show lives in a `Stage` found by its name.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, ClassVar, Literal

from pydantic import Field
from sqlalchemy import Connection, Engine, event

from tests.pictures import iptc, segment, with_segments
from tigertag.contract.source import picture
from tigertag.errors import ItemError, ItemGone, PhotoError, PluginDown, TigerTagError, TransientError
from tigertag.model import (
    JSON,
    Analysis,
    Annotation,
    Change,
    EnginePolicy,
    Finding,
    Item,
    Kind,
    Memory,
    Outcome,
    Permit,
    Photo,
    Presence,
    Quota,
    Rendition,
    Shown,
    Written,
    fold,
)
from tigertag.options import EngineOptions, Options, SourceOptions, TargetOptions

DAY = datetime(2026, 7, 1, 12, tzinfo=UTC)


def drawn(number: int, keyword: str = "") -> bytes:
    """A small picture of its own for each number; a keyword changes the file and not the picture."""
    content = picture(number * 37 % 256, number * 91 % 256, number * 53 % 256, size=(16, 8 + number % 7))
    return with_segments(content, segment(0xED, iptc([keyword]))) if keyword else content


class Killed(BaseException):
    """The process is gone: nothing that comes after may have an effect."""


@dataclass
class Fuse:
    """Ends the process at the n-th step: a commit, or a call to something outside. 0: never.

    -n: at the n-th step that is before or after an edit of the wall.
    """

    blows_at: int = 0
    steps: int = 0
    edits: int = 0
    is_blown: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, *, edit: bool = False) -> None:
        with self.lock:
            self.steps += 1
            self.edits += edit
            self.is_blown = (
                self.is_blown or self.steps == self.blows_at or (edit and -self.edits == self.blows_at)
            )
            if self.is_blown:
                raise Killed


STAGES: dict[str, Stage] = {}


@event.listens_for(Engine, "commit")
def _before_commit(connection: Connection) -> None:
    try:
        for stage in STAGES.values():
            stage.fuse.step()
    except Killed:
        connection.connection.rollback()  # as the database does with what a dead process left open
        raise


@dataclass
class Lying:
    """A photo that lies on the shelf."""

    content: bytes
    path: str
    stamp: str = "1"
    moment: datetime | None = DAY
    error: TigerTagError | None = None
    """Raised when it is opened."""


@dataclass
class Shelf:
    """What the source lists and opens."""

    photos: dict[str, Lying] = field(default_factory=dict)
    stamps: int = 0
    opened: Counter[str] = field(default_factory=Counter)
    cut_after: int | None = None
    """The listing breaks off after so many photos, with `cut`, or in silence."""
    cut: TigerTagError | None = None
    twice: bool = False
    """Each photo is met twice."""
    section: str = ""
    scope: tuple[str, ...] = ()

    def put(self, key: str, content: bytes, *, path: str = "", moment: datetime | None = DAY) -> None:
        old = self.photos.get(key)
        self.stamps += 1
        path = path or (old.path if old else f"Summer/{key}.jpg")
        self.photos[key] = Lying(content, path, str(self.stamps), moment)


@dataclass
class Mind:
    """What an engine says, and what it was asked."""

    says: dict[str, list[Annotation]] = field(default_factory=dict)
    """By content id; what is not in here is answered with `default`."""
    default: Callable[[Photo], Iterable[Annotation]] = lambda photo: ()
    asked: Counter[str] = field(default_factory=Counter)
    """Photos shown to it, by content id."""
    sent: Counter[str] = field(default_factory=Counter)
    """Requests that it would bill, by content id."""
    fails: dict[str, Callable[[Photo], Exception]] = field(default_factory=dict)
    """What it raises or answers for a photo, by content id; under '' for every photo."""
    down: PluginDown | None = None
    """Raised at the start."""
    left: int | None = None
    """Its quota."""
    waits_for: Callable[[Photo], object] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Mark:
    """One edit of the wall: what it did to which photo, and what hung there afterwards."""

    key: str
    action: str
    name: str
    by: str
    after: frozenset[str]


@dataclass
class Wall:
    """Tags by photo, folded name and spelling. Upper-cases first letters, as Plex does."""

    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    mine: dict[str, set[str]] = field(default_factory=dict)
    """Tags that a user put there and that nobody but the user may take off."""
    hung_by: dict[tuple[str, str], str] = field(default_factory=dict)
    """Who hung up a tag that is there."""
    marks: list[Mark] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    reads: int = 0
    """Photos whose tags were read."""
    loses: Counter[str] = field(default_factory=Counter)
    """So many edits of a photo are answered with success and not kept."""
    gone: set[str] = field(default_factory=set)
    other: set[str] = field(default_factory=set)
    refuses: dict[str, bool] = field(default_factory=dict)
    """Photos that it refuses to write, and whether it may be tried again."""
    down: TigerTagError | None = None
    before_write: Callable[[str], None] | None = None
    """A user who edits between our read and our write."""
    is_late: bool = False
    """The edit under way when the process dies takes effect after the next read."""
    late: list[tuple[str, str, str]] = field(default_factory=list)

    def of(self, key: str) -> set[str]:
        """The folded names on a photo."""
        return set(self.tags.get(key, {}))

    @property
    def writes(self) -> int:
        return sum(1 for mark in self.marks if mark.by == "us")

    def edit(self, key: str, action: str, name: str, by: str = "us") -> None:
        there = self.tags.setdefault(key, {})
        if action == "add" and fold(name) not in there:
            self.hung_by[key, fold(name)] = by
        if action == "add":
            there.setdefault(fold(name), name[:1].upper() + name[1:])
        elif fold(name) in there:
            del there[fold(name)]
        self.marks.append(Mark(key, action, fold(name), by, frozenset(there)))
        lost = self.mine.get(key, set()) - there.keys()
        if lost:
            self.damage.append(f"{key}: {by} {action} {name} took {sorted(lost)} of the user")

    def user_adds(self, key: str, name: str, *, doubtful: bool = False) -> None:
        """`doubtful`: it cannot be told from ours (RELIABILITY, "In doubt")."""
        if fold(name) not in self.of(key) and not doubtful:
            self.mine.setdefault(key, set()).add(fold(name))
        self.edit(key, "add", name, "user")

    def user_removes(self, key: str, name: str) -> None:
        self.mine.get(key, set()).discard(fold(name))
        self.edit(key, "remove", name, "user")

    def user_recases(self, key: str, name: str) -> None:
        """The same tag in other letters: nobody else's to spell."""
        self.tags[key][fold(name)] = self.tags[key][fold(name)].swapcase()

    def catch_up(self) -> None:
        """What was sent by a process that died takes effect."""
        while self.late:
            self.edit(*self.late.pop(0))


@dataclass
class Stage:
    """All that is outside TigerTag."""

    name: str
    shelf: Shelf = field(default_factory=Shelf)
    minds: dict[str, Mind] = field(default_factory=dict)
    wall: Wall = field(default_factory=Wall)
    fuse: Fuse = field(default_factory=Fuse)


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


def tag(name: str, percent: float = 90, *, language: str = "", kind: Kind = Kind.TAG) -> Annotation:
    return Annotation(kind, name, percent / 100, language=language)


def days(number: int) -> datetime:
    """A day, later for larger numbers."""
    return DAY + timedelta(days=number)

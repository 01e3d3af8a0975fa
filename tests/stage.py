"""What lies outside TigerTag in tests, in memory: photos on a shelf, minds that look at them, and a wall."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, event

from tests.pictures import iptc, segment, with_segments
from tigertag.contract.source import picture
from tigertag.errors import PluginDown, TigerTagError
from tigertag.model import (
    Annotation,
    Kind,
    Photo,
    fold,
)

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
    unsent: int = 0
    """Requests that find nobody there, before one does."""
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
    hates: str = ""
    """A tag at which it breaks off for good."""
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


def tag(name: str, percent: float = 90, *, language: str = "", kind: Kind = Kind.TAG) -> Annotation:
    return Annotation(kind, name, percent / 100, language=language)


def days(number: int) -> datetime:
    """A day, later for larger numbers."""
    return DAY + timedelta(days=number)

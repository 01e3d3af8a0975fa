"""Kill -9 of the real program at every commit, request and change of a name on the disk (I3, R6).

After each kill the same command is run once more, and everything must be as if nothing had happened: the
database but for its history, what Plex shows, its locks, the number of requests that may be billed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from tests import databases
from tests.torture import state
from tests.torture.rig import Ended, Rig, different_pictures, rig
from tests.torture.trial import Cell, Trial, missed, untried
from tigertag.store import tables

_STRIDES = {"sqlite": 1, "postgresql": 4, "mariadb": 4}
WITH_WORKERS = 3
"""Of the stories with worker processes, which take long to start, a moment in three is tried."""
_SHORT = {"first scan": 61, "write": 23}
"""Of the short form: no divisors of how many moments a photo takes."""

Prepare = Callable[[Rig], object]


def furnish(rig: Rig) -> None:
    """A copy of the first picture in another album; the rest is as the world has it."""
    first = next(iter(rig.world.plex.photos.values()))
    rig.world.plex.add_photo("2019", "copy.jpg", first.content, tags=["Mine"])


def scanned(rig: Rig) -> None:
    furnish(rig)
    assert rig.run(*_SCAN).code == 0


def lived_in(rig: Rig) -> None:
    """Scanned; then the user took a tag of ours away and gave one, and changed the rules."""
    scanned(rig)
    plex = rig.world.plex
    first, second, *_ = sorted(plex.photos)
    ours = next(tag for tag in plex.tags(first) if tag not in plex.user_tags(first))
    plex.user_remove(first, ours)
    plex.user_add(second, "Theirs")
    rig.settings |= {"ENGINE_IMAGGA_MIN_CONFIDENCE": "60", "ENGINE_COMPREFACE_PREFIX": "who"}


def grown(rig: Rig) -> None:
    """Lived in; then a photo came, one was replaced and one went."""
    lived_in(rig)
    plex = rig.world.plex
    *_, new, other = different_pictures(len(plex.photos) + 4)
    _, _, third, fourth, *_ = sorted(plex.photos)
    plex.add_photo("2019", "new.jpg", new, tags=["New"])
    plex.replace(third, other)
    plex.remove_photo(fourth)


@dataclass(frozen=True)
class Story:
    prepare: Prepare
    command: tuple[str, ...]


_SCAN = ("scan", "--executor", "threads")
STORIES: Mapping[str, Story] = {
    "first scan": Story(furnish, _SCAN),
    "scan with worker processes": Story(furnish, ("scan", "--executor", "processes")),
    "later scan": Story(grown, _SCAN),
    "write": Story(lived_in, ("write", "--verify")),
    "undo": Story(lived_in, ("undo", "1", "--yes")),
}


@dataclass
class Told:
    """A story in a rig: how it ends when nobody kills it."""

    name: str
    rig: Rig
    kind: str
    wanted: dict[str, list[object]] = field(default_factory=dict)
    moments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rig.put_back(self.rig.empty)
        STORIES[self.name].prepare(self.rig)
        self.before = self.rig.keep()
        self.begin()
        self.moments = self.rig.moments(*self.command)
        self.wanted = self.rig.seen()

    def begin(self) -> None:
        self.rig.put_back(self.before)

    def alone(self) -> Trial:
        """Without a kill nothing is sent twice either, and the same command once more changes nothing."""
        self.begin()
        ended = self.rig.run(*self.command)
        most, sent = self.rig.most_sent(), self._sent()
        again = self.rig.run(*self.command)
        codes = (ended.code, again.code)
        misses = missed(
            hung=ended.hung or again.hung,
            lost=state.difference(self.wanted, self.rig.seen()) or self.rig.damage(),
            billed="asked twice" if most > 1 or self._sent() > sent else None,
            exit=None if codes == (0, 0) else f"{codes}: {ended.last_words}",
        )
        return Trial(self.cell("nothing at all"), misses=misses, injected=0)

    @property
    def command(self) -> tuple[str, ...]:
        return STORIES[self.name].command

    @property
    def phase(self) -> str:
        return self.name if self.kind == "sqlite" else f"{self.name} on {self.kind}"

    def cell(self, fault: str) -> Cell:
        return Cell("kill", fault, self.phase)

    def killed_at(self, moment: int, **how: bool) -> Trial | None:
        """The trial of one moment; None where the run ended before it."""
        self.begin()
        first = self.rig.killed(moment, *self.command, **how)
        if first.code != -9:
            return None
        return self.run_again([first], self.cell(f"SIGKILL {first.moment}"), f"moment {moment}")

    def run_again(self, killed: Sequence[Ended], cell: Cell, at: str) -> Trial:
        """Runs the command once more and compares."""
        orphans = self.rig.orphans(killed[-1].pid)
        self.rig.world.settle()  # what it sent in its last moment is not the next run's
        done, sent = _done(self.rig.url), self._sent()
        last = self.rig.run(*self.command)
        misses = missed(
            hung=last.hung or orphans,
            lost=self._loss(last),
            billed=self._beyond(len(killed), done, self._sent() - sent),
            exit=None if last.code in (0, 3) or last.hung else f"{last.code}: {last.last_words}",
            words=self._word(last),
        )
        return Trial(cell, at, misses, injected=len(killed))

    def _loss(self, last: Ended) -> str | None:
        if last.hung or last.code not in (0, 3):
            return None  # said already, and the next run may mend it
        open_edits = state.intended(self.rig.url)
        return (
            state.difference(self.wanted, self.rig.seen())
            or self.rig.damage()
            or (f"{open_edits} edits are open" if open_edits else None)
            or self.rig.left_behind()
        )

    def _sent(self) -> int:
        return len(self.rig.world.imagga.billed) + len(self.rig.world.compreface.recognised)

    def _beyond(self, kills: int, done: int, sent: int) -> str | None:
        """More than was owed, more than one more for each kill, or more than is written down."""
        world = self.rig.world
        faces = Counter(hashlib.sha256(picture).hexdigest() for picture in world.compreface.recognised)
        most = max(self.rig.most_sent(), *faces.values(), 0)
        owed = len(self.wanted["analysis"]) - done
        known = state.sends(self.rig.url)
        truth = len(world.imagga.billed) + self.rig.billed_before
        if most > 1 + kills:
            return f"one picture was sent {most} times with {kills} kills"
        if sent > owed:
            return f"{sent} pictures were sent where {owed} answers were missing"
        if not known.billed <= truth <= known.billed + known.unknown:
            return f"{truth} were billed, {known.billed} to {known.billed + known.unknown} are written down"
        return None

    def _word(self, last: Ended) -> str | None:
        said = [line for line in last.err.splitlines() if not _is_expected(line)]
        return f"unexpected: {said[0][:200]}" if said and last.code == 0 else None


def _is_expected(line: str) -> bool:
    return "has died; its lock is free" in line or "maybe billed" in line or "kept in" in line


def _done(url: str) -> int:
    """Answers that are there, before there are tables: none."""
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return 0
    with state.connect(url) as connection:
        if not connection.dialect.has_table(connection, "analysis"):
            return 0
        # Only what the first release had, too: a migration may have been killed.
        count = select(func.count()).select_from(tables.AnalysisRow).where(tables.AnalysisRow.state == "done")
        return connection.scalar(count) or 0


def trials(full: bool) -> Iterator[Trial]:
    """Every moment of every story on SQLite, a sample on the servers, and from outside."""
    for kind in databases.KINDS if full else databases.KINDS[:1]:
        with built(kind) as made:
            for name in STORIES if full else _SHORT:
                story = Told(name, made, kind)
                yield story.alone()
                yield from _of(story) if full else _at_moments(story, _SHORT[name])


def _of(story: Told) -> Iterator[Trial]:
    stride = _STRIDES[story.kind]
    yield from _at_moments(story, stride * (WITH_WORKERS if "worker" in story.name else 1))
    if story.kind == "sqlite":
        yield from _amid_requests(story)
        yield from _again_and_again(story)


@contextmanager
def built(kind: str) -> Iterator[Rig]:
    """A rig with an empty database of that kind."""
    with tempfile.TemporaryDirectory(prefix="tigertag-kills-") as folder, rig(Path(folder), kind) as made:
        yield made


def _at_moments(story: Told, stride: int) -> Iterator[Trial]:
    for moment in range(1 + 5 * len(story.name) % stride, len(story.moments) + 1, stride):
        trial = story.killed_at(moment)
        if trial is not None:
            yield trial


_REQUESTS = ("listing", "download", "read", "edit", "tags", "recognise")


def _amid_requests(story: Told) -> Iterator[Trial]:
    """Killed while a server is at work; the server goes on and finishes it."""
    for kind in _REQUESTS:
        cell = story.cell(f"SIGKILL amid a request ({kind})")
        tried = 0
        for after in range(3):
            story.begin()
            pid, start = story.rig.start(*story.command)
            with story.rig.when(kind, after, lambda pid=pid: os.kill(pid, 9)):  # type: ignore[misc]
                ended = story.rig.finish(pid, start)
            if ended.code != -9:
                break
            tried += 1
            yield story.run_again([ended], cell, f"request {after + 1}")
        if not tried:
            yield untried(cell, "it makes no such request")


def _again_and_again(story: Told) -> Iterator[Trial]:
    """Killed ever later, without a run to the end between."""
    story.begin()
    killed: list[Ended] = []
    for moment in range(9, len(story.moments) * 2, 13):
        ended = story.rig.killed(moment, *story.command)
        if ended.code != -9:
            break
        killed.append(ended)
    if killed:
        yield story.run_again(killed, story.cell("SIGKILL again and again"), f"{len(killed)} times")

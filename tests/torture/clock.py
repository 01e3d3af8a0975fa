"""A machine whose clock is wrong: between two runs, or after a run that was killed with the lock (R3, R8)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from tests.torture import state
from tests.torture.kills import Told
from tests.torture.rig import Rig, different_pictures, rig
from tests.torture.trial import Cell, Trial, missed
from tigertag.store import tables

BOUNDARY = "configuration"
_HOUR, _YEAR = 3600.0, 365 * 86_400.0
SHIFTS = {
    "clock set back a second": -1.0,
    "clock set back for 8 hours": -8 * _HOUR,
    "clock set back a year": -_YEAR,
    "clock set forward a year": _YEAR,
}


def trials() -> Iterator[Trial]:
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, rig(Path(folder)) as made:
        story = Told("first scan", made, "sqlite")
        for fault, seconds in SHIFTS.items():
            yield _between(story, fault, seconds)
            yield _after_a_kill(story, fault, seconds)


def _between(story: Told, fault: str, seconds: float) -> Trial:
    """A photo comes, the clock is wrong for one scan and right again for the next: each is asked about once."""
    made = story.rig
    story.begin()
    first = made.run(*story.command)
    made.world.plex.add_photo("2019", "new.jpg", [*different_pictures(20)][19])
    second = made.run(*story.command, clock=seconds)
    tags = {key: frozenset(made.world.plex.tags(key)) for key in made.world.plex.photos}
    edits = made.world.plex.counts()["edit"]
    third = made.run(*story.command)
    codes = (first.code, second.code, third.code)
    _check_struck(made, seconds)
    bare = [key for key, names in tags.items() if not names - {*made.world.plex.user_tags(key)}]
    again = made.world.plex.counts()["edit"] - edits
    return Trial(
        Cell(BOUNDARY, fault, "scan"),
        misses=missed(
            hung=second.hung or third.hung,
            exit=None if codes == (0, 0, 0) else f"{codes}: {second.last_words} {third.last_words}",
            billed=f"a picture was sent {made.most_sent()} times" if made.most_sent() > 1 else None,
            lost=f"not tagged: {bare}" if bare else f"written again: {again}" if again else made.damage(),
        ),
    )


def _after_a_kill(story: Told, fault: str, seconds: float) -> Trial:
    """The holder of the lock is dead, and the clock is another than it had: the lock is free all the same."""
    made = story.rig
    story.begin()
    killed = made.killed(len(story.moments) // 2, *story.command)
    assert killed.code == -9, killed.err
    last = made.run(*story.command, clock=seconds)
    return Trial(
        Cell(BOUNDARY, fault, "scan after a kill"),
        misses=missed(
            hung=last.hung,
            exit=None if last.code == 0 else f"{last.code} for 0: {last.last_words}",
            billed=f"a picture was sent {made.most_sent()} times" if made.most_sent() > 2 else None,
            lost=state.difference(story.wanted, made.seen()) or made.damage(),
        ),
    )


def _check_struck(made: Rig, seconds: float) -> None:
    """Raises RuntimeError where the second of the last three runs did not begin at the other time."""
    with state.connect(made.url) as connection:
        began = connection.scalars(select(tables.Run.started).order_by(tables.Run.id.desc()).limit(3)).all()
    if abs((began[1] - began[2]).total_seconds() - seconds) > 600:
        raise RuntimeError(f"the clock was not moved by {seconds:.0f} s: {began}")

"""Runs beside each other: one works, the rest say who does (R1–R6, I4)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests import databases
from tests.torture import database_faults as faults
from tests.torture import state
from tests.torture.kills import Told, built
from tests.torture.launcher import Start
from tests.torture.rig import Ended, Rig
from tests.torture.trial import Cell, Trial, missed

BOUNDARY = "concurrency"
_HELD = ("tigertag: Another run (pid ", "tigertag: This run has lost its lock")
Started = tuple[int, Start]


def trials(full: bool) -> Iterator[Trial]:
    """On all kinds of databases, or (False) a few runs on SQLite alone."""
    for kind in databases.KINDS if full else databases.KINDS[:1]:
        with built(kind) as made, faults.through(made):
            for name in ("first scan", "write", "undo") if full else ("first scan",):
                story = Told(name, made, kind)
                for count in (2, 3, 5, 8) if full else (3,):
                    yield _together(story, count)
                if kind != "sqlite" and full:
                    yield _together(story, 4, hosts=True)
                if name == "first scan":
                    yield from (act(story) for act in (_ALONE if full else _ALONE[:1]))
                    if kind != "sqlite" and full:
                        yield from (act(story) for act in _HOSTS)


def _cell(fault: str, story: Told) -> Cell:
    return Cell(BOUNDARY, fault, story.phase)


# ── many at once ──────────────────────────────────────────────────────────────────────────────────────────


def _together(story: Told, count: int, *, hosts: bool = False) -> Trial:
    """Started at the same moment: one does the work, once; the others end with 7, or find it done."""
    rig = story.rig
    story.begin()
    gates = [_gate(rig, number) for number in range(count)]
    started = [
        rig.start(*story.command, held=gate, host=f"host-{number}" if hosts else "")
        for number, gate in enumerate(gates)
    ]
    for gate in gates:
        _open(gate)
    ended = [rig.finish(*each) for each in started]
    fault = f"{count} runs together{' on as many hosts' if hosts else ''}"
    return _judged(story, _cell(fault, story), "", ended, (0, 7))


def _gate(rig: Rig, number: int) -> str:
    path = rig.world.folder / f"gate-{number}"
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return str(path)


def _open(gate: str) -> None:
    os.close(os.open(gate, os.O_WRONLY))


def _judged(
    story: Told, cell: Cell, at: str, ended: Sequence[Ended], right: Sequence[int], kills: int = 0
) -> Trial:
    """Everything as after one run alone; who could not start says why."""
    rig = story.rig
    codes = [each.code for each in ended]
    refused = [each for each in ended if each.code == 7]
    hung = next((each.hung for each in ended if each.hung), None)
    difference = None if hung else state.difference(story.wanted, rig.seen()) or rig.damage()
    most = rig.most_sent()
    wrong = [each for each in ended if each.code not in right and not each.hung]
    silent = [each for each in refused if not each.err.startswith(_HELD)]
    torn = [each for each in ended if "Traceback" in each.err or "fault in TigerTag" in each.err]
    return Trial(
        cell,
        at,
        missed(
            hung=hung,
            lost=difference or (None if 0 in codes or hung else f"nobody did the work: {codes}"),
            billed=f"a picture was sent {most} times" if most > 1 + kills else None,
            exit=f"{codes}: {wrong[0].last_words}" if wrong else None,
            words=(torn or silent)[0].last_words if torn or silent else None,
        ),
        injected=len(ended) - 1 if len(ended) > 1 else 1,
    )


# ── one after another, in the way ─────────────────────────────────────────────────────────────────────────


@contextmanager
def _standing(story: Told, host: str = "") -> Iterator[Started]:
    """A run that stands still while a service works at its second request, until the end of the block."""
    rig = story.rig
    story.begin()
    stands, may_go_on = threading.Event(), threading.Event()

    def stand() -> None:
        stands.set()
        may_go_on.wait(120)

    with rig.when("tags", 1, stand):
        started = rig.start(*story.command, host=host)
        assert stands.wait(60)
        try:
            yield started
        finally:
            may_go_on.set()


def _second(story: Told) -> Trial:
    """R1: a second run while the first stands still; the first then ends as if alone."""
    rig = story.rig
    with _standing(story) as first:
        second = rig.run("write")
    ended = rig.finish(*first)
    trial = _judged(story, _cell("a second run", story), "", [ended, second], (0, 7))
    if second.code != 7:
        return _with(trial, exit=f"{second.code} for 7: {second.last_words}")
    return trial


def _waiting(story: Told) -> Trial:
    """`--wait`: the second begins when the first has ended."""
    rig = story.rig
    with _standing(story) as first:
        log = rig.world.folder / "waiting.log"
        log.unlink(missing_ok=True)
        second = rig.start(*story.command, "--wait", "-v", "--log-file", str(log))
        _wait_for(log)
    ended = [rig.finish(*first), rig.finish(*second)]
    return _judged(story, _cell("a second run that waits", story), "", ended, (0,))


def _wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.02)


def _killed_holder(story: Told) -> Trial:
    """R2: the holder is dead; the next run goes on at once."""
    rig = story.rig
    with _standing(story) as first:
        os.kill(first[0], signal.SIGKILL)
    killed = rig.finish(*first)
    began = time.monotonic()
    ended = rig.run(*story.command)
    trial = _judged(story, _cell("the holder was killed", story), "", [ended], (0,), kills=1)
    if killed.code != -9 or time.monotonic() - began > 30:
        return _with(trial, hung=f"the next run took {time.monotonic() - began:.0f} s")
    return trial


def _pid_again(story: Told) -> Trial:
    """R3: another process has the holder's pid now: it is no holder."""
    rig = story.rig
    with _standing(story) as first:
        os.kill(first[0], signal.SIGKILL)
    rig.finish(*first)
    _claim(rig, f"pid = {os.getpid()}")
    return _judged(
        story, _cell("the holder's pid is another's", story), "", [rig.run(*story.command)], (0,), kills=1
    )


def _signalled(number: int, twice: bool) -> Callable[[Told], Trial]:
    """R5: it finishes its step and keeps what was paid for; the second signal ends it at once."""

    def act(story: Told) -> Trial:
        rig = story.rig
        story.begin()
        started = rig.start(*story.command)

        def send() -> None:
            os.kill(started[0], number)
            if twice:
                time.sleep(0.2)
                os.kill(started[0], number)

        with rig.when("tags", 1, send):
            first = rig.finish(*started)
        name = f"{signal.Signals(number).name}{' twice' if twice else ''}"
        last = rig.run(*story.command)
        trial = _judged(story, _cell(name, story), "", [last], (0,), kills=int(twice))
        if first.code != 128 + number:
            return _with(trial, exit=f"{first.code} for {128 + number}: {first.last_words}")
        if first.seconds > 15 and not twice:
            return _with(trial, hung=f"it took {first.seconds:.0f} s to end")
        return trial

    return act


def _with(trial: Trial, **notes: str) -> Trial:
    return Trial(trial.cell, trial.at, {**trial.misses, **missed(**notes)}, trial.injected)


# ── other hosts ───────────────────────────────────────────────────────────────────────────────────────────


def _claim(rig: Rig, *settings: str) -> None:
    """Changes the row of the lock, as time or another machine would."""
    faults.execute(rig.url, f"UPDATE run_lock SET {', '.join(settings)}")


_LONG_AGO = "2020-01-01 00:00:00"


def _far_holder(story: Told) -> Trial:
    """R1 between hosts: a holder that has been heard of is alive, whatever its pid means here."""
    rig = story.rig
    with _standing(story, host="far") as first:
        second = rig.run(*story.command, host="near")
    ended = rig.finish(*first)
    trial = _judged(story, _cell("a second run on another host", story), "", [ended, second], (0, 7))
    return trial if second.code == 7 else _with(trial, exit=f"{second.code} for 7: {second.last_words}")


def _far_and_silent(story: Told) -> Trial:
    """R2, R3: a holder elsewhere that sleeps for hours loses the lock, and learns it before it sends again."""
    rig = story.rig
    with _standing(story, host="far") as first:
        _claim(rig, f"heartbeat = '{_LONG_AGO}'")
        second = rig.run(*story.command, host="near")
        before = len(rig.world.imagga.billed), rig.world.plex.counts()["edit"]
    woken = rig.finish(*first)
    after = len(rig.world.imagga.billed), rig.world.plex.counts()["edit"]
    trial = _judged(
        story, _cell("a holder on another host sleeps", story), "", [second, woken], (0, 7), kills=1
    )
    # One request was under way when it fell asleep, and its answer is its own.
    if after[1] > before[1] or after[0] > before[0] + 1:
        return _with(trial, billed=f"the late waker sent: {before} before, {after} after")
    return trial if woken.code == 7 else _with(trial, exit=f"{woken.code} for 7: {woken.last_words}")


_ALONE: Sequence[Callable[[Told], Trial]] = (
    _second,
    _waiting,
    _killed_holder,
    _pid_again,
    _signalled(signal.SIGINT, False),
    _signalled(signal.SIGTERM, False),
    _signalled(signal.SIGTERM, True),
)
_HOSTS: Sequence[Callable[[Told], Trial]] = (_far_holder, _far_and_silent)

"""Kill -9 at every system call, through strace's injection: what no hook inside the program can reach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.torture import kills
from tests.torture.rig import Ended, Rig
from tests.torture.trial import Trial, untried

CALLS = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "sendto", "recvfrom", "connect")
_SHORT = {"undo": ("pwrite64", "fdatasync")}
"""Of the short form: one place of each of these calls."""
_ONE_OF = 10_000
_LINE = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


def trials(full: bool) -> Iterator[Trial]:
    """Every place of each call in every story on SQLite, but for those with workers."""
    with kills.built("sqlite") as made:
        for name in kills.STORIES if full else _SHORT:
            story = kills.Told(name, made, "sqlite")
            if shutil.which("strace") is None:
                yield untried(story.cell("SIGKILL at a system call"), "strace is not installed")
            elif full:
                yield from _of(story, CALLS, kills.WITH_WORKERS if "worker" in name else 1)
            else:
                yield from _of(story, _SHORT[name], _ONE_OF)


def _of(story: kills.Told, calls: tuple[str, ...], stride: int) -> Iterator[Trial]:
    counts = _counts(story)
    for call in calls:
        cell = story.cell(f"SIGKILL at {call}")
        if not counts[call]:
            yield untried(cell, "it makes no such call")
            continue
        places = range(1 + len(call) % stride % counts[call], counts[call] + 1, stride)
        for number in places:
            story.begin()
            ended = traced(story.rig, story.command, f"inject={call}:signal=KILL:when={number}")
            if ended.code == -9:
                yield story.run_again([ended], cell, f"call {number} of a thread")
        if stride > 1:
            yield untried(
                cell, "left out to save time", f"{counts[call] - len(places)} of {counts[call]} calls"
            )


def _counts(story: kills.Told) -> Counter[str]:
    """The most calls that any one thread makes: strace counts for each thread by itself."""
    story.begin()
    log = story.rig.world.folder / "strace"
    ended = traced(story.rig, story.command, f"trace={','.join(CALLS)}", str(log))
    assert ended.code == 0, ended.err
    by_thread = Counter(_LINE.findall(log.read_text(errors="replace")))
    most: Counter[str] = Counter()
    for (_, call), count in by_thread.items():
        most[call] = max(most[call], count)
    return most


def traced(rig: Rig, command: tuple[str, ...] | list[str], expression: str, log: str = os.devnull) -> Ended:
    """A run under strace, from its first line on."""
    gate = rig.world.folder / "gate"
    gate.unlink(missing_ok=True)
    os.mkfifo(gate)
    pid, start = rig.start(*command, held=str(gate))
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", log, "-e", expression, "-p", str(pid)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        assert "attached" in first, first
        gate.write_bytes(b"")
        return rig.finish(pid, start)
    finally:
        tracer.communicate(timeout=30)
        Path(gate).unlink()

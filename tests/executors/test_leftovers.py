"""Folders that killed runs have left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tigertag.executors import leftovers

_RUN = "import sys; from tigertag.executors.leftovers import mark; mark(); print(flush=True); sys.stdin.read()"


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    new, old = (tmp_path / name / "tigertag0" for name in ("pymp-new", "pymp-old"))
    for mark in (new, old):
        mark.parent.mkdir()
        mark.touch()
    os.utime(old, (0, 0))  # killed in the moment in which it made the mark
    others = tmp_path / "pymp-others"
    others.mkdir()
    (others / "listener").touch()
    linked = tmp_path / "pictures"
    linked.mkdir()
    (linked / "tigertag").touch()
    (tmp_path / "pymp-link").symlink_to(linked)
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", _RUN],
            env={"TMPDIR": str(tmp_path)},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout is not None
        run.stdout.readline()
    marks = set(tmp_path.glob("pymp-*/tigertag")) - {tmp_path / "pymp-link" / "tigertag"}
    assert len(marks) == 2
    leftovers.sweep(tmp_path)
    assert all(mark.exists() for mark in marks)
    runs[0].send_signal(signal.SIGKILL)
    runs[0].communicate()
    leftovers.sweep(tmp_path)
    assert sum(mark.exists() for mark in marks) == 1
    runs[1].communicate()
    assert not any(mark.exists() for mark in marks)
    assert {path.name for path in tmp_path.iterdir()} == {"pymp-others", "pictures", "pymp-link", "pymp-new"}
    assert (linked / "tigertag").exists()

"""Folders that killed runs have left."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from tigertag.executors import leftovers

_ROOT = Path(__file__).parents[2]
_RUN = (
    "import sys; from tigertag.executors.leftovers import settle; settle(); print(flush=True); sys.stdin.read()"
)
_KILLED = """
import os, signal, sys
at, step = int(sys.argv[1]), 0
def watched(event, arguments):
    global step
    if event in ("open", "os.mkdir", "os.remove", "os.rmdir", "fcntl.flock") and started:
        step += 1
        if step == at:
            os.kill(os.getpid(), signal.SIGKILL)
started = False
sys.addaudithook(watched)
from tigertag.executors.leftovers import settle
import shutil, tempfile
tempfile.gettempdir()
started = True
settle()
"""


def _run(tmp: Path, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={"TMPDIR": str(tmp)},
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("pymp-others", "tigertag-others.dir"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "listener").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch()
    (tmp_path / "tigertag-link.run").symlink_to(elsewhere)
    kept = set(tmp_path.iterdir())
    runs = [_run(tmp_path, _RUN) for _ in range(2)]
    for run in runs:
        assert run.stdout is not None
        run.stdout.readline()
    made = set(tmp_path.iterdir()) - kept
    assert sorted(path.suffix for path in made) == [".dir", ".dir", ".run", ".run"]
    assert sorted(path.name[:5] for path in tmp_path.glob("tigertag-*.dir/pymp-*")) == ["pymp-", "pymp-"]
    leftovers.sweep(tmp_path)
    assert all(path.exists() for path in made)
    runs[0].send_signal(signal.SIGKILL)
    runs[0].communicate()
    leftovers.sweep(tmp_path)
    assert sum(path.exists() for path in made) == 2
    runs[1].communicate()
    assert set(tmp_path.iterdir()) == kept


def test_whenever_a_run_is_killed_the_next_one_leaves_nothing_of_it(tmp_path: Path) -> None:
    step = 0
    while True:
        step += 1
        run = _run(tmp_path, _KILLED, str(step))
        run.communicate()
        leftovers.sweep(tmp_path)
        assert not list(tmp_path.iterdir()), f"killed at step {step}"
        if run.returncode == 0:
            break
    assert step > 6, "the steps were not seen"


def test_runs_that_begin_and_sweep_at_once_keep_their_folders(tmp_path: Path) -> None:
    over = threading.Event()

    def sweeping() -> None:
        while not over.is_set():
            leftovers.sweep(tmp_path)

    thread = threading.Thread(target=sweeping)
    thread.start()
    try:
        runs = [_run(tmp_path, _RUN) for _ in range(6)]
        for run in runs:
            assert run.stdout is not None
            run.stdout.readline()
        assert len(list(tmp_path.glob("tigertag-*.dir/pymp-*"))) == len(runs)
        for run in runs:
            run.communicate()
    finally:
        over.set()
        thread.join()
    assert not list(tmp_path.iterdir())

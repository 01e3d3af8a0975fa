"""What becomes of worker processes when the coordinator is killed, and when somebody types ctrl-c."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.executors.conftest import KINDS, LOSABLE
from tests.executors.tasks import Look, Thing
from tests.pictures import jpeg_bytes
from tigertag.executors import open_workers, processes

_SECONDS = 60

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for processes by Linux's pidfd")


@contextmanager
def coordinator(kind: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A coordinator with a worker that is busy, and the worker's process id."""
    os.mkfifo(folder / "hello")
    os.mkfifo(folder / "go")
    command = [sys.executable, "-m", "tests.executors.coordinator", KINDS[kind], str(folder)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield started, int((folder / "hello").read_text())
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def end_of(pid: int) -> None:
    """Waits until a process that is no child of ours has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], _SECONDS)[0], f"{pid} is still there"
    finally:
        os.close(watched)


@pytest.mark.parametrize("kind", LOSABLE)
def test_workers_end_when_the_coordinator_is_killed(kind: str, tmp_path: Path) -> None:
    with coordinator(kind, tmp_path) as (started, worker):
        started.kill()
        started.wait(_SECONDS)
        go = os.open(tmp_path / "go", os.O_RDWR)  # a worker that is busy is done some time
        os.write(go, b"nobody waits for it\n")
        end_of(worker)
        os.close(go)


@pytest.mark.parametrize("kind", LOSABLE)
def test_ctrl_c_is_for_the_coordinator_which_still_gets_its_answer(kind: str, tmp_path: Path) -> None:
    with coordinator(kind, tmp_path) as (started, _):
        os.killpg(started.pid, signal.SIGINT)
        (tmp_path / "go").write_text("done\n")
        assert started.communicate(timeout=_SECONDS)[0] == "['done\\n']\n"
        assert started.returncode == 0


def test_workers_that_cannot_start_are_put_aside_and_no_photo_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg_bytes(1))
    # A program that came by a pipe cannot be loaded again, which is how a worker of ours begins.
    program = (
        "import sys\nfrom tigertag.cli.main import main\nsys.argv = ['tigertag', 'scan', 'photos']\nmain()\n"
    )
    database = f"sqlite:///{tmp_path / 'tigertag.db'}"
    environment = {**os.environ, "DB_URL": database, "TIGERTAG_ENV_FILE": os.devnull}
    run = [
        subprocess.run(
            [sys.executable], input=program, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        for _ in range(2)
    ]
    assert [each.returncode for each in run] == [4, 4]
    assert all("cannot be started" in each.stdout and "waiting  1 for" in each.stdout for each in run)


def test_a_worker_that_is_shot_before_it_is_ready_is_started_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shots = iter([True])
    greeted = processes._greeted

    def shoot(worker: processes._Worker) -> processes._Worker:
        if next(shots, False):
            worker.process.kill()
            worker.process.join()
            with suppress(EOFError):
                worker.line.recv_bytes()  # it may have been ready already
        return greeted(worker)

    monkeypatch.setattr(processes, "_greeted", shoot)
    workers = open_workers("processes?workers=1")
    try:
        assert workers.submit(Look(), [Thing("a")], {}).result(_SECONDS) == ["A"]
    finally:
        workers.close()
    assert next(shots, None) is None

"""Tasks in processes of this machine, each of which can be lost without the others or the run.

A thread of the coordinator stands for every process and gives it one task at a time, so it is known which task
a process died of. `concurrent.futures.ProcessPoolExecutor` and its kind give up the whole pool instead.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from tigertag.errors import TigerTagError, WorkerLost, WorkersGone
from tigertag.executors import leftovers, letter
from tigertag.executors.limits import LONGEST
from tigertag.worker import Result, Task, Thing

_READY = b"ready"
_STARTING = 60  # Seconds that a worker may take to be ready.
_LONGEST_SOCKET = 107
"""Bytes in the name of a socket."""
_PRELOADED = (
    "tigertag.worker",
    __name__,
    "multiprocessing.popen_forkserver",
    "encodings.ascii",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PpmImagePlugin",
    "PIL.PngImagePlugin",
)
"""What each worker would import when it begins, and Pillow for the first picture: imported once, for all."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: BaseProcess
    line: Connection


class Processes:
    """So many processes at most, each started when it is first needed."""

    is_local = True

    def __init__(self, size: int) -> None:
        self.size = size
        self._context = _context()
        self._pool = ThreadPoolExecutor(size, "tigertag-work")
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._starting = threading.Lock()

    def submit(
        self, task: Task[Thing, Result], things: Sequence[Thing], resources: Mapping[str, float]
    ) -> Future[list[Result | TigerTagError]]:
        """Raises WorkerLost, in the future, where the process ended or took longer than LONGEST."""
        return self._pool.submit(self._run, task, things)

    def close(self) -> None:
        """Waits for what runs, then ends the processes. Twice is once."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            worker = self._idle.get()
            worker.line.close()
            worker.process.join()

    def _run(self, task: Task[Thing, Result], things: Sequence[Thing]) -> list[Result | TigerTagError]:
        written = letter.written(task, things)
        worker = self._taken()
        try:
            answer = self._asked(worker, written)
        except BaseException:
            worker.process.kill()
            worker.process.join()
            worker.line.close()
            raise
        self._idle.put(worker)
        return letter.read(answer)

    def _asked(self, worker: _Worker, written: bytes) -> bytes:
        try:
            worker.line.send_bytes(written)
            if not worker.line.poll(LONGEST):
                raise WorkerLost(f"took longer than {LONGEST} s")
            return worker.line.recv_bytes()
        except (EOFError, OSError) as error:
            worker.process.join(5)
            raise WorkerLost(_end(worker.process.exitcode)) from error

    def _taken(self) -> _Worker:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        with contextlib.suppress(WorkersGone):  # once more: a system short of memory may have ended it
            return self._started()
        return self._started()

    def _started(self) -> _Worker:
        with self._starting:  # the fork server is started once
            if isinstance(self._context, ForkServerContext):
                self._context.set_forkserver_preload([*_PRELOADED])
                leftovers.settle()
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_work, args=(theirs,), name="tigertag worker", daemon=True)
            try:
                process.start()
            except (EOFError, OSError) as error:
                raise _cannot_start(str(error)) from error
            theirs.close()
        return _greeted(_Worker(process, ours))


def _greeted(worker: _Worker) -> _Worker:
    """The worker, once it is ready: one that never gets so far is no fault of a photo. Raises WorkersGone."""
    try:
        if worker.line.poll(_STARTING) and worker.line.recv_bytes() == _READY:
            return worker
        why = f"not ready after {_STARTING} s"
    except (EOFError, OSError):
        worker.process.join(5)
        why = f"ended with {worker.process.exitcode}"
    worker.process.kill()
    worker.line.close()
    raise _cannot_start(why)


def _cannot_start(why: str) -> WorkersGone:
    return WorkersGone(
        f"The processes that decode pictures cannot be started ({why}). `--executor threads` does without them"
    )


def _context() -> ForkServerContext | SpawnContext:
    """How processes are started: forked by a server of ours, or slower anew where there is no place for that.

    The server listens at a socket in the folder for temporary files. There may be none that can be written to
    (RELIABILITY K8), and a socket's name has 107 bytes at most.
    """
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        return multiprocessing.get_context("spawn")
    leftovers.sweep(Path(folder))
    if sys.platform == "linux" and len(os.fsencode(folder)) + leftovers.LONGEST <= _LONGEST_SOCKET:
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _work(line: Connection) -> None:
    """The life of a worker: it ends when nobody can ask it any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-c is for the coordinator, which still needs this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(EOFError, OSError):
        line.send_bytes(_READY)
        while True:
            line.send_bytes(letter.done(line.recv_bytes(), alone=True))


def _end(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None or code >= 0:
        return f"the program that looked at it ended ({code})"
    name = signal.Signals(-code).name
    if name == "SIGXCPU":
        return "took too much processor time"
    return f"crashed the program that looked at it ({name})"

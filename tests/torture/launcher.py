"""Starts the program as a process of its own in a few milliseconds: a warm process that forks.

The child is what `tigertag ARGUMENTS` would be: a session of its own, standard streams of its own, only the
environment it is given, `sys.exit` at its end. Only the imports are done already. Linux and other Unixes.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
HUNG = -999
"""The exit code of a process that had to be ended because its time was over."""


@dataclass(frozen=True)
class Start:
    """What a child is to be. `out` and `err` are files that it writes to."""

    arguments: Sequence[str]
    folder: str
    out: str
    err: str
    env: Mapping[str, str] = field(default_factory=dict)
    kill_at: int = 0
    """The number of the moment (`fuse`) at which it kills itself; 0 for never."""
    moment: str = ""
    """The file into which it writes which moment that was, or all of them where `kill_at` is 0."""
    statements: bool = False
    """Each statement of SQL is a moment, too."""
    largest_file: int = 0
    """Bytes that a file may grow to, as if the disk were full then; 0 for any."""
    host: str = ""
    """The name of the machine that it takes itself to be on."""
    user: int = 0
    """The user it runs as; 0 for the one that started it."""
    patience: float = 0
    """Seconds that it waits for a lock or a connection of the database; 0 for what the program waits."""
    clock: float = 0
    """Seconds that its clock is ahead; behind where they are negative."""
    file_system: str = ""
    """What it takes the file system of a SQLite file to be, such as `nfs4`."""
    held: str = ""
    """A named pipe that it reads to its end before it begins: time to attach to it."""


class Launcher:
    """The warm process, seen from the test: `start` children, then `wait` for each."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.launcher"],
            cwd=ROOT,
            env={
                name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._ask("ready") is True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(self, start: Start) -> int:
        """The pid of the child, which leads a process group of its own."""
        pid = self._ask({"start": asdict(start)})
        assert isinstance(pid, int)
        return pid

    def wait(self, pid: int, seconds: float) -> int:
        """Its exit code, negative for a signal; HUNG where it did not end by itself within so many seconds."""
        code = self._ask({"wait": pid, "seconds": seconds})
        assert isinstance(code, int)
        return code

    def _ask(self, question: object) -> object:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


# ── inside the warm process ───────────────────────────────────────────────────────────────────────────────


def serve() -> None:
    """Answers until its input ends. A child returns from here with what it is to do still to be done."""
    _import_everything()
    _warm_up()
    for line in sys.stdin:
        question = json.loads(line)
        if question == "ready":
            _answer(True)
        elif "start" in question:
            start = Start(**question["start"])
            pid = os.fork()
            if pid == 0:
                _be(start)
            _answer(pid)
        else:
            _answer(_ended(question["wait"], question["seconds"]))


# Those of heavy extras start threads, which no fork outlives; no run here needs them.
_NOT_IMPORTED = (
    "tigertag.migrations",
    "tigertag.__main__",
    "tigertag.engines.clip",
    "tigertag.engines.ocr_reader",
    "tigertag.media.develop",
    "tigertag.media.film",
)


def _import_everything() -> None:
    import importlib

    import tigertag

    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy would start threads, too

    for name in ("alembic.command", "psycopg", "pymysql", "tests.torture.fuse"):
        importlib.import_module(name)
    home = Path(tigertag.__file__).parent
    for path in sorted(home.rglob("*.py")):
        name = ".".join(("tigertag", *path.relative_to(home).with_suffix("").parts)).removesuffix(".__init__")
        if not name.startswith(_NOT_IMPORTED):
            importlib.import_module(name)


def _warm_up() -> None:
    """Lets the program do what every run does once for itself: SQL is compiled, modules are found."""
    from tigertag.cli.main import main

    with tempfile.TemporaryDirectory(prefix="tigertag-warm-") as folder:
        (Path(folder) / "photos").mkdir()
        env = Path(folder) / "env"
        # An engine is named, lest those come that are there without any: a library of theirs starts threads.
        env.write_text(f"DB_URL=sqlite:///{folder}/tigertag.db\nENGINE_METADATA_NAME=metadata\n")
        env.chmod(0o600)
        sys.argv = ["tigertag", "--quiet", "--env-file", str(env), "scan", f"{folder}/photos"]
        try:
            main()
        except SystemExit:
            assert _is_alone(), "a process with threads must not be forked"
    gc.freeze()


def _is_alone(seconds: float = 10) -> bool:
    """Whether it has no other threads; the system lists one for a moment longer than it is waited for."""
    threads = Path("/proc/self/task")
    until = time.monotonic() + seconds
    while (len(list(threads.iterdir())) if threads.exists() else threading.active_count()) > 1:
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _ended(pid: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.003)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return HUNG


def _be(start: Start) -> None:
    """Becomes the program. Ends the process."""
    from tests.torture import fuse

    os.setsid()
    for number, (path, flags) in enumerate(
        [
            (os.devnull, os.O_RDONLY),
            (start.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (start.err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ]
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.env)
    tempfile.tempdir = None  # looked up by the process that this one was forked from
    fuse.arrange(start)
    if start.held:
        Path(start.held).read_bytes()
    sys.argv = ["tigertag", *start.arguments]
    from tigertag.cli.main import main

    main()


if __name__ == "__main__":
    serve()

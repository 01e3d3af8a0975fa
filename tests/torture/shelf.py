"""A folder of photos, a home, a folder for temporary files, and the program in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.torture import state
from tests.torture.launcher import HUNG, ROOT, Launcher, Start
from tigertag.store import tables

LIMIT = 120.0
"""Seconds after which a run has hung."""
NOBODY = 65534
ENGINES = {
    "ENGINE_LOOKER_NAME": "tests.torture.looker.Looker",
    "ENGINE_ONLOOKER_NAME": "tests.torture.looker.Onlooker",
    "ENGINE_METADATA_NAME": "metadata",
}
"""Two that look at pictures, in a worker and in a thread, and one that reads files."""
PROGRESS = re.compile(r"[\d,]+ of [\d,]+ …")
_SEAM = Path(__file__).parent / "seam"


@dataclass(frozen=True)
class Ran:
    """A run as a person sees it, and what it took."""

    pid: int
    code: int
    out: str
    err: str
    seconds: float
    peak: int = 0
    """Bytes of memory that its processes held together at most."""

    @property
    def hung(self) -> str | None:
        return f"still running after {self.seconds:.0f} s" if self.code == HUNG else None

    @property
    def complaints(self) -> list[str]:
        """What it says on standard error, a line each."""
        return self.err.splitlines()

    def naming(self, name: str) -> list[str]:
        """The complaints about a photo."""
        return [line for line in self.complaints if name in line]

    def wrong_words(self) -> str | None:
        """Anything but printable lines, each with the name of the program."""
        if "Traceback" in self.out + self.err:
            return f"a traceback: {self.err[-300:]}"
        for line in self.complaints:
            if not (line.startswith("tigertag: ") or PROGRESS.fullmatch(line)) or not line.isprintable():
                return f"not a line of ours: {line[:200]!r}"
        return None


@dataclass
class Shelf:
    """`photos` is the root; nothing of a run may touch anything but `home` and `tmp`."""

    folder: Path
    launcher: Launcher
    settings: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    """Of the process."""
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for folder in (self.photos, self.home, self.tmp):
            folder.mkdir()
            folder.chmod(0o777)

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    @property
    def database(self) -> Path:
        return self.home / "tigertag.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def put(self, name: str | bytes, content: bytes) -> Path:
        """A file below the root."""
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.photos), os.fsencode(name))))  # noqa: PTH118
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def settled(self) -> dict[str, str]:
        """The settings in force."""
        return {"DB_URL": self.url, **ENGINES, **self.settings}

    def start(self, *arguments: str, settled: bool = True, **how: Any) -> tuple[int, Start]:
        """Begins a run; `finish` ends it. `how` is of `Start`; settings of ours only with `settled`."""
        base = self.folder / f"run-{next(self._numbers)}"
        env = base.with_suffix(".settings")
        env.write_text("".join(f"{name}='{value}'\n" for name, value in self.settled().items()))
        env.chmod(0o644 if how.get("user") else 0o600)
        for path in (f"{base}.out", f"{base}.err"):
            Path(path).touch()
        start = Start(
            [*(["--env-file", str(env)] if settled else []), *arguments],
            str(self.folder),
            f"{base}.out",
            f"{base}.err",
            self.environment(),
            **how,
        )
        return self.launcher.start(start), start

    def environment(self) -> dict[str, str]:
        found = {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "PATH": os.environ["PATH"],
            "NO_PROXY": "*",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            **self.env,
        }
        return {name: value for name, value in found.items() if value}

    def finish(self, pid: int, start: Start, limit: float = LIMIT) -> Ran:
        with _watched(pid) as peak:
            began = time.monotonic()
            code = self.launcher.wait(pid, limit)
        out, err = (Path(path).read_text(encoding="utf-8", errors="replace") for path in (start.out, start.err))
        for path in (start.out, start.err, Path(start.out).with_suffix(".settings")):
            Path(path).unlink()
        return Ran(pid, code, out, err, time.monotonic() - began, peak[0])

    def run(self, *arguments: str, limit: float = LIMIT, **how: Any) -> Ran:
        return self.finish(*self.start(*arguments, **how), limit)

    def scan(self, *arguments: str, **how: Any) -> Ran:
        return self.run("scan", str(self.photos), *arguments, **how)

    def spoiled(self, **how: str) -> None:
        """From now on workers are spoiled as `seam/sitecustomize.py` says; without anything they are well."""
        for name in [name for name in self.env if name.startswith("SPOILED_")]:
            del self.env[name]
        self.env |= {f"SPOILED_{name.upper()}": value for name, value in how.items()}
        self.env["PYTHONPATH"] = f"{_SEAM}:{ROOT}"

    # ── what is seen from outside ─────────────────────────────────────────────────────────────────────────

    def answered(self) -> Counter[str]:
        """How many engines have answered, by the key of the item."""
        if not self.database.exists():
            return Counter()
        with state.connect(self.url) as connection:
            rows = connection.execute(
                select(tables.ItemRow.key, tables.AnalysisRow.revision_id)
                .join(tables.AnalysisRow, tables.AnalysisRow.photo_id == tables.ItemRow.photo_id)
                .where(tables.AnalysisRow.state == "done")
                .distinct()
            )
            return Counter(key for key, _ in rows)

    def left(self) -> str | None:
        """What is in the folder for temporary files."""
        found = sorted(str(path.relative_to(self.tmp)) for path in self.tmp.rglob("*"))
        return f"left in the temporary folder: {', '.join(found)[:300]}" if found else None

    def clear(self) -> None:
        """As if nothing had ever run, without a photo."""
        for folder in (self.photos, self.home, self.tmp):
            _emptied(folder)
        self.env.clear()
        self.settings.clear()


def _emptied(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """The memory that a session holds at most, looked at every now and then; known at the end."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], sum(_memory(each) for each in session(pid)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def session(pid: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = path.read_text().rpartition(")")[2].split()
            if fields[3] == str(pid) and fields[0] not in "ZX":
                found.append(int(path.parent.name))
    return found


def _memory(pid: int) -> int:
    """Bytes that a process holds, what it shares counted once over all of them."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


@contextmanager
def shelf() -> Iterator[Shelf]:
    """Gone at the end."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, Launcher() as launcher:
        Path(folder).chmod(0o755)
        yield Shelf(Path(folder), launcher)


def traced(shelf: Shelf, expression: Sequence[str], *arguments: str, log: str = os.devnull) -> Ran:
    """A run under strace, from its first line on."""
    gate = shelf.folder / "gate"
    gate.unlink(missing_ok=True)
    os.mkfifo(gate)
    pid, start = shelf.start(*arguments, held=str(gate))
    tracer = subprocess.Popen(
        ["strace", "-f", "-s", "4096", "-o", log, *expression, "-p", str(pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        assert "attached" in first, first
        gate.write_bytes(b"")
        return shelf.finish(pid, start)
    finally:
        tracer.communicate(timeout=60)
        gate.unlink()


def cold(
    shelf: Shelf, *arguments: str, env: Mapping[str, str] | None = None, shell: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """A run in a process that is started from nothing, without a terminal.

    `shell` is a script that runs `"$@"`; in a pipe it writes the code to descriptor 3.
    """
    path = shelf.folder / f"cold-{next(shelf._numbers)}.env"
    path.write_text("".join(f"{name}='{value}'\n" for name, value in shelf.settled().items()))
    path.chmod(0o600)
    command = [sys.executable, "-m", "tigertag", "--env-file", str(path), *arguments]
    code = shelf.folder / "code"
    if shell:
        command = ["sh", "-c", f"exec 3>{code}; {shell}", "sh", *command]
    done = subprocess.run(
        command,
        env={**shelf.environment(), **(env or {})},
        cwd=shelf.folder,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if shell and (said := code.read_text().strip()):
        done.returncode = int(said)
    return done

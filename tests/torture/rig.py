"""A world that can be put back to how it was, and the program in a process of its own to be tortured in it."""

from __future__ import annotations

import copy
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import databases
from tests.journeys.world import World, different_pictures, world
from tests.servers.base import Answer, Request
from tests.torture import state
from tests.torture.launcher import HUNG, Launcher, Start
from tests.torture.proxy import Proxy

LIMIT = 90.0
"""Seconds after which a run of a few photos has hung."""
PHOTOS = 4

_LIBRARY = (
    "machine",
    "rules",
    "sections",
    "photos",
    "albums",
    "parts",
    "spelling",
    "harm",
    "_lost",
    "_next",
    "_clock",
)


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    pid: int
    code: int
    out: str
    err: str
    seconds: float
    moment: str = ""
    """Where it was killed, empty where it was not."""

    @property
    def hung(self) -> str | None:
        return f"still running after {self.seconds:.0f} s" if self.code == HUNG else None

    @property
    def last_words(self) -> str:
        return (self.err.strip().splitlines() or ["nothing on standard error"])[-1][:200]


@dataclass(frozen=True)
class Kept:
    """A world as it was at a moment."""

    library: Mapping[str, Any]
    settings: Mapping[str, str]
    billed: int
    file: bytes | None
    """Of SQLite; None where there was none."""
    rows: Mapping[str, Sequence[Mapping[str, object]]] | None
    """Of a server; None where there were no tables."""


@dataclass
class Rig:
    """`run` is the program as cron starts it; `keep` and `put_back` are of everything outside it."""

    world: World
    launcher: Launcher
    url: str
    settings: dict[str, str] = field(default_factory=dict)
    billed_before: int = 0
    """Requests that were billed before the world was last put back."""
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def __post_init__(self) -> None:
        self.wire = Proxy(("127.0.0.1", 0))
        self.settings = {**self.world.settings, "DB_URL": self.url, **self.settings}
        self.empty = self.keep()

    @property
    def home(self) -> Path:
        """The state of TigerTag and nothing else."""
        return self.world.folder / "home"

    @property
    def database(self) -> Path | None:
        return Path(self.url.removeprefix("sqlite:///")) if self.url.startswith("sqlite") else None

    # ── running ───────────────────────────────────────────────────────────────────────────────────────────

    def start(
        self, *arguments: str, settings: Mapping[str, str] | None = None, **how: Any
    ) -> tuple[int, Start]:
        """Begins a run; `finish` ends it. `how` is of `Start`."""
        base = self.world.folder / f"run-{next(self._numbers)}"
        values = {**self.settings, **(settings or {})}
        env = base.with_suffix(".env")
        env.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
        env.chmod(0o644 if how.get("user") else 0o600)
        start = Start(
            ["--env-file", str(env), *arguments],
            str(self.world.folder),
            f"{base}.out",
            f"{base}.err",
            {"HOME": str(self.home), "PATH": os.environ["PATH"], "NO_PROXY": "*", "LANG": "C.UTF-8"},
            **how,
        )
        return self.launcher.start(start), start

    def finish(self, pid: int, start: Start, limit: float = LIMIT) -> Ended:
        began = time.monotonic()
        code = self.launcher.wait(pid, limit)
        out, err = (Path(path).read_text(encoding="utf-8", errors="replace") for path in (start.out, start.err))
        moment = ""
        if start.moment and start.kill_at and code == -9:
            moment = Path(start.moment).read_text().strip()
        for path in (start.out, start.err, start.arguments[1]):
            Path(path).unlink()
        return Ended(pid, code, out, err, time.monotonic() - began, moment)

    def run(self, *arguments: str, settings: Mapping[str, str] | None = None, **how: Any) -> Ended:
        return self.finish(*self.start(*arguments, settings=settings, **how))

    def killed(self, at: int, *arguments: str, **how: Any) -> Ended:
        """A run that kills itself at that moment, if it has so many."""
        path = str(self.world.folder / "moments")
        return self.run(*arguments, kill_at=at, moment=path, **how)

    def moments(self, *arguments: str, **how: Any) -> list[str]:
        """All moments of a run that is not killed."""
        path = self.world.folder / "moments"
        ended = self.run(*arguments, moment=str(path), **how)
        assert ended.code == 0, ended.err
        return path.read_text().splitlines()

    # ── the world ─────────────────────────────────────────────────────────────────────────────────────────

    def library(self) -> Mapping[str, Any]:
        """What Plex holds, to be put back as often as wanted."""
        return copy.deepcopy({name: getattr(self.world.plex, name) for name in _LIBRARY})

    def put_back_library(self, library: Mapping[str, Any]) -> None:
        for name, value in copy.deepcopy(dict(library)).items():
            setattr(self.world.plex, name, value)

    def keep(self) -> Kept:
        """Everything as it is, to be put back as often as wanted."""
        library = self.library()
        file = self.database.read_bytes() if self.database and self.database.exists() else None
        rows = state.keep(self.url) if self.database is None and self._is_migrated() else None
        return Kept(library, dict(self.settings), len(self.world.imagga.billed), file, rows)

    def put_back(self, kept: Kept) -> None:
        """Everything as it was kept, counts at nothing."""
        self.put_back_library(kept.library)
        self.settings = dict(kept.settings)
        self.billed_before = kept.billed
        self.world.plex.faults.clear()
        self.world.plex.forget_hooks()
        self.world.plex.forget_requests()
        for service in (self.world.imagga, self.world.compreface):
            service.heal()
            service.damage.clear()
        self.world.imagga.billed.clear()
        self.world.compreface.recognised.clear()
        self.world.imagga.processed = 0
        self.world.imagga.working = 0
        self.world.imagga._told = None
        self.world.compreface._answered.clear()
        self.world.forget()
        shutil.rmtree(self.home)
        self.home.mkdir(mode=0o755)
        self._put_back_database(kept)

    @contextmanager
    def when(self, kind: str, after: int, act: Callable[[], object]) -> Iterator[None]:
        """Calls `act` while a server works at a request of that kind, when `after` others have passed."""
        world = self.world
        if kind in ("tags", "recognise"):
            service = world.imagga if kind == "tags" else world.compreface
            answer, left = service.answer, iter(range(after, -1, -1))

            def answering(request: Request) -> Answer:
                if request.kind == kind and next(left, 1) == 0:
                    act()
                return answer(request)

            service.answer = answering  # type: ignore[method-assign]
            try:
                yield
            finally:
                del service.answer
            return
        world.plex.before(kind, act, after)
        yield
        world.plex.forget_hooks()

    def _put_back_database(self, kept: Kept) -> None:
        if self.database is not None:
            if kept.file is not None:
                self.database.write_bytes(kept.file)
            return
        databases.clear(self.url)
        if kept.rows is not None:
            state.put_back(self.url, kept.rows)

    def _is_migrated(self) -> bool:
        with state.connect(self.url) as connection:
            return connection.dialect.has_table(connection, "photo")

    # ── what is seen from outside ─────────────────────────────────────────────────────────────────────────

    def seen(self) -> dict[str, list[object]]:
        """The database and what Plex shows: what a run that was never killed would leave."""
        plex = self.world.plex
        shown: list[object] = [
            (key, sorted(plex.tags(key)), photo.locked) for key, photo in sorted(plex.photos.items())
        ]
        return {**state.dump(self.url), "Plex": shown}

    def damage(self) -> str | None:
        """What no client may ever do, and was done."""
        # How often a face is asked for is counted against the kills, which the service knows nothing of.
        faces = [each for each in self.world.compreface.damage if each != "asked for the same picture twice"]
        found = [*self.world.plex.damage(), *self.world.imagga.damage, *faces]
        return "; ".join(found)[:300] or None

    def most_sent(self) -> int:
        """How often the picture that was sent most often was billed."""
        return max(Counter(self.world.imagga.billed).values(), default=0)

    def left_behind(self) -> str | None:
        """Files that no run that has ended leaves in its home."""
        known = {self.database.name} if self.database else set()
        found = [
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if path.is_file() and path.name not in known and ".backup-" not in path.name
        ]
        return f"left behind: {', '.join(found)}" if found else None

    def orphans(self, pid: int, seconds: float = 10) -> str | None:
        """Processes of the run with that pid that outlive it by so many seconds; they are ended then."""
        until = time.monotonic() + seconds
        while living := _group(pid):
            if time.monotonic() > until:
                for orphan in living:
                    os.kill(orphan, 9)
                return f"{len(living)} processes outlived the run"
            time.sleep(0.01)
        return None


def _group(pid: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if fields[3] == str(pid) and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found


@contextmanager
def rig(folder: Path, kind: str = "sqlite", photos: int = PHOTOS, **settings: str) -> Iterator[Rig]:
    """A world with its own home and a database of that kind, empty and without tables."""
    with ExitStack() as stack:
        made = stack.enter_context(world(folder, photos))
        made.imagga.allowed_at_once = None
        launcher = stack.enter_context(Launcher())
        (folder / "home").mkdir()
        url = stack.enter_context(databases.empty_url(kind, folder / "home"))
        yield Rig(made, launcher, url, dict(settings))


__all__ = ["Ended", "Rig", "different_pictures", "rig"]

"""Every row of RELIABILITY's table of the database, on all three kinds (D1–D11, I22)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests import databases
from tests.torture import database_faults as faults
from tests.torture import state
from tests.torture.database_more import migrations, odd_names, over_a_network
from tests.torture.database_start import (
    PATIENCE,
    WRONGS,
    at_the_start,
    cell_of,
    refusal,
    wrong_code,
    wrong_words,
)
from tests.torture.kills import Told, built
from tests.torture.rig import Ended, Rig
from tests.torture.trial import Cell, Trial, missed, untried


def trials(full: bool) -> Iterator[Trial]:
    """All, or of each kind some that are over at once."""
    wanted: dict[str, dict[str, list[object]]] = {}
    for kind in databases.KINDS if full else databases.KINDS[:2]:
        with built(kind) as made, faults.through(made):
            if not full:
                yield from _short(Told("first scan", made, kind))
                continue
            yield from at_the_start(Told("write", made, kind))
            if kind == "sqlite":
                yield from over_a_network(Told("first scan", made, kind))
            for name in _PLACES:
                yield from _amid(Told(name, made, kind))
            yield from migrations(made, kind)
            yield from odd_names(made, kind, wanted)


def _short(story: Told) -> Iterator[Trial]:
    """One fault that is there at the start, and one that costs an answer if it is not kept elsewhere."""
    if story.kind != "sqlite":
        yield _survival(story, ON_SERVERS[0], "tags", "analysis")
        return
    yield refusal(story, next(wrong for wrong in WRONGS if wrong.name == "0 bytes"), ("scan",))
    if faults.may_mount():
        yield _full_disk(story, "tags")
    else:
        yield untried(cell_of("disk is full", story.name, story.kind), "only root may mount")


# ── wrong in mid-run ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Lost:
    """A fault that comes while a request is answered, or while a table is written."""

    name: str
    code: int
    words: str
    inject: Callable[[Rig, str], AbstractContextManager[Callable[[], object]]]
    """Given the table: what is to be called when the moment has come. It is over with its block."""


@contextmanager
def _cut_for_good(rig: Rig, table: str) -> Iterator[Callable[[], object]]:
    yield rig.wire.cut
    rig.wire.mend()


@contextmanager
def _cut_once(rig: Rig, table: str) -> Iterator[Callable[[], object]]:
    yield lambda: rig.wire.cut(refuse=False)


@contextmanager
def _locks(rig: Rig, table: str) -> Iterator[Callable[[], object]]:
    with faults.locked(rig, table) as lock:
        yield lock


def _refuses(
    fault: str, times: int = 10**9
) -> Callable[[Rig, str], AbstractContextManager[Callable[[], object]]]:
    @contextmanager
    def refusing(rig: Rig, table: str) -> Iterator[Callable[[], object]]:
        with faults.refusing(rig, fault, table, after=1, times=times):
            yield lambda: None

    return refusing


_AWAY = r"Cannot reach the database|kept in"
ON_SERVERS: Sequence[Lost] = (
    Lost("is cut off for good", 6, _AWAY, _cut_for_good),
    Lost("is cut off once", 0, "", _cut_once),
    Lost("is locked for ever", 6, r"stays locked|kept in", _locks),
    Lost("deadlocks twice", 0, "", _refuses("deadlock", 2)),
    Lost("deadlocks for ever", 6, r"stays locked|kept in", _refuses("deadlock")),
    Lost("fails to serialize twice", 0, "", _refuses("serialization failure", 2)),
    Lost("lets a lock time out twice", 0, "", _refuses("lock wait timeout", 2)),
    Lost("is full", 8, r"No room left", _refuses("full disk")),
    Lost("has a full table", 8, r"No room left", _refuses("full table")),
)
ON_FILES: Sequence[Lost] = (Lost("is locked for ever", 6, r"stays locked|kept in", _locks),)
_PLACES: Mapping[str, Sequence[tuple[str, str]]] = {
    "first scan": (("tags", "analysis"), ("recognise", "send"), ("download", "photo"), ("edit", "edit")),
    "write": (("read", "ledger"), ("edit", "edit"), ("edit", "delivery")),
    "undo": (("edit", "edit"), ("edit", "verdict")),
}
"""By story the requests amid which it happens, and the table that is locked or refuses then."""


def _amid(story: Told) -> Iterator[Trial]:
    places = _PLACES[story.name]
    for lost in ON_FILES if story.kind == "sqlite" else ON_SERVERS:
        for request, table in places:
            yield _survival(story, lost, request, table)
    if story.kind != "sqlite":
        cell = cell_of("falls silent", story.name, story.kind)
        yield untried(cell, "ends after two minutes (the kernel) or ten (the driver), too long to wait here")
    elif faults.may_mount():
        for request, _ in places:
            yield _full_disk(story, request)
    else:
        yield untried(cell_of("disk is full", story.name, story.kind), "only root may mount")


def _survival(story: Told, lost: Lost, request: str, table: str) -> Trial:
    """Broken in mid-run, mended, run again: as if nothing had happened, and nothing paid twice."""
    rig = story.rig
    story.begin()
    if not _has_tables(rig):
        databases.migrate(rig.url)
    with lost.inject(rig, table) as strike, rig.when(request, 1, strike):
        ended = rig.run(*story.command, patience=PATIENCE / 4)
    at = f"{table} refuses" if "cut" not in lost.name else f"amid a request ({request})"
    cell = cell_of(lost.name, story.name, story.kind)
    # Where the fault was met by nobody, or could be waited out, there is nothing to say.
    right = (lost.code,) if lost.code == 0 or request != "download" else (lost.code, 0)
    return _compared(story, ended, cell, at, right, lost.words)


def _full_disk(story: Told, request: str) -> Trial:
    rig, cell = story.rig, cell_of("disk is full", story.name, story.kind)
    story.begin()
    assert rig.database is not None
    content = rig.database.read_bytes() if rig.database.exists() else None
    with faults.small_disk(rig.home, 8 << 20):
        if content is not None:
            rig.database.write_bytes(content)
        with rig.when(request, 1, lambda: faults.fill(rig.home)):
            ended = rig.run(*story.command)
        (rig.home / "filling").unlink(missing_ok=True)
        kept = {path.name: path.read_bytes() for path in rig.home.iterdir() if path.is_file()}
    for name, content in kept.items():
        (rig.home / name).write_bytes(content)
    return _compared(story, ended, cell, f"amid a request ({request})", (8,), r"No room left")


def _compared(story: Told, ended: Ended, cell: Cell, at: str, right: Sequence[int], words: str) -> Trial:
    rig = story.rig
    last = rig.run(*story.command) if ended.code else ended
    difference = state.difference(story.wanted, rig.seen()) or rig.damage()
    most = rig.most_sent()
    misses = missed(
        hung=ended.hung or last.hung,
        lost=difference and f"{difference}; the run before said: {ended.last_words}",
        billed=f"a picture was sent {most} times" if most > 1 else None,
        exit=wrong_code(ended, *right) or wrong_code(last, 0, 3),
        words=wrong_words(ended, words if ended.code else "") or wrong_words(last, ""),
    )
    return Trial(cell, at, misses)


def _has_tables(rig: Rig) -> bool:
    if rig.database is not None and not rig.database.exists():
        return False
    with state.connect(rig.url) as connection:
        return connection.dialect.has_table(connection, "photo")

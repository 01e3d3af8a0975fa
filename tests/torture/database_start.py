"""Databases that are wrong before a run starts: nothing is sent or written, and one line says why (D1–D10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import databases
from tests.torture import database_faults as faults
from tests.torture import state
from tests.torture.kills import Told
from tests.torture.rig import Ended, Rig
from tests.torture.trial import Cell, Trial, missed, untried

BOUNDARY = "database"
SERVERS = databases.KINDS[1:]
PATIENCE = 2.0
_NOBODY = 65534

Injected = Callable[[Rig], AbstractContextManager[Mapping[str, Any]]]
"""Breaks something for the time of its block; what it gives goes to `Rig.run`."""


@dataclass(frozen=True)
class Wrong:
    """A fault that is there before the run starts, and what must be said of it."""

    name: str
    kinds: Sequence[str]
    inject: Injected
    code: int
    words: str
    """A pattern for the one line on standard error."""
    commands: Sequence[Sequence[str]] = (("scan",), ("write",), ("undo", "1", "--yes"), ("status",))


def _done(act: Callable[[Rig], object]) -> Injected:
    """A fault that is done once."""

    @contextmanager
    def injected(rig: Rig) -> Iterator[Mapping[str, Any]]:
        act(rig)
        yield {}

    return injected


@contextmanager
def _refused(rig: Rig) -> Iterator[Mapping[str, Any]]:
    rig.wire.cut()
    yield {}
    rig.wire.mend()


@contextmanager
def _silent(rig: Rig) -> Iterator[Mapping[str, Any]]:
    rig.wire.is_silent = True
    yield {"patience": PATIENCE}
    rig.wire.cut()
    rig.wire.mend()


@contextmanager
def _stranger(rig: Rig) -> Iterator[Mapping[str, Any]]:
    before = rig.settings["DB_URL"]
    rig.settings["DB_URL"] = re.sub("//[^@]*@", "//nobody_here:s3cret-of-db@", before)
    yield {}
    rig.settings["DB_URL"] = before


@contextmanager
def _locked(rig: Rig) -> Iterator[Mapping[str, Any]]:
    with faults.locked(rig, "run_lock") as lock:
        lock()
        yield {"patience": 0.5}


@contextmanager
def _read_only_disk(rig: Rig) -> Iterator[Mapping[str, Any]]:
    with faults.read_only(rig.home):
        yield {}


@contextmanager
def _no_right(rig: Rig) -> Iterator[Mapping[str, Any]]:
    """The file is another user's, and so is the folder."""
    for folder in (rig.home, rig.home.parent):
        folder.chmod(0o755)
    Path(rig.settings["DB_URL"].removeprefix("sqlite:///")).chmod(0o644)
    yield {"user": _NOBODY}


@contextmanager
def _read_only_server(rig: Rig) -> Iterator[Mapping[str, Any]]:
    name = rig.url.rpartition("/")[2].partition("?")[0]
    faults.execute(rig.url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield {}
    finally:
        # What would undo it may not write either, unless it says so.
        with state.connect(rig.url) as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.commit()
            connection.exec_driver_sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            connection.commit()


_CHANGING = (("scan",), ("write",), ("undo", "1", "--yes"))
WRONGS: Sequence[Wrong] = (
    Wrong("refuses connections", SERVERS, _refused, 6, r"Cannot reach the database .*Is it running\?"),
    Wrong("accepts and says nothing", SERVERS, _silent, 6, r"Cannot reach the database", _CHANGING[:2]),
    Wrong("does not know the user", SERVERS, _stranger, 6, r"refused access .*Check user, password and name"),
    Wrong("is locked", databases.KINDS, _locked, 6, r"The database .* stays locked", _CHANGING),
    Wrong("0 bytes", ("sqlite",), _done(faults.empty_file), 6, r"not a database that can be read .*0 bytes"),
    Wrong("a letter", ("sqlite",), _done(faults.letter), 6, r"not a database that can be read"),
    Wrong("cut in half", ("sqlite",), _done(faults.half), 6, r"not a database that can be read"),
    Wrong("overwritten", ("sqlite",), _done(faults.overwritten), 6, r"not a database that can be read"),
    Wrong("a table is missing", databases.KINDS, _done(faults.without_a_table), 6, r"table verdict is gone"),
    Wrong("newer schema", databases.KINDS, _done(faults.newer), 6, r"was made by a newer TigerTag"),
    Wrong("of 2021", databases.KINDS, _done(faults.of_2021), 6, r"a database of TigerTag 2021"),
    Wrong("read-only disk", ("sqlite",), _read_only_disk, 8, r"cannot be (written|made) or opened", _CHANGING),
    Wrong("another user's file", ("sqlite",), _no_right, 8, r"cannot be written or opened", _CHANGING),
    Wrong("read-only", ("postgresql",), _read_only_server, 8, r"cannot be written", _CHANGING),
)


def at_the_start(story: Told) -> Iterator[Trial]:
    for wrong in WRONGS:
        for command in wrong.commands if story.kind in wrong.kinds else ():
            yield refusal(story, wrong, command)
    if not faults.may_mount():
        yield untried(cell_of("read-only disk", "start", "sqlite"), "only root may mount")
    if story.kind == "mariadb":
        yield untried(
            cell_of("read-only", "scan", "mariadb"), "only for the whole server, others' databases too"
        )


def cell_of(fault: str, phase: str, kind: str) -> Cell:
    return Cell(BOUNDARY, f"{kind}: {fault}", phase)


def refusal(story: Told, wrong: Wrong, command: Sequence[str]) -> Trial:
    """Nothing is sent, nothing is written, and one line says why."""
    rig, cell = story.rig, cell_of(wrong.name, command[0], story.kind)
    if wrong.name == "of 2021":
        rig.put_back(rig.empty)
        faults.without_tables(rig)
    else:
        story.begin()
    try:
        with wrong.inject(rig) as how:
            # Who opens and closes a file of SQLite loses its locks, and a table that is locked cannot be read.
            looks = wrong.name != "is locked"
            before = faults.contents(rig) if looks else None
            ended = rig.run(*command, **how)
            after = faults.contents(rig) if looks else None
    except OSError as error:
        return untried(cell, str(error))
    finally:
        if story.kind != "sqlite" and wrong.name in ("a table is missing", "newer schema", "of 2021"):
            faults.without_tables(rig)
            databases.migrate(rig.url)
    sent = len(rig.world.imagga.billed) + rig.world.plex.counts()["edit"]
    return Trial(
        cell,
        misses=missed(
            hung=ended.hung,
            lost="the database was changed" if before != after else None,
            billed=f"{sent} requests that bill or write" if sent else None,
            exit=wrong_code(ended, wrong.code),
            words=wrong_words(ended, wrong.words),
            leaked="the password" if "s3cret-of-db" in ended.out + ended.err else None,
        ),
    )


def wrong_code(ended: Ended, *right: int) -> str | None:
    if ended.hung or ended.code in right:
        return None
    return f"{ended.code} for {' or '.join(map(str, right))}: {ended.last_words}"


def wrong_words(ended: Ended, pattern: str) -> str | None:
    """Not the right line, or a traceback, or a fault in TigerTag."""
    if ended.hung:
        return None
    if "Traceback" in ended.err or "fault in TigerTag" in ended.err:
        return ended.last_words
    if not pattern:
        return None
    said = [line for line in ended.err.splitlines() if re.search(pattern, line)]
    return None if said else f"not /{pattern}/: {ended.last_words}"

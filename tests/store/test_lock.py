"""One run at a time (RELIABILITY R1-R4), whatever became of the run before."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tigertag.errors import LockHeld
from tigertag.store import tables
from tigertag.store.database import Database
from tigertag.store.lock import Process, RunLock, is_dead, started, this_process

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
ME = Process("nas", 400, "boot-a:ns-1:1000:machine")


@dataclass
class World:
    """A clock and a table of processes that a test sets."""

    now: datetime = NOW
    starts: dict[int, str] = field(default_factory=lambda: {400: "1000"})

    def lock(self, process: Process = ME, pause: Callable[[float], None] | None = None) -> RunLock:
        return RunLock(
            clock=lambda session: self.now,
            process=lambda: process,
            start_of=self.starts.get,
            pause=pause or self.pass_time,
            beats_every=0,
        )

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def rows(database: Database) -> list[tables.RunLock]:
    with database.reading() as session:
        return list(session.scalars(select(tables.RunLock)))


def test_a_second_run_is_told_who_is_at_work(database: Database) -> None:
    world = World()
    with (
        world.lock().acquire(database, "scan"),
        pytest.raises(
            LockHeld, match=r"^Another run \(pid 400, since 2026-11-01 02:30:00 UTC\) is under way\.$"
        ),
    ):
        world.lock(replace(ME, pid=401)).acquire(database, "write")


def test_the_lock_is_free_after_the_run(database: Database) -> None:
    for _ in range(2):
        with World().lock().acquire(database, "scan") as held:
            held.check()
            assert [row.token for row in rows(database)] == [held.token]
    assert rows(database) == []


def test_an_error_in_the_run_frees_the_lock(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), World().lock().acquire(database, "scan"):
        raise ZeroDivisionError
    assert rows(database) == []


def test_the_lock_of_a_killed_run_is_free_at_once(database: Database) -> None:
    world = World()
    world.lock().acquire(database, "scan")
    del world.starts[400]
    world.lock(replace(ME, pid=401)).acquire(database, "scan").check()


def test_waiting_ends_when_the_other_run_does(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    first = world.lock().acquire(sqlite_database, "scan")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            first.release()

    world.lock(pause=pause).acquire(sqlite_database, "write", wait=True).check()
    assert len(pauses) == 3
    (said,) = caplog.messages
    assert said.startswith("Another run (pid ") and said.endswith("is under way. Waiting for its end.")


def test_a_late_waker_learns_that_its_lock_was_taken(database: Database) -> None:
    world = World()
    sleeper = world.lock(replace(ME, host="laptop")).acquire(database, "scan")
    world.now += timedelta(hours=8)
    with world.lock().acquire(database, "scan") as other:
        for act in (sleeper.check, sleeper.beat):
            with pytest.raises(LockHeld, match="has lost its lock to another run"):
                act()
        sleeper.release()
        other.check()
    with pytest.raises(LockHeld, match="another one took it and has ended"):
        sleeper.check()


def test_what_is_written_without_the_lock_does_not_stand(database: Database) -> None:
    world = World()
    sleeper = world.lock(replace(ME, host="laptop")).acquire(database, "scan")
    world.now += timedelta(hours=8)
    world.lock().acquire(database, "scan")

    def work(session: Session) -> None:
        session.add(tables.PhotoRow(content_id="jpeg1:late", width=1, height=1, seen=NOW))
        session.flush()
        sleeper.check(session)

    with pytest.raises(LockHeld):
        database.transact(work)
    with database.reading() as session:
        assert session.scalars(select(tables.PhotoRow)).all() == []


def test_a_heart_that_beats_keeps_the_lock_from_other_hosts(database: Database) -> None:
    world = World()
    held = world.lock(replace(ME, host="laptop")).acquire(database, "scan")
    for _ in range(4):
        world.now += timedelta(minutes=5)
        held.beat()
        with pytest.raises(LockHeld):
            world.lock().acquire(database, "scan")


def test_the_run_of_the_lock_can_be_named(database: Database) -> None:
    with database.session() as session:
        session.add(tables.Run(id=5, command="scan", started=NOW))
    with World().lock().acquire(database, "scan") as held:
        held.assign(5)
        assert rows(database)[0].run_id == 5


def test_a_thread_keeps_the_heart_beating(sqlite_database: Database) -> None:
    beats = iter(range(10_000))
    lock = replace(World().lock(), clock=lambda session: NOW + timedelta(seconds=next(beats)), beats_every=0.01)
    with lock.acquire(sqlite_database, "scan"):
        first = rows(sqlite_database)[0].heartbeat
        while rows(sqlite_database)[0].heartbeat == first:
            pass


@pytest.mark.parametrize(
    ("holder", "silent", "dead"),
    [
        (ME, timedelta(hours=9), False),  # alive, only asleep
        (replace(ME, pid=7), timedelta(0), True),  # no such process
        (replace(ME, boot_id="boot-a:ns-1:999:machine"), timedelta(0), True),  # the pid was given out again
        (replace(ME, boot_id="boot-b:ns-1:1000:machine"), timedelta(0), True),  # the machine was restarted
        (replace(ME, boot_id="boot-a:ns-2:1000:machine"), timedelta(minutes=9), False),  # another container
        (replace(ME, boot_id="boot-a:ns-2:1000:machine"), timedelta(minutes=11), True),
        (replace(ME, boot_id="boot-b:ns-1:1000:other"), timedelta(minutes=9), False),  # a namesake
        (replace(ME, host="far"), timedelta(minutes=9), False),
        (replace(ME, host="far"), timedelta(minutes=11), True),
        (replace(ME, host="far"), timedelta(minutes=-11), True),  # the clock was set back since
        (replace(ME, boot_id="boot-b"), timedelta(0), True),
        (replace(ME, boot_id=""), timedelta(minutes=9), False),  # a system that does not tell
        (replace(ME, boot_id=""), timedelta(minutes=11), True),
    ],
)
def test_a_holder_is_dead_when_it_can_no_longer_write(holder: Process, silent: timedelta, dead: bool) -> None:
    assert is_dead(holder, NOW - silent, ME, NOW, {400: "1000"}.get) is dead


def test_this_process_is_alive_and_a_child_that_was_killed_is_not() -> None:
    assert started(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert started(child.pid) is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started(child.pid) is None  # dead, though its parent has not asked for it yet
    child.communicate()
    assert started(child.pid) is None


def test_a_place_fits_its_columns() -> None:
    me = this_process()
    assert len(me.boot_id) <= 80 and me.host


def test_a_real_run_that_is_killed_frees_the_lock(migrated_url: str) -> None:
    with holding(migrated_url) as child, Database.open(migrated_url) as database:
        with pytest.raises(LockHeld, match=rf"pid {child.pid},"):
            RunLock().acquire(database, "scan")
        child.send_signal(signal.SIGKILL)
        child.wait()
        with RunLock().acquire(database, "scan") as held:
            held.check()


@contextmanager
def holding(url: str) -> Iterator[subprocess.Popen[str]]:
    program = (
        "import sys; from tigertag.store.database import Database; from tigertag.store.lock import RunLock\n"
        "held = RunLock().acquire(Database.open(sys.argv[1]), 'scan'); print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", program, url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def race(url: str, barrier: Barrier) -> bool:
    """Whether this process got the lock; it ends holding it."""
    database = Database.open(url)
    barrier.wait(60)
    try:
        RunLock(beats_every=0).acquire(database, "scan")
    except LockHeld:
        return False
    finally:
        barrier.wait(60)  # a winner that has ended would be dead, and its lock free
    return True


def test_of_many_that_start_together_one_gets_the_lock(migrated_url: str) -> None:
    count = 4
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    results = context.SimpleQueue()
    children = [context.Process(target=_report, args=(migrated_url, barrier, results)) for _ in range(count)]
    for child in children:
        child.start()
    won = [results.get() for _ in children]
    for child in children:
        child.join()
    assert sorted(won) == [False, False, False, True]


def _report(url: str, barrier: Barrier, results: multiprocessing.SimpleQueue[bool]) -> None:
    results.put(race(url, barrier))

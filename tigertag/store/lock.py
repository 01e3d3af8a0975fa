"""The run lock: one run at a time may send and write. A row, so that it holds between hosts too.

The holder is known by host, boot, process namespace, pid and the moment the process started, so that a pid that
was given out again is no holder. Another host's holder is known by its heartbeat only; both are measured with
the database's clock, because two hosts' clocks differ.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tigertag.errors import LockHeld, TigerTagError
from tigertag.store import tables
from tigertag.store.database import Database

log = logging.getLogger(__name__)

STALE = timedelta(minutes=10)
"""Twice the longest request: after so long without a heartbeat a holder on another host is dead (R2)."""
_BEAT_SECONDS = 60.0
_POLL_SECONDS = 2.0
_NAME = "run"

Clock = Callable[[Session], datetime]


@dataclass(frozen=True, slots=True)
class Process:
    """Where a run lives."""

    host: str
    pid: int
    boot_id: str
    """`BOOT:NAMESPACE:START:MACHINE`; any of them is empty or missing where the system does not tell."""


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    boot = _line("/proc/sys/kernel/random/boot_id")
    # Two machines may share a name; eight of the ID's digits tell them apart (machine-id(5)).
    machine = _line("/etc/machine-id")[:8]
    return Process(socket.gethostname(), pid, f"{boot}:{_namespace()}:{started(pid) or ''}:{machine}")


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _namespace() -> str:
    """A container has pids of its own; those of another say nothing here."""
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def started(pid: int) -> str | None:
    """When the process started, in ticks since boot (proc(5), field 22); '' unknown, None if it is not alive.

    A zombie is dead: it will not send or write again.
    """
    try:
        # The second field is the program's name in brackets and may itself hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return "" if _answers(pid) else None


def _answers(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def is_dead(
    holder: Process, heartbeat: datetime, me: Process, now: datetime, start_of: Callable[[int], str | None]
) -> bool:
    """Whether the holder of the lock can no longer send or write."""
    boot, namespace, start, machine = _parts(holder)
    my_boot, my_namespace, _, my_machine = _parts(me)
    # Far in the future is as dead as far in the past: the clock was set back since.
    is_silent = abs(now - heartbeat) > STALE
    if holder.host != me.host or _differ(machine, my_machine):
        return is_silent
    if _differ(boot, my_boot):
        return True
    if _differ(namespace, my_namespace):  # a container's pids say nothing here
        return is_silent
    alive = start_of(holder.pid)
    if alive is None or _differ(start, alive):
        return True
    # Without a boot ID and a start the pid may be a stranger's.
    return is_silent and not (boot or start)


def _parts(process: Process) -> tuple[str, str, str, str]:
    boot, namespace, start, machine = ([*process.boot_id.split(":"), "", "", ""])[:4]
    return boot, namespace, start, machine


def _differ(one: str, other: str) -> bool:
    """Whether both are known and not the same."""
    return bool(one and other) and one != other


def database_clock(session: Session) -> datetime:
    """Now, UTC, by the clock that all hosts share: the server's; of a SQLite file this machine's."""
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite":
        return datetime.now(UTC)
    now: datetime = session.scalars(
        select(func.clock_timestamp() if dialect == "postgresql" else func.utc_timestamp(6))
    ).one()
    return now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)


@dataclass(frozen=True)
class RunLock:
    """Takes the lock; its parts can be replaced by a test."""

    clock: Clock = database_clock
    process: Callable[[], Process] = this_process
    start_of: Callable[[int], str | None] = started
    pause: Callable[[float], None] = time.sleep
    beats_every: float = _BEAT_SECONDS
    """Seconds between heartbeats of a thread; 0 for no thread."""

    def acquire(self, db: Database, command: str, *, wait: bool = False) -> Held:
        """The lock, until `release`. Raises LockHeld while another run holds it, unless it is to `wait`."""
        holder = ""
        while True:
            token = uuid.uuid4().hex
            try:
                db.transact(partial(self._take, token=token, command=command))
            except IntegrityError:  # another process put its row in at the same moment
                continue
            except LockHeld as error:
                if not wait:
                    raise
                if holder != str(error):
                    holder = str(error)
                    log.warning("%s Waiting for its end.", holder)
                self.pause(_POLL_SECONDS)
                continue
            return Held(db, token, self.clock, self.beats_every)

    def _take(self, session: Session, token: str, command: str) -> None:
        now, me = self.clock(session), self.process()
        there = session.get(tables.RunLock, _NAME, with_for_update=True)
        if there is not None:
            holder = Process(there.host, there.pid, there.boot_id)
            if not is_dead(holder, there.heartbeat, me, now, self.start_of):
                raise LockHeld(_words(there))
            log.warning(
                "The run of pid %s, since %s, has died; its lock is free.", there.pid, _utc(there.since)
            )
            session.delete(there)
            session.flush()
        session.add(
            tables.RunLock(
                name=_NAME,
                token=token,
                command=command,
                host=me.host,
                pid=me.pid,
                boot_id=me.boot_id,
                since=now,
                heartbeat=now,
            )
        )
        session.flush()


def _words(there: tables.RunLock) -> str:
    return f"Another run (pid {there.pid}, since {_utc(there.since)}) is under way."


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


@dataclass
class Held:
    """The lock in hand. A context manager; a thread keeps its heart beating."""

    db: Database
    token: str
    clock: Clock
    beats_every: float = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._beater = threading.Thread(target=self._keep_beating, name="tigertag-heartbeat", daemon=True)
        if self.beats_every > 0:
            self._beater.start()

    def check(self, session: Session | None = None) -> None:
        """Before each send and each write: raises LockHeld where another run has taken over (R3).

        With a session it is read in that transaction, so that what the transaction writes stands only with
        the lock.
        """
        if session is None:
            with self.db.reading() as mine:
                self._compare(mine)
        else:
            self._compare(session)

    def _compare(self, session: Session) -> None:
        # Columns, not the entity: what the session has loaded before must not answer.
        row = session.execute(
            select(tables.RunLock.token, tables.RunLock.pid, tables.RunLock.since).where(
                tables.RunLock.name == _NAME
            )
        ).one_or_none()
        if row is None:
            raise LockHeld("This run has lost its lock: another one took it and has ended. Run it again.")
        if row.token != self.token:
            raise LockHeld(
                f"This run has lost its lock to another run (pid {row.pid}, since {_utc(row.since)}), "
                "after it did not move for too long. Run it again when that one has ended."
            )

    def beat(self) -> None:
        """Says that this run lives. Raises LockHeld where the lock was lost."""
        self.db.transact(self._beat)

    def _beat(self, session: Session) -> None:
        self._compare(session)
        session.execute(
            update(tables.RunLock)
            .where(tables.RunLock.name == _NAME, tables.RunLock.token == self.token)
            .values(heartbeat=self.clock(session))
        )

    def assign(self, run_id: int) -> None:
        """Names the run that the lock is held for."""
        self.db.transact(
            lambda session: session.execute(
                update(tables.RunLock).where(tables.RunLock.token == self.token).values(run_id=run_id)
            )
        )

    def _keep_beating(self) -> None:
        while not self._end.wait(self.beats_every):
            try:
                self.beat()
            except TigerTagError as error:
                # Whoever sends or writes next meets the same error in `check`, where it can be acted on.
                log.debug("No heartbeat: %s", error)

    def release(self) -> None:
        """Frees the lock, if it is still ours."""
        self._end.set()
        if self._beater.is_alive():
            self._beater.join()
        self.db.transact(
            lambda session: session.execute(
                delete(tables.RunLock).where(tables.RunLock.name == _NAME, tables.RunLock.token == self.token)
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except TigerTagError as fault:
            # The lock of a process that has ended is free; the error that ended it is worth more.
            log.warning(
                "The run lock could not be released (%s); it frees itself when this program ends.", fault
            )

"""Runs, and what plugins remember."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tigertag.model import JSON
from tigertag.store.items import digest
from tigertag.store.tables import Edit, MemoryRow, Run, RunLock


def start(session: Session, command: str, arguments: str, now: datetime) -> int:
    row = Run(command=command, arguments=arguments, started=now, state="running")
    session.add(row)
    session.flush()
    return row.id


def end(session: Session, run_id: int, exit_code: int, summary: dict[str, Any], now: datetime) -> None:
    """`stopped` is a run that a signal ended; the rest is `done` or `failed` by its exit code."""
    row = session.get_one(Run, run_id)
    row.state = "stopped" if exit_code in (130, 143) else "failed" if exit_code in (1, 6, 8) else "done"
    row.exit_code, row.summary, row.ended = exit_code, summary, now


def close_cut_off(session: Session, now: datetime) -> None:
    """Runs that never ended are marked so; called by the holder of the lock."""
    for row in session.scalars(select(Run).where(Run.state == "running")):
        row.state, row.ended = "cut off", now


def latest(session: Session, limit: int) -> Sequence[Run]:
    return session.scalars(select(Run).order_by(Run.id.desc()).limit(limit)).all()


def get(session: Session, run_id: int) -> Run | None:
    return session.get(Run, run_id)


def last_quotas(session: Session) -> dict[str, JSON]:
    """What billed services said was left, as the newest scan that asked them saw it."""
    for row in session.scalars(select(Run).where(Run.command == "scan").order_by(Run.id.desc()).limit(20)):
        quotas = (row.summary or {}).get("quota")
        if quotas:
            return dict(quotas)
    return {}


def last_paces(session: Session) -> dict[str, float]:
    """Seconds that a photo took, by engine, as the newest run that asked it measured them."""
    found: dict[str, float] = {}
    for row in session.scalars(select(Run).order_by(Run.id.desc()).limit(20)):
        found = {**((row.summary or {}).get("took") or {}), **found}
    return found


def lock_holder(session: Session) -> str:
    """Who holds the run lock, in a sentence; empty for nobody."""
    row = session.scalar(select(RunLock))
    return (
        ""
        if row is None
        else f"{row.command} (pid {row.pid} on {row.host}, since {row.since:%Y-%m-%d %H:%M} UTC)"
    )


def last_writing(session: Session, *, undo: bool) -> int | None:
    """The newest run that wrote, also where it was taken back since; with `undo` the newest that took back."""
    wrote = select(Edit.run_id).where(Edit.state == "confirmed")
    wrote = wrote.where(Edit.undoes.is_not(None) if undo else Edit.undoes.is_(None))
    return session.scalar(select(Run.id).where(Run.id.in_(wrote)).order_by(Run.id.desc()).limit(1))


def recall(session: Session, scope: str, key: str) -> JSON:
    return session.scalar(
        select(MemoryRow.value).where(MemoryRow.scope == scope, MemoryRow.key_hash == digest(key))
    )


def remember(session: Session, scope: str, key: str, value: JSON) -> None:
    row = session.scalar(select(MemoryRow).where(MemoryRow.scope == scope, MemoryRow.key_hash == digest(key)))
    if row is None:
        row = MemoryRow(scope=scope, key=key, key_hash=digest(key))
        session.add(row)
    row.value = value


def forget(session: Session, scope: str, key: str) -> None:
    session.execute(delete(MemoryRow).where(MemoryRow.scope == scope, MemoryRow.key_hash == digest(key)))


def remembered(session: Session, scope: str) -> list[tuple[str, JSON]]:
    rows = session.execute(
        select(MemoryRow.key, MemoryRow.value).where(MemoryRow.scope == scope).order_by(MemoryRow.id)
    )
    return [(key, value) for key, value in rows]

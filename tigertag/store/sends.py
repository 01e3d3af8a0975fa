"""Requests that may be billed: a row is committed before each one leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from tigertag.model import Outcome
from tigertag.store import rows
from tigertag.store.items import chunks
from tigertag.store.tables import EngineRevision, EngineRow, SendRow

_SEND = rows.table_of(SendRow)
_SETTLE = update(_SEND).where(_SEND.c.id.in_(rows.many())).values(outcome=bindparam("outcome"))


def add(session: Session, asks: Sequence[tuple[int, int]], run_id: int, now: datetime) -> list[int]:
    """A row for each (photo, revision) about to be sent; their ids in the same order."""
    values = [
        {
            "photo_id": photo,
            "revision_id": revision,
            "run_id": run_id,
            "outcome": Outcome.UNKNOWN.value,
            "at": now,
        }
        for photo, revision in asks
    ]
    return rows.add_with_ids(session, _SEND, values)


def settle(session: Session, outcomes: Mapping[int, Outcome]) -> None:
    """What became of requests, by the ids of their rows."""
    for outcome in sorted(set(outcomes.values())):
        for part in chunks([send_id for send_id, each in outcomes.items() if each is outcome]):
            session.execute(_SETTLE, {"ids": part, "outcome": outcome.value})


def settle_unknown(session: Session, photo_id: int, revision_id: int) -> None:
    """The newest request without an outcome was answered after all."""
    newest = session.scalar(
        select(SendRow.id)
        .where(SendRow.photo_id == photo_id, SendRow.revision_id == revision_id, SendRow.outcome == "unknown")
        .order_by(SendRow.id.desc())
        .limit(1)
    )
    if newest is not None:
        settle(session, {newest: Outcome.BILLED})


def count(session: Session, run_id: int) -> dict[tuple[int, str], int]:
    """Requests of a run by revision and outcome."""
    found = session.execute(
        select(SendRow.revision_id, SendRow.outcome, func.count())
        .where(SendRow.run_id == run_id)
        .group_by(SendRow.revision_id, SendRow.outcome)
    )
    return {(revision, outcome): count for revision, outcome, count in found}


def used(session: Session, engine: str, since: datetime) -> int:
    """Requests since then of all revisions that the engine has had, whatever came of them."""
    revisions = select(EngineRevision.revision_id).join(EngineRow).where(EngineRow.name == engine)
    counted = select(func.count()).where(SendRow.at >= since, SendRow.revision_id.in_(revisions))
    return session.scalar(counted) or 0

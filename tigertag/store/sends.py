"""Requests that may be billed: a row is committed before each one leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tigertag.model import Outcome
from tigertag.store.items import chunks
from tigertag.store.tables import SendRow


def add(session: Session, asks: Sequence[tuple[int, int]], run_id: int, now: datetime) -> list[int]:
    """A row for each (photo, revision) about to be sent; their ids in the same order."""
    rows = [
        SendRow(photo_id=photo, revision_id=revision, run_id=run_id, outcome=Outcome.UNKNOWN, at=now)
        for photo, revision in asks
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def settle(session: Session, outcomes: Mapping[int, Outcome]) -> None:
    for outcome in sorted(set(outcomes.values())):
        for part in chunks([send_id for send_id, each in outcomes.items() if each is outcome]):
            session.execute(update(SendRow).where(SendRow.id.in_(part)).values(outcome=outcome.value))


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
    rows = session.execute(
        select(SendRow.revision_id, SendRow.outcome, func.count())
        .where(SendRow.run_id == run_id)
        .group_by(SendRow.revision_id, SendRow.outcome)
    )
    return {(revision, outcome): count for revision, outcome, count in rows}

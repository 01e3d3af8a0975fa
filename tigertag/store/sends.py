"""Requests that may be billed: a row is committed before each one leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from tigertag.model import Outcome
from tigertag.store import rows
from tigertag.store.items import chunks
from tigertag.store.tables import EngineRevision, EngineRow, Run, SendRow

_SEND = rows.table_of(SendRow)
_SETTLE = update(_SEND).where(_SEND.c.id.in_(rows.many())).values(outcome=bindparam("outcome"))
_MOST_CUT_OFF = 100
"""Runs in a row that are looked at."""
_WITHDRAW = delete(_SEND).where(_SEND.c.id.in_(rows.many()))


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
    """What became of requests, by the ids of their rows. Those that never left are no requests."""
    for outcome in sorted(set(outcomes.values())):
        for part in chunks([send_id for send_id, each in outcomes.items() if each is outcome]):
            if outcome is Outcome.UNSENT:
                session.execute(_WITHDRAW, {"ids": part})
            else:
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


def in_doubt(session: Session, run_id: int) -> dict[int, int]:
    """By revision, the requests without an outcome of runs that were cut off since the last one that ended."""
    latest = select(Run.id, Run.state).where(Run.id < run_id).order_by(Run.id.desc()).limit(_MOST_CUT_OFF)
    cut_off = takewhile(lambda run: run.state == "cut off", session.execute(latest))
    ids = [run.id for run in cut_off]
    if not ids:
        return {}
    found = session.execute(
        select(SendRow.revision_id, func.count())
        .where(SendRow.run_id.in_(ids), SendRow.outcome == "unknown")
        .group_by(SendRow.revision_id)
    )
    return {revision: count for revision, count in found}


def used(session: Session, engine: str, since: datetime) -> int:
    """Requests since then of all revisions that the engine has had, whatever came of them."""
    revisions = select(EngineRevision.revision_id).join(EngineRow).where(EngineRow.name == engine)
    counted = select(func.count()).where(SendRow.at >= since, SendRow.revision_id.in_(revisions))
    return session.scalar(counted) or 0

"""Engines and their revisions: a plugin with the settings that change its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tigertag.model import JSON, fingerprint
from tigertag.store import ledger
from tigertag.store.tables import EngineRevision, EngineRow, Revision


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """What makes a revision: plugin and settings; `version` is for the record only."""

    plugin: str
    settings: Mapping[str, JSON]
    version: str
    reads: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.settings)


def find(session: Session, facts: RevisionFacts) -> int | None:
    return session.scalar(
        select(Revision.id).where(Revision.plugin == facts.plugin, Revision.fingerprint == facts.fingerprint)
    )


def has(session: Session, revision_id: int, fingerprint: str) -> bool:
    """Whether the row is there and has these settings."""
    row = session.get(Revision, revision_id)
    return row is not None and row.fingerprint == fingerprint


def put_in_force(session: Session, name: str, facts: RevisionFacts, now: datetime) -> int:
    """The id of the revision, which is from now on the newest of the engine `name`.

    Settings that were there before find their old revision, and with it their answers.
    """
    engine = session.scalar(select(EngineRow).where(EngineRow.name == name))
    if engine is None:
        engine = EngineRow(name=name, plugin=facts.plugin)
        session.add(engine)
    engine.plugin = facts.plugin
    revision_id = find(session, facts)
    if revision_id is None:
        revision = Revision(
            plugin=facts.plugin,
            fingerprint=facts.fingerprint,
            settings=dict(facts.settings),
            version=facts.version,
            reads=facts.reads,
            created=now,
        )
        session.add(revision)
        session.flush()
        revision_id = revision.id
    session.flush()
    _make_newest(session, engine.id, revision_id)
    return revision_id


def _make_newest(session: Session, engine_id: int, revision_id: int) -> None:
    top = session.scalar(select(func.max(EngineRevision.place)).where(EngineRevision.engine_id == engine_id))
    row = session.get(EngineRevision, (engine_id, revision_id))
    if row is not None and row.place == top:
        return
    if row is None:
        row = EngineRevision(engine_id=engine_id, revision_id=revision_id)
        session.add(row)
    row.place = (top or 0) + 1
    ledger.forget_policies(session)  # its answers may be there already: no new one says what is to be written
    session.flush()


def newest(session: Session, name: str) -> Revision | None:
    """The revision in force of the engine `name`, None where it never ran."""
    return session.scalar(
        select(Revision)
        .join(EngineRevision)
        .join(EngineRow)
        .where(EngineRow.name == name)
        .order_by(EngineRevision.place.desc())
        .limit(1)
    )

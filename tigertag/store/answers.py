"""What the engines answered, and what still waits for an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from tigertag.meaning.packing import packed
from tigertag.model import CAPTION, Annotation, Box, Kind
from tigertag.store import vectors
from tigertag.store.items import chunks
from tigertag.store.tables import (
    AnalysisRow,
    AnnotationRow,
    EngineRevision,
    EngineRow,
    ItemRow,
    TagRow,
)

ANSWERED = ("done", "again")
WAITING = ("waiting", "again")


def retry_failed(session: Session, revisions: Collection[int]) -> None:
    """Failed analyses wait again."""
    session.execute(
        update(AnalysisRow)
        .where(AnalysisRow.revision_id.in_(revisions), AnalysisRow.state == "failed")
        .values(state="waiting")
    )


def ask_again(session: Session, revisions: Collection[int], item_ids: Sequence[int]) -> int:
    """Answers for these items are asked again; the old ones stay until the new ones are there. The count."""
    asked = 0
    for part in chunks(item_ids):
        photos = select(ItemRow.photo_id).where(ItemRow.id.in_(part), ItemRow.photo_id.is_not(None))
        mine = (AnalysisRow.revision_id.in_(revisions), AnalysisRow.photo_id.in_(photos))
        again = update(AnalysisRow).where(*mine, AnalysisRow.state == "done").values(state="again")
        retry = update(AnalysisRow).where(*mine, AnalysisRow.state == "failed").values(state="waiting")
        asked += session.execute(again).rowcount + session.execute(retry).rowcount  # type: ignore[attr-defined]
    return asked


def said_of(
    session: Session, item_ids: Sequence[int], engines: Sequence[str]
) -> dict[int, dict[str, list[Annotation]]]:
    """Tags, persons, captions and vectors by item and engine: of each the newest revision with an answer.

    A vector's value holds `revision`, the row of the model that made it, and `vector`, as `packing` has it.
    An engine without an answer for an item is left out; one that answered nothing has an empty list.
    """
    found: dict[int, dict[str, list[Annotation]]] = {item: {} for item in item_ids}
    for part in chunks(item_ids):
        newest = _newest_answers(session, part, engines)
        by_analysis = _annotations(session, list(newest.values()))
        for (item, engine), analysis in newest.items():
            found[item][engine] = by_analysis.get(analysis, [])
    return found


def _newest_answers(
    session: Session, item_ids: Sequence[int], engines: Sequence[str]
) -> dict[tuple[int, str], int]:
    """The analysis that counts, by item and engine.

    Plain look-ups: of one join SQLite makes a walk over all answers of a revision, for every chunk of items.
    """
    revisions = session.execute(
        select(EngineRevision.revision_id, EngineRow.name)
        .join(EngineRow)
        .where(EngineRow.name.in_(engines))
        .order_by(EngineRevision.place)
    ).all()
    rows = session.execute(
        select(ItemRow.id, ItemRow.photo_id, ItemRow.input).where(
            ItemRow.id.in_(item_ids), ItemRow.photo_id.is_not(None)
        )
    ).all()
    answered = _answered(session, {row.photo_id for row in rows}, {revision for revision, _ in revisions})
    return {
        (row.id, name): analysis  # the highest place comes last and stays
        for row in rows
        for revision, name in revisions
        for given in ("", row.input)
        if (analysis := answered.get((row.photo_id, revision, given))) is not None
    }


def _answered(
    session: Session, photos: Collection[int], revisions: Collection[int]
) -> dict[tuple[int, int, str], int]:
    """Analyses with an answer, by photo, revision and input."""
    rows = session.execute(
        select(
            AnalysisRow.photo_id, AnalysisRow.revision_id, AnalysisRow.input, AnalysisRow.id, AnalysisRow.state
        ).where(AnalysisRow.photo_id.in_(photos), AnalysisRow.revision_id.in_(revisions))
    )
    # By state in Python: in SQL it would make the index on revision and state look as good as the unique one.
    return {(row[0], row[1], row[2]): row[3] for row in rows if row.state in ANSWERED}


def _annotations(session: Session, analysis_ids: Sequence[int]) -> dict[int, list[Annotation]]:
    found: dict[int, list[Annotation]] = {}
    for part in chunks(sorted(set(analysis_ids))):
        rows = session.execute(
            select(
                AnnotationRow.analysis_id,
                AnnotationRow.kind,
                TagRow.name,
                AnnotationRow.confidence,
                AnnotationRow.language,
                AnnotationRow.value,
            )
            .join(TagRow)
            .where(AnnotationRow.analysis_id.in_(part), _is_to_be_shown())
            .order_by(AnnotationRow.id)
        )
        for analysis, kind, name, confidence, language, value in rows:
            found.setdefault(analysis, []).append(
                Annotation(Kind(kind), name, confidence, language=language, value=value)
            )
    for analysis, vector in vectors.of(session, analysis_ids).items():
        value = {"revision": vector.revision_id, "vector": packed(vector.data)}
        found.setdefault(analysis, []).append(Annotation(Kind.EMBEDDING, value=value))
    return found


def _is_to_be_shown() -> ColumnElement[bool]:
    """What may stand on an item of a target."""
    is_caption = and_(AnnotationRow.kind == "text", TagRow.name == CAPTION)
    return or_(AnnotationRow.kind.in_(("tag", "person")), is_caption)


@dataclass(frozen=True, slots=True)
class Answer:
    """One analysis with all it said, for `show`."""

    engine: str
    state: str
    reason: str | None
    at: datetime
    in_force: bool
    annotations: list[Annotation]


def all_of(session: Session, photo_id: int, input_hash: str) -> list[Answer]:
    """Every analysis of a photo, the newest revision of each engine first."""
    rows = session.execute(
        select(AnalysisRow, EngineRow.name)
        .join(EngineRevision, EngineRevision.revision_id == AnalysisRow.revision_id)
        .join(EngineRow, EngineRow.id == EngineRevision.engine_id)
        .where(
            AnalysisRow.photo_id == photo_id,
            or_(AnalysisRow.input == "", AnalysisRow.input == input_hash),
        )
        .order_by(EngineRow.name, EngineRevision.place.desc())
    ).all()
    counted: set[str] = set()
    answers = []
    for row, engine in rows:
        counts = row.state in ANSWERED and engine not in counted
        if counts:
            counted.add(engine)
        answers.append(Answer(engine, row.state, row.reason, row.at, counts, _in_full(session, row.id)))
    return answers


def _in_full(session: Session, analysis_id: int) -> list[Annotation]:
    rows = session.execute(
        select(AnnotationRow, TagRow.name)
        .outerjoin(TagRow)
        .where(AnnotationRow.analysis_id == analysis_id)
        .order_by(AnnotationRow.confidence.desc(), TagRow.name)
    )
    return [
        Annotation(Kind(row.kind), name or "", row.confidence, _box(row), row.language, row.value)
        for row, name in rows
    ]


def _box(row: AnnotationRow) -> Box | None:
    if row.x is None or row.y is None or row.width is None or row.height is None:
        return None
    return Box(row.x, row.y, row.width, row.height)


def counts(session: Session, revision_id: int) -> dict[str, int]:
    """Photos of live items by state (`waiting`, `done`, `again`, `failed`) for a revision."""
    rows = session.execute(
        select(AnalysisRow.state, func.count(AnalysisRow.id.distinct()))
        .join(ItemRow, ItemRow.photo_id == AnalysisRow.photo_id)
        .where(
            AnalysisRow.revision_id == revision_id,
            ItemRow.gone_since.is_(None),
            or_(AnalysisRow.input == "", AnalysisRow.input == ItemRow.input),
        )
        .group_by(AnalysisRow.state)
    )
    return {state: count for state, count in rows}


def failures(
    session: Session, revisions: Collection[int], source_ids: Collection[int] | None = None
) -> list[tuple[str, int, str]]:
    """Failed analyses of live items, or of those of some sources: item path, revision, reason."""
    within = ItemRow.source_id.in_(source_ids) if source_ids is not None else true()
    rows = session.execute(
        select(ItemRow.path, AnalysisRow.revision_id, AnalysisRow.reason)
        .join(AnalysisRow, AnalysisRow.photo_id == ItemRow.photo_id)
        .where(
            AnalysisRow.revision_id.in_(revisions),
            AnalysisRow.state == "failed",
            within,
            ItemRow.gone_since.is_(None),
            or_(AnalysisRow.input == "", AnalysisRow.input == ItemRow.input),
        )
        .order_by(ItemRow.path)
    )
    return [(path, revision, reason or "") for path, revision, reason in rows]

"""What the engines answered, and what still waits for an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, true, update
from sqlalchemy.orm import Session

from tigertag.model import Annotation, Box, Kind, fold
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


def enlist(session: Session, revision_id: int, asks: Iterable[tuple[int, str]], now: datetime) -> None:
    """Rows of state `waiting` for (photo, input) pairs that have none."""
    wanted = list(dict.fromkeys(asks))
    there: set[tuple[int, str]] = set()
    for part in chunks([photo for photo, _ in wanted]):
        there.update(
            (row.photo_id, row.input)
            for row in session.execute(
                select(AnalysisRow.photo_id, AnalysisRow.input).where(
                    AnalysisRow.revision_id == revision_id, AnalysisRow.photo_id.in_(part)
                )
            )
        )
    session.add_all(
        AnalysisRow(photo_id=photo, revision_id=revision_id, input=given, state="waiting", at=now)
        for photo, given in wanted
        if (photo, given) not in there
    )
    session.flush()


def enlist_photo(
    session: Session, keys: Collection[tuple[int, int, str]], now: datetime
) -> dict[tuple[int, int, str], str]:
    """The state of each (photo, revision, input) of one photo; rows that are missing are made, waiting."""
    found: dict[tuple[int, int, str], str] = {}
    for photo_id in {key[0] for key in keys}:
        known = states(session, photo_id, [key[1] for key in keys])
        found |= {(photo_id, *key): state for key, state in known.items()}
    new = [key for key in dict.fromkeys(keys) if key not in found]
    session.add_all(
        AnalysisRow(photo_id=photo, revision_id=revision, input=given, state="waiting", at=now)
        for photo, revision, given in new
    )
    return found | dict.fromkeys(new, "waiting")


def states(session: Session, photo_id: int, revisions: Collection[int]) -> dict[tuple[int, str], str]:
    """The state of a photo's analyses, by revision and input."""
    rows = session.execute(
        select(AnalysisRow.revision_id, AnalysisRow.input, AnalysisRow.state).where(
            AnalysisRow.photo_id == photo_id, AnalysisRow.revision_id.in_(revisions)
        )
    )
    return {(row.revision_id, row.input): row.state for row in rows}


def _analysis(session: Session, photo_id: int, revision_id: int, given: str) -> AnalysisRow:
    return session.scalars(
        select(AnalysisRow).where(
            AnalysisRow.photo_id == photo_id,
            AnalysisRow.revision_id == revision_id,
            AnalysisRow.input == given,
        )
    ).one()


def keep_answer(
    session: Session,
    key: tuple[int, int, str],
    annotations: Sequence[Annotation],
    *,
    raw: str,
    dropped: int,
    run_id: int,
    now: datetime,
) -> None:
    """Stores the answer for (photo, revision, input); an older one of the same revision goes."""
    row = _analysis(session, *key)
    if row.state in ANSWERED:
        session.execute(delete(AnnotationRow).where(AnnotationRow.analysis_id == row.id))
    row.state, row.reason, row.raw, row.dropped = "done", None, raw or None, dropped
    row.run_id, row.at = run_id, now
    tags = _tag_ids(session, {(each.kind.value, each.name) for each in annotations if each.name})
    if annotations:
        session.execute(insert(AnnotationRow), [_columns(row.id, each, tags) for each in annotations])


def _columns(analysis_id: int, each: Annotation, tags: Mapping[tuple[str, str], int]) -> dict[str, object]:
    return {
        "analysis_id": analysis_id,
        "kind": each.kind.value,
        "tag_id": tags.get((each.kind.value, each.name)),
        "confidence": each.confidence,
        "language": each.language,
        "x": each.box.x if each.box else None,
        "y": each.box.y if each.box else None,
        "width": each.box.width if each.box else None,
        "height": each.box.height if each.box else None,
        "value": each.value,
    }


def _tag_ids(session: Session, names: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of (kind, name) pairs; rows that are missing are made."""
    found: dict[tuple[str, str], int] = {}
    kinds = sorted({kind for kind, _ in names})
    for part in chunks(sorted({name for _, name in names})):
        # The unique index begins with the kind; without it every tag there is would be read.
        there = select(TagRow.id, TagRow.kind, TagRow.name).where(TagRow.kind.in_(kinds), TagRow.name.in_(part))
        for row in session.execute(there):
            found[row.kind, row.name] = row.id
    new = [
        TagRow(kind=kind, name=name, fold=fold(name))
        for kind, name in sorted(names)
        if (kind, name) not in found
    ]
    session.add_all(new)
    session.flush()
    found.update({(row.kind, row.name): row.id for row in new})
    return found


def keep_failure(
    session: Session, key: tuple[int, int, str], reason: str, *, raw: str, run_id: int, now: datetime
) -> bool:
    """The photo failed with this engine. An older answer stays and counts. True where it is news."""
    row = _analysis(session, *key)
    new = row.reason != reason  # kept by --retry-failed: what fails again as before is no news
    row.state = "done" if row.state == "again" else "failed"
    row.reason, row.raw, row.run_id, row.at = reason, raw or row.raw, run_id, now
    return new


def keep_waiting(session: Session, key: tuple[int, int, str], reason: str) -> None:
    """It may pass: the row goes on waiting, with the reason."""
    _analysis(session, *key).reason = reason


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
    """Tags and persons by item and engine: of each engine the newest revision with an answer for the item.

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
            )
            .join(TagRow)
            .where(AnnotationRow.analysis_id.in_(part), AnnotationRow.kind.in_(("tag", "person")))
            .order_by(AnnotationRow.id)
        )
        for analysis, kind, name, confidence, language in rows:
            found.setdefault(analysis, []).append(Annotation(Kind(kind), name, confidence, language=language))
    return found


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

"""Answers as they come in: the rows that wait for them, and what becomes of those, for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from tigertag.meaning.packing import bytes_of
from tigertag.model import Annotation, Kind, fold
from tigertag.store import rows, vectors
from tigertag.store.answers import ANSWERED, WAITING
from tigertag.store.items import chunks
from tigertag.store.tables import AnalysisRow, AnnotationRow, TagRow

Key: TypeAlias = tuple[int, int, str]
"""Photo, revision, input: what an answer belongs to."""
TagIds: TypeAlias = Mapping[tuple[str, str], int]
"""Row ids by kind and name."""

_ANALYSIS, _ANNOTATION, _TAG = (rows.table_of(each) for each in (AnalysisRow, AnnotationRow, TagRow))
_THERE = select(
    *(_ANALYSIS.c[name] for name in ("photo_id", "revision_id", "input", "id", "state", "reason"))
).where(_ANALYSIS.c.photo_id.in_(rows.many()), _ANALYSIS.c.revision_id.in_(rows.many("revisions")))
_UNSAID = delete(_ANNOTATION).where(_ANNOTATION.c.analysis_id.in_(rows.many()))
# The unique index begins with the kind; without it every tag there is would be read.
_TAGS = select(_TAG.c.id, _TAG.c.kind, _TAG.c.name).where(
    _TAG.c.name.in_(rows.many()), _TAG.c.kind.in_(rows.many("kinds"))
)


@dataclass(frozen=True, slots=True)
class Said:
    """What an engine answered."""

    annotations: Sequence[Annotation]
    raw: str = ""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer, and the service's own words."""

    reason: str
    raw: str = ""


def enlist(session: Session, keys: Iterable[Key], now: datetime) -> dict[Key, str]:
    """The state of each analysis; rows that are missing are made, waiting."""
    wanted = list(dict.fromkeys(keys))
    there = _there(session, wanted)
    new = [key for key in wanted if key not in there]
    values = [
        {"photo_id": photo, "revision_id": revision, "input": given, "state": "waiting", "at": now}
        for photo, revision, given in new
    ]
    rows.add(session, _ANALYSIS, values)
    return {key: there[key].state if key in there else "waiting" for key in wanted}


def _there(session: Session, keys: Collection[Key]) -> dict[Key, Row[Any]]:
    """Rows with id, state and reason."""
    revisions = sorted({revision for _, revision, _ in keys})
    photos = sorted({photo for photo, _, _ in keys})
    return {
        (row.photo_id, row.revision_id, row.input): row
        for row in rows.each(session, _THERE, photos, revisions=revisions)
    }


def keep_answers(
    session: Session, answers: Mapping[Key, Said], tags: TagIds, *, run_id: int, now: datetime
) -> dict[tuple[str, str], int]:
    """Stores answers; an older one of the same revision goes. The tag ids that `tags` did not know.

    What it returns is true once the transaction is committed, and not before.
    """
    if not answers:
        return {}
    there = _there(session, answers)
    replaced = [there[key].id for key in answers if there[key].state in ANSWERED]
    for part in chunks(replaced):
        session.execute(_UNSAID, {"ids": part})
    vectors.forget(session, replaced)
    values = [
        {
            "row_id": there[key].id,
            "state": "done",
            "reason": None,
            "raw": said.raw or None,
            "dropped": said.dropped,
            "run_id": run_id,
            "at": now,
        }
        for key, said in answers.items()
    ]
    rows.change(session, _ANALYSIS, values)
    names = {
        (each.kind.value, each.name) for said in answers.values() for each in said.annotations if each.name
    }
    ids = {name: tags[name] for name in names if name in tags}
    learnt = _tag_ids(session, names - ids.keys())
    _annotate(session, [(there[key].id, said.annotations) for key, said in answers.items()], ids | learnt)
    _keep_vectors(session, {(there[key].id, *key[:2]): said.annotations for key, said in answers.items()})
    return learnt


def _keep_vectors(session: Session, answers: Mapping[tuple[int, int, int], Sequence[Annotation]]) -> None:
    """What each photo means, by analysis, photo and revision; of several vectors the first."""
    vectors.keep(
        session,
        {
            place: bytes_of(each.value)
            for place, said in answers.items()
            for each in reversed(said)
            if _is_of_the_whole(each)
        },
    )


def _is_of_the_whole(each: Annotation) -> bool:
    """A vector of a part of the picture, such as a face, is an annotation like any other."""
    return each.kind is Kind.EMBEDDING and each.box is None


def _annotate(session: Session, answers: Iterable[tuple[int, Sequence[Annotation]]], tags: TagIds) -> None:
    """The annotations of each analysis, in their order."""
    bare: list[dict[str, Any]] = []
    full: list[dict[str, Any]] = []
    for analysis_id, whole in answers:
        said = [each for each in whole if not _is_of_the_whole(each)]
        # Mostly an answer has no boxes and no values: half of the columns, all of them empty, need not travel.
        if all(each.box is None and each.value is None for each in said):
            bare += [_columns(analysis_id, each, tags) for each in said]
        else:
            full += [_columns(analysis_id, each, tags) | _place(each) for each in said]
    rows.add(session, _ANNOTATION, bare)
    rows.add(session, _ANNOTATION, full)


def _columns(analysis_id: int, each: Annotation, tags: TagIds) -> dict[str, Any]:
    kind = each.kind.value
    return {
        "analysis_id": analysis_id,
        "kind": kind,
        "tag_id": tags.get((kind, each.name)),
        "confidence": each.confidence,
        "language": each.language,
    }


def _place(each: Annotation) -> dict[str, Any]:
    box = each.box
    return {
        "x": box.x if box else None,
        "y": box.y if box else None,
        "width": box.width if box else None,
        "height": box.height if box else None,
        "value": each.value,
    }


def _tag_ids(session: Session, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of (kind, name) pairs; rows that are missing are made."""
    kinds = sorted({kind for kind, _ in names})
    there = rows.each(session, _TAGS, sorted({name for _, name in names}), kinds=kinds)
    found = {(row.kind, row.name): row.id for row in there}
    new = [pair for pair in sorted(names) if pair not in found]
    values = [{"kind": kind, "name": name, "fold": fold(name)} for kind, name in new]
    return found | dict(zip(new, rows.add_with_ids(session, _TAG, values), strict=True))


def keep_failures(session: Session, failures: Mapping[Key, Failed], *, run_id: int, now: datetime) -> set[Key]:
    """The photos failed with these engines. Older answers stay and count. Those where it is news."""
    if not failures:
        return set()
    there = _there(session, failures)
    values = {
        key: {
            "row_id": there[key].id,
            "state": "done" if there[key].state in ANSWERED else "failed",
            "reason": failed.reason,
            "run_id": run_id,
            "at": now,
        }
        for key, failed in failures.items()
    }
    wordy = [value | {"raw": failures[key].raw} for key, value in values.items() if failures[key].raw]
    rows.change(session, _ANALYSIS, [value for key, value in values.items() if not failures[key].raw])
    rows.change(session, _ANALYSIS, wordy)
    # Kept by --retry-failed: what fails again as before is no news.
    return {key for key, failed in failures.items() if there[key].reason != failed.reason}


def keep_waiting(session: Session, reasons: Mapping[Key, str]) -> None:
    """It may pass: the rows go on waiting, with the reason."""
    if not reasons:
        return
    there = _there(session, reasons)
    values = [
        {"row_id": there[key].id, "reason": reason}
        for key, reason in reasons.items()
        if there[key].state in WAITING
    ]
    rows.change(session, _ANALYSIS, values)

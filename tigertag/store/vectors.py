"""What photos and words mean to a model: half floats, little-endian, as `meaning.packing` has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tigertag.store import rows
from tigertag.store.items import chunks, digest
from tigertag.store.tables import AnalysisRow, VectorRow, WordRow

BLOCK = 4096
"""Vectors read at once: some megabytes."""

_VECTOR, _WORD = rows.table_of(VectorRow), rows.table_of(WordRow)
_UNSEEN = delete(_VECTOR).where(_VECTOR.c.analysis_id.in_(rows.many()))
_SEEN = select(_VECTOR.c.analysis_id, _VECTOR.c.revision_id, _VECTOR.c.data).where(
    _VECTOR.c.analysis_id.in_(rows.many())
)
_OF_PHOTOS = select(_VECTOR.c.photo_id, _VECTOR.c.data).where(_VECTOR.c.photo_id.in_(rows.many()))
_MEANT = select(_WORD.c.text, _WORD.c.text_hash, _WORD.c.data).where(_WORD.c.text_hash.in_(rows.many()))


@dataclass(frozen=True, slots=True)
class Vector:
    """What one photo means to the model of a revision."""

    revision_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """The vectors of many photos, one behind the other, in the order of `photos`."""

    photos: list[int]
    data: bytes


# ── photos ────────────────────────────────────────────────────────────────────────────────────────────────


def keep(session: Session, found: Mapping[tuple[int, int, int], bytes]) -> None:
    """Stores vectors by analysis, photo and revision; those analyses have none yet."""
    values = [
        {"analysis_id": analysis, "photo_id": photo, "revision_id": revision, "data": data}
        for (analysis, photo, revision), data in found.items()
    ]
    rows.add(session, _VECTOR, values)


def forget(session: Session, analysis_ids: Sequence[int]) -> None:
    """Those answers are being replaced."""
    for part in chunks(analysis_ids):
        session.execute(_UNSEEN, {"ids": part})


def of(session: Session, analysis_ids: Collection[int]) -> dict[int, Vector]:
    """The vectors of those analyses that have one."""
    return {
        row.analysis_id: Vector(row.revision_id, row.data)
        for row in rows.each(session, _SEEN, sorted(analysis_ids))
    }


def blocks(session: Session, revision_id: int, size: int = BLOCK) -> Iterator[Block]:
    """All vectors of a revision, by photo."""
    last = 0
    while True:
        part = session.execute(
            select(VectorRow.photo_id, VectorRow.data)
            .where(VectorRow.revision_id == revision_id, VectorRow.photo_id > last)
            .order_by(VectorRow.photo_id)
            .limit(size)
        ).all()
        if part:
            yield Block([row.photo_id for row in part], b"".join(row.data for row in part))
            last = part[-1].photo_id
        if len(part) < size:
            return


def of_photo(session: Session, photo_id: int, revision_id: int) -> bytes | None:
    """What the photo means to the model of that revision, where it was looked at."""
    return session.scalar(
        select(VectorRow.data).where(VectorRow.photo_id == photo_id, VectorRow.revision_id == revision_id)
    )


def of_photos(session: Session, photo_ids: Collection[int], revision_id: int) -> dict[int, bytes]:
    """What those of the photos mean that the model of that revision has looked at."""
    query = _OF_PHOTOS.where(_VECTOR.c.revision_id == revision_id)
    return {row.photo_id: row.data for row in rows.each(session, query, sorted(photo_ids))}


def count(session: Session, revision_id: int) -> int:
    """Photos with a vector of the revision."""
    return session.scalar(select(func.count()).where(VectorRow.revision_id == revision_id)) or 0


def revisions(session: Session) -> list[int]:
    """Those with vectors."""
    return list(
        session.scalars(
            select(AnalysisRow.revision_id)
            .join(VectorRow, VectorRow.analysis_id == AnalysisRow.id)
            .distinct()
            .order_by(AnalysisRow.revision_id)
        )
    )


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def learn(session: Session, revision_id: int, meant: Mapping[str, bytes]) -> None:
    """Stores what texts mean; those that are known already stay as they are."""
    known = words(session, revision_id, meant)
    values = [
        {"revision_id": revision_id, "text": text, "text_hash": digest(text), "data": data}
        for text, data in meant.items()
        if text not in known
    ]
    rows.add(session, _WORD, values)


def words(session: Session, revision_id: int, texts: Collection[str]) -> dict[str, bytes]:
    """What those of the texts mean that were learnt."""
    query = _MEANT.where(_WORD.c.revision_id == revision_id)
    return {row.text: row.data for row in rows.each(session, query, sorted(map(digest, texts)))}

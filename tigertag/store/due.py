"""What waits: items to be opened, photos to be shown to an engine. Counted in SQL, or read row by row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from tigertag.model import Item
from tigertag.store.items import CHUNK, as_item, chunks, glob_path, unread
from tigertag.store.rows import table_of
from tigertag.store.tables import AnalysisRow, ItemRow, SourceRow

Counts = Callable[[int, str], bool]
"""Whether an item counts, by its row id and section/album/path."""

_AT_ONCE = {"yield_per": 1000}
_ITEM, _ANALYSIS, _SOURCE = (table_of(each) for each in (ItemRow, AnalysisRow, SourceRow))
_UNREAD = 0  # Stands for a revision, which no row has.


@dataclass(frozen=True, slots=True)
class Due:
    """An item with work to do. `path` is section/album/path, for globs; `short` lacks the section."""

    id: int
    path: str
    short: str
    moment: datetime | None
    unread: bool
    revisions: tuple[int, ...]
    """Revisions whose answer its photo waits for."""
    only_beside: bool = False
    """It is to be opened for its sidecar alone: the picture is the one that engines have seen."""


def due(
    session: Session, source_ids: Collection[int], revisions: Collection[int], order: str = "newest"
) -> Iterator[Due]:
    """Live items that wait to be opened, or whose photo waits for one of `revisions`, read as they are taken.

    `newest` and `oldest` by moment, those without one last; `path` by section and path.
    """
    seen = (
        _ITEM.c.id,
        _ITEM.c.section,
        _ITEM.c.path,
        _ITEM.c.moment,
        _ITEM.c.moment.is_(None).label("undated"),
    )
    both = union_all(
        select(*seen, literal(_UNREAD).label("revision")).where(_live(source_ids), unread()),
        _waiting(revisions, *seen, _ANALYSIS.c.revision_id.label("revision")).where(
            _found_otherwise(source_ids)
        ),
    ).subquery()
    rows = session.execute(select(both).order_by(*_in_order(session, both, order)), execution_options=_AT_ONCE)
    for _, same in groupby(rows, key=lambda row: row.id):
        said = list(same)
        asked = tuple(row.revision for row in said if row.revision != _UNREAD)
        yield _as_due(said[0], len(asked) < len(said), asked)


def _in_order(session: Session, rows: FromClause, order: str) -> list[ColumnElement[Any]]:
    if order == "path":
        exact = "C" if session.get_bind().dialect.name == "postgresql" else None
        names = (rows.c.section, rows.c.path)
        return [*(name.collate(exact) if exact else name for name in names), rows.c.id]
    if order == "oldest":
        return [rows.c.undated, rows.c.moment, rows.c.id]
    return [rows.c.undated, rows.c.moment.desc(), rows.c.id.desc()]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A due item with all that is needed to open it."""

    due: Due
    source_id: int
    item: Item


def load(session: Session, ids: Sequence[int], revisions: Collection[int]) -> list[Loaded]:
    """The rows of some due items, as they stand now, in the order of `ids`."""
    found: dict[int, Loaded] = {}
    for part in chunks(ids):
        asked: dict[int, tuple[int, ...]] = {}
        waiting = _waiting(revisions, _ITEM.c.id, _ANALYSIS.c.revision_id).where(_ITEM.c.id.in_(part))
        for row_id, revision in session.execute(waiting):
            asked[row_id] = (*asked.get(row_id, ()), revision)
        rows = select(_ITEM, _SOURCE.c.identity).join_from(_ITEM, _SOURCE).where(_ITEM.c.id.in_(part))
        for row in session.execute(rows):
            is_due = _as_due(row, row.read_stamp != row.stamp, asked.get(row.id, ()))
            found[row.id] = Loaded(is_due, row.source_id, as_item(row, row.identity))
    return [found[row_id] for row_id in ids]


def _as_due(row: Any, is_unread: bool, revisions: tuple[int, ...]) -> Due:
    return Due(row.id, glob_path(row.section, row.path), row.path, row.moment, is_unread, revisions)


def without_analysis(
    session: Session, source_id: int, revision_id: int, *, by_input: bool, after: int = 0
) -> list[tuple[int, int, str, str]]:
    """Read, live items whose photo has no row for the revision: item id, photo id, input, glob path.

    So many as one statement takes, with ids above `after`, in ascending order.
    """
    rows = session.execute(
        select(_ITEM.c.id, _ITEM.c.photo_id, _ITEM.c.input, _ITEM.c.section, _ITEM.c.path)
        .where(
            _found_otherwise([source_id]),
            _ITEM.c.id > after,
            _ITEM.c.photo_id.is_not(None),
            ~_analysed(revision_id, by_input=by_input),
        )
        .order_by(_ITEM.c.id)
        .limit(CHUNK)
    )
    return [
        (row.id, row.photo_id, row.input if by_input else "", glob_path(row.section, row.path)) for row in rows
    ]


def count_unopened(session: Session, source_ids: Collection[int], counts: Counts | None = None) -> int:
    """Live items that wait to be opened, or those of them that count."""
    which = (_live(source_ids), unread())
    if counts is None:
        return session.scalar(select(func.count()).select_from(_ITEM).where(*which)) or 0
    rows = session.execute(
        select(_ITEM.c.id, _ITEM.c.section, _ITEM.c.path).where(*which), execution_options=_AT_ONCE
    )
    return sum(counts(row.id, glob_path(row.section, row.path)) for row in rows)


def count_unanswered(
    session: Session,
    source_ids: Collection[int],
    revision_id: int,
    *,
    by_input: bool,
    counts: Counts | None = None,
) -> int:
    """Photos in items that were opened, without an answer or a failure of the revision."""
    which = (
        _live(source_ids),
        _ITEM.c.photo_id.is_not(None),
        ~unread(),
        ~_analysed(revision_id, by_input=by_input).where(_ANALYSIS.c.state.in_(("done", "failed"))),
    )
    if counts is None:
        return session.scalar(select(func.count(_ITEM.c.photo_id.distinct())).where(*which)) or 0
    rows = session.execute(
        select(_ITEM.c.id, _ITEM.c.photo_id, _ITEM.c.section, _ITEM.c.path)
        .where(*which)
        .order_by(_ITEM.c.photo_id),
        execution_options=_AT_ONCE,
    )
    copies = groupby(rows, key=lambda row: row.photo_id)
    return sum(any(counts(row.id, glob_path(row.section, row.path)) for row in same) for _, same in copies)


def count_failures(session: Session, source_ids: Collection[int], revisions: Collection[int]) -> int:
    """Failed analyses of live items."""
    failed = (
        select(func.count())
        .select_from(_ITEM.join(_ANALYSIS, _ANALYSIS.c.photo_id == _ITEM.c.photo_id))
        .where(
            _found_otherwise(source_ids),
            _ANALYSIS.c.revision_id.in_(revisions),
            _ANALYSIS.c.state == "failed",
            or_(_ANALYSIS.c.input == "", _ANALYSIS.c.input == _ITEM.c.input),
        )
    )
    return session.scalar(failed) or 0


def _live(source_ids: Collection[int]) -> ColumnElement[bool]:
    return _ITEM.c.source_id.in_(source_ids) & _ITEM.c.gone_since.is_(None)


def _found_otherwise(source_ids: Collection[int]) -> ColumnElement[bool]:
    """The same, for rows that are found by their id or their photo.

    The sum keeps SQLite from walking all items of a source to find the few that wait.
    """
    return (_ITEM.c.source_id + 0).in_(source_ids) & _ITEM.c.gone_since.is_(None)


def _waiting(revisions: Collection[int], *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(_ITEM.join(_ANALYSIS, _ANALYSIS.c.photo_id == _ITEM.c.photo_id))
        .where(
            _ITEM.c.gone_since.is_(None),
            _ANALYSIS.c.revision_id.in_(revisions),
            _ANALYSIS.c.state.in_(("waiting", "again")),
            or_(_ANALYSIS.c.input == "", _ANALYSIS.c.input == _ITEM.c.input),
        )
    )


def _analysed(revision_id: int, *, by_input: bool) -> Any:
    given = _ITEM.c.input if by_input else ""
    return exists().where(
        _ANALYSIS.c.photo_id == _ITEM.c.photo_id,
        _ANALYSIS.c.revision_id == revision_id,
        _ANALYSIS.c.input == given,
    )

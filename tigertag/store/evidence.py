"""What the owner has said about tags: verdicts, and tags that were there before us. Never what we wrote."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from tigertag.store import rows
from tigertag.store.tables import ItemRow, Ledger, Verdict

_TAG = "tag"
_LEDGER, _ITEM = (rows.table_of(each) for each in (Ledger, ItemRow))
_OURS = (
    select(_ITEM.c.photo_id, _LEDGER.c.target_id, _LEDGER.c.canonical)
    .join(_ITEM, _ITEM.c.id == _LEDGER.c.item_id)
    .where(_LEDGER.c.origin == "ours", _LEDGER.c.kind == _TAG, _ITEM.c.photo_id.in_(rows.many()))
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A tag that, by the owner's word, a photo has or has not."""

    photo_id: int
    canonical: str
    """Folded."""
    fits: bool


def judged(session: Session, canonicals: Collection[str], most: int) -> list[Judged]:
    """What is known of tags with these folded canonical names, the newest `most` of verdicts and of tags.

    A tag that we wrote to a photo is no evidence on its copies, where it stands as another's: files are copied
    with their sidecars. A verdict counts more than a tag; verdicts that contradict each other say nothing.
    """
    ruled = _ruled(session, canonicals, most)
    found = dict.fromkeys(_theirs(session, canonicals, most), True)
    found |= {key: fits for key, fits in ruled.items() if fits is not None}
    contradicted = {key for key, fits in ruled.items() if fits is None}
    return [Judged(*key, fits) for key, fits in sorted(found.items()) if key not in contradicted]


def _ruled(session: Session, canonicals: Collection[str], most: int) -> dict[tuple[int, str], bool | None]:
    """Verdicts by photo and name: it fits, it does not, or (None) both were said."""
    found: dict[tuple[int, str], bool | None] = {}
    query = (
        select(Verdict.photo_id, Verdict.canonical, Verdict.value)
        .where(Verdict.kind == _TAG, Verdict.value.in_(("yes", "no")), Verdict.photo_id.is_not(None))
        .order_by(Verdict.id.desc())
        .limit(most)
    )
    for photo, name, value in session.execute(query):
        if photo is not None and name in canonicals:
            fits = value == "yes"
            found[photo, name] = fits if found.get((photo, name), fits) == fits else None
    return found


def _theirs(session: Session, canonicals: Collection[str], most: int) -> set[tuple[int, str]]:
    """Tags that somebody else put on items, by photo and name."""
    query = (
        select(ItemRow.photo_id, Ledger.target_id, Ledger.canonical)
        .join(ItemRow, ItemRow.id == Ledger.item_id)
        .where(Ledger.origin == "theirs", Ledger.kind == _TAG, ItemRow.photo_id.is_not(None))
        .order_by(Ledger.id.desc())
        .limit(most)
    )
    found = {
        (photo, target, name)
        for photo, target, name in session.execute(query)
        if photo is not None and name in canonicals
    }
    photos = sorted({photo for photo, _, _ in found})
    ours = {(row.photo_id, row.target_id, row.canonical) for row in rows.each(session, _OURS, photos)}
    return {(photo, name) for photo, _, name in found - ours}

"""Which items show tags of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from tigertag.store.items import chunks
from tigertag.store.ledger import was_looked_at
from tigertag.store.tables import ItemRow, Ledger


def among(session: Session, target_id: int, item_ids: Sequence[int]) -> set[int]:
    """Those of these items that show a tag of ours."""
    found: set[int] = set()
    for part in chunks(item_ids):
        found.update(
            session.scalars(
                select(Ledger.item_id).where(
                    Ledger.item_id.in_(part), Ledger.target_id == target_id, Ledger.origin == "ours"
                )
            )
        )
    return found


def everywhere(session: Session, target_id: int) -> Iterator[int]:
    """All items that show a tag of ours and lie as they did when they were opened; newest photo first."""
    shown = exists().where(Ledger.item_id == ItemRow.id, Ledger.target_id == target_id, Ledger.origin == "ours")
    query = (
        select(ItemRow.id)
        .where(ItemRow.photo_id.is_not(None), ItemRow.gone_since.is_(None), was_looked_at(), shown)
        .order_by(ItemRow.moment.desc(), ItemRow.id)
    )
    yield from session.scalars(query, execution_options={"yield_per": 1000})

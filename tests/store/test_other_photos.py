"""What becomes of an item whose key the source gave to another photo (RELIABILITY P11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tigertag.model import Item
from tigertag.store import items, ledger, listing, photos
from tigertag.store.database import Database
from tigertag.store.tables import ItemRow, Ledger

NOW = datetime(2026, 7, 1, tzinfo=UTC)
FIRST = Item("plex:m", "7", "Summer/a.jpg", "stamp of a")


def listed_first(database: Database) -> int:
    """The row of a photo that was listed, opened, and shows a tag of ours."""
    with database.session() as session:
        listing.add(session, items.keep_source(session, "plex:m", "Plex on nas"), [FIRST])
        session.flush()
        row_id = session.query(ItemRow.id).scalar()
    opened(database, row_id, FIRST, "jpeg1:a")
    with database.session() as session:
        target = ledger.keep_target(session, "plex:m", "Plex on nas")
        ledger.mark_pending(session, target, [row_id], NOW)
        session.add(
            Ledger(
                target_id=target,
                item_id=row_id,
                name="Dog",
                fold="dog",
                kind="tag",
                canonical="dog",
                origin="ours",
                engines=["seer"],
                at=NOW,
            )
        )
    return int(row_id)


def opened(database: Database, row_id: int, item: Item, content_id: str) -> None:
    with database.session() as session:
        photo = photos.keep(session, {content_id: (3, 2)}, NOW)[content_id]
        photos.set_read(session, [photos.Read(row_id, item.stamp, photo, file_hash=content_id)], NOW)


@pytest.mark.parametrize(
    ("change", "content_id", "keeps"),
    [
        ({"path": "b.jpg", "stamp": "stamp of b"}, "jpeg1:b", False),
        ({"path": "b.jpg", "stamp": "stamp of b"}, "jpeg1:a", True),
        ({"stamp": "a, edited"}, "jpeg1:b", True),
    ],
    ids=["another photo", "moved", "edited"],
)
def test_only_another_picture_at_another_path_leaves_the_ledger_behind(
    database: Database, change: dict[str, str], content_id: str, keeps: bool
) -> None:
    row_id = listed_first(database)
    then = replace(FIRST, **change)  # type: ignore[arg-type]
    with database.session() as session:
        listing.relist(session, [(row_id, then)])
    opened(database, row_id, then, content_id)
    with database.reading() as session:
        target = session.query(Ledger.target_id).scalar()
        assert bool(ledger.entries(session, target, [row_id])[row_id]) is keeps
        assert session.query(Ledger).count() == 1
        assert session.query(ItemRow).filter(ItemRow.gone_since.is_not(None)).count() == (not keeps)


def test_a_key_may_change_hands_again_and_again(database: Database) -> None:
    row_id = listed_first(database)
    for number in range(3):
        then = replace(FIRST, path=f"{number}.jpg", stamp=f"stamp {number}")
        with database.session() as session:
            listing.relist(session, [(row_id, then)])
        opened(database, row_id, then, f"jpeg1:{number}")
    with database.reading() as session:
        assert {key for (key,) in session.query(ItemRow.key)} == {"7", "7~1", "7~2", "7~3"}


def test_what_changed_is_not_pending_until_it_was_opened(database: Database) -> None:
    row_id = listed_first(database)
    then = replace(FIRST, stamp="a, edited")
    with database.session() as session:
        target = ledger.keep_target(session, "plex:m", "Plex on nas")
        assert ledger.pending(session, target) == [row_id]
        listing.relist(session, [(row_id, then)])
        assert ledger.pending(session, target) == []
        assert ledger.to_verify(session, target, held=True) == []
    opened(database, row_id, then, "jpeg1:b")
    with database.reading() as session:
        assert ledger.pending(session, target) == [row_id]

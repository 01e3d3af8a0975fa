"""The last listing against the next one, and what is due, on every database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tigertag.model import Item
from tigertag.store import due, incoming, items, listing, photos, revisions
from tigertag.store.database import Database
from tigertag.store.tables import ItemRow

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PHOTO = Item(
    "plex:m",
    "1",
    "Summer/a.jpg",
    "s1",
    "Photos",
    "Summer",
    "a",
    7,
    datetime(2019, 7, 14, tzinfo=UTC),
    {"part": "5"},
)


def listed(database: Database, *found: Item) -> tuple[int, dict[str, int]]:
    """The source's row, and those of new items by key."""
    with database.session() as session:
        source = items.keep_source(session, "plex:m", "Plex on nas")
        listing.add(session, source, found)
        known = listing.known(session, source, [each.key for each in found])
    return source, {key: seen.id for key, seen in known.items()}


def last(database: Database, source: int, *sections: str) -> listing.LastListing:
    with database.reading() as session:
        return listing.last_listing(session, source, sections)


def taken(number: int, **fields: object) -> Item:
    moment = datetime(2019, 7, number, tzinfo=UTC)
    return replace(PHOTO, key=str(number), path=f"{number:02}.jpg", moment=moment, **fields)  # type: ignore[arg-type]


def keys(
    database: Database, source: int, rows: dict[str, int], asked: Sequence[int] = (), **how: str
) -> list[str]:
    """What is due, in order, by key."""
    names = {row_id: key for key, row_id in rows.items()}
    with database.reading() as session:
        return [names[each.id] for each in due.due(session, [source], asked, **how)]


@pytest.mark.parametrize(
    "changes",
    [
        {"stamp": "s2"},
        {"path": "Summer/b.jpg"},
        {"section": "Other"},
        {"title": "b"},
        {"size": 8},
        {"size": None},
        {"moment": None},
        {"moment": datetime(2019, 7, 14, 0, 0, 1, tzinfo=UTC)},
        {"facts": {"part": "6"}},
        {"facts": {}},
    ],
)
def test_whatever_a_listing_says_otherwise_changes_the_mark(changes: dict[str, object]) -> None:
    assert listing.mark(replace(PHOTO, **changes)) != listing.mark(PHOTO)  # type: ignore[arg-type]


def test_the_mark_of_an_item_is_the_same_for_ever() -> None:
    """It is kept in databases: another one would compare every photo of every library anew."""
    assert listing.mark(PHOTO) == 3840137374538169246


def test_names_that_are_no_text_have_a_mark() -> None:
    assert listing.mark(replace(PHOTO, path="caf\udce9.jpg")) != listing.mark(PHOTO)


def test_what_was_not_met_is_missing(database: Database) -> None:
    items_ = [taken(number) for number in range(1, 6)]
    source, rows = listed(database, *items_)
    found = last(database, source)
    assert len(found) == 5
    assert found.meets(listing.mark(items_[0]))
    assert not found.meets(listing.mark(replace(items_[1], stamp="s2")))
    found.meets_row(rows["2"])
    assert found.missing() == sorted(rows[key] for key in "345")


def test_items_that_are_gone_and_other_sections_are_not_looked_for(database: Database) -> None:
    source, rows = listed(database, taken(1), taken(2), taken(3, section="Other"))
    with database.session() as session:
        items.set_gone(session, [rows["2"]], NOW)
    assert set(last(database, source).missing()) == {rows["1"], rows["3"]}
    assert last(database, source, "Other").missing() == [rows["3"]]


def test_a_row_without_a_mark_is_compared_in_full_once(database: Database) -> None:
    """As all are after the upgrade that brought the marks."""
    source, rows = listed(database, PHOTO)
    with database.session() as session:
        session.get_one(ItemRow, rows["1"]).listing = None
    found = last(database, source)
    assert (len(found), found.meets(listing.mark(PHOTO)), found.missing()) == (1, False, [rows["1"]])
    with database.session() as session:
        listing.relist(session, [(rows["1"], PHOTO)])
    assert last(database, source).meets(listing.mark(PHOTO))


def test_what_is_due_comes_in_the_order_asked_for(database: Database) -> None:
    source, rows = listed(
        database, taken(2), taken(3), taken(1), replace(PHOTO, key="?", path="00.jpg", moment=None)
    )
    assert keys(database, source, rows) == ["3", "2", "1", "?"]
    assert keys(database, source, rows, order="oldest") == ["1", "2", "3", "?"]
    assert keys(database, source, rows, order="path") == ["?", "1", "2", "3"]


def test_paths_are_ordered_by_their_characters_whatever_the_database(database: Database) -> None:
    names = ["Zoo.jpg", "aare.jpg", "bär.jpg", "Äpfel.jpg"]
    source, rows = listed(database, *(replace(PHOTO, key=name, path=name) for name in names))
    assert keys(database, source, rows, order="path") == sorted(names)


def test_an_item_waits_until_it_was_opened_and_its_photo_answered(database: Database) -> None:
    source, rows = listed(database, taken(1), taken(2))
    row_id = rows["1"]
    with database.session() as session:
        asked = revisions.put_in_force(
            session, "seer", revisions.RevisionFacts("mind", {}, "1", "picture"), NOW
        )
        photo = photos.keep(session, {"jpeg1:1": (3, 2)}, NOW)["jpeg1:1"]
        photos.set_read(session, [photos.Read(row_id, "s1", photo)], NOW)
    assert keys(database, source, rows, [asked]) == ["2"]
    with database.session() as session:
        (row,) = due.without_analysis(session, source, asked, by_input=False)
        assert row[:3] == (row_id, photo, "")
        assert due.without_analysis(session, source, asked, by_input=False, after=row_id) == []
        incoming.enlist(session, [(photo, asked, "")], NOW)
        assert due.count_unopened(session, [source]) == 1
        assert due.count_unanswered(session, [source], asked, by_input=False) == 1
    assert keys(database, source, rows, [asked]) == ["2", "1"]
    with database.reading() as session:
        first, second = due.load(session, [row_id, rows["2"]], [asked])
    assert (first.due.unread, first.due.revisions, first.item) == (False, (asked,), taken(1))
    assert (second.due.unread, second.due.revisions) == (True, ())


def test_copies_of_a_photo_wait_as_one_and_only_where_the_engine_may_see_one(database: Database) -> None:
    source, rows = listed(database, taken(1), taken(2), taken(3))
    with database.session() as session:
        photo = photos.keep(session, {"jpeg1:1": (3, 2)}, NOW)["jpeg1:1"]
        photos.set_read(session, [photos.Read(rows[key], "s1", photo) for key in "12"], NOW)
    with database.reading() as session:
        assert due.count_unanswered(session, [source], 0, by_input=False) == 1
        for seen, count in (({"02.jpg"}, 1), ({"03.jpg"}, 0)):
            counts = _named(seen)
            assert due.count_unanswered(session, [source], 0, by_input=False, counts=counts) == count
        assert due.count_unopened(session, [source], lambda row_id, _: row_id != rows["3"]) == 0


def _named(names: set[str]) -> due.Counts:
    return lambda _, path: path.rpartition("/")[2] in names

"""What the queries promise on every database, beside what the pipeline's tests see of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tigertag.model import Annotation, Item, Kind
from tigertag.store import answers, find, incoming, items, ledger, listing, photos, revisions, runs, tables
from tigertag.store.database import Database

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def item(key: str, path: str = "", **fields: object) -> Item:
    return Item("folder:1:/pictures", key, path or f"{key}.jpg", "1", **fields)  # type: ignore[arg-type]


def listed(database: Database, *found: Item) -> dict[str, int]:
    """The row ids of new items by key."""
    with database.session() as session:
        source = items.keep_source(session, "folder:1:/pictures", "folder /pictures")
        listing.add(session, source, found)
    with database.reading() as session:
        return {
            key: seen.id for key, seen in listing.known(session, source, [each.key for each in found]).items()
        }


def revision(database: Database, name: str = "seer", level: int = 0) -> int:
    facts = revisions.RevisionFacts("mind", {"level": level}, "1", "picture")
    with database.session() as session:
        return revisions.put_in_force(session, name, facts, NOW)


def answered(database: Database, row_id: int, revision_id: int, said: Sequence[Annotation]) -> None:
    """The item shows a photo of its own, about which the revision said this."""
    with database.session() as session:
        run = runs.start(session, "scan", "", NOW)
        content_id = f"jpeg1:{row_id:064}"
        photo = photos.keep(session, {content_id: (3, 2)}, NOW)[content_id]
        photos.set_read(session, [photos.Read(row_id, "1", photo)], NOW)
        key = (photo, revision_id, "")
        incoming.enlist(session, [key], NOW)
        incoming.keep_answers(session, {key: incoming.Said(said)}, {}, run_id=run, now=NOW)


def said(database: Database, row_id: int) -> list[str]:
    with database.reading() as session:
        found = answers.said_of(session, [row_id], ["seer"])[row_id]
    return [each.name for each in found.get("seer", ())]


def test_keys_and_names_that_differ_in_case_accents_or_spaces_are_different(database: Database) -> None:
    keys = ["a", "A", "á", "a\u0301", "ß", "ss", "日本", "🐕", "a" * 5000]
    assert len(listed(database, *(item(key) for key in keys))) == len(keys)
    ids = listed(database, item("photo"))
    names = ["dog", "Dog", "dög", "do\u0308g", "🐕", "ß", "ss"]
    answered(database, ids["photo"], revision(database), [Annotation(Kind.TAG, name) for name in names])
    assert sorted(said(database, ids["photo"])) == sorted(names)


def test_an_answer_keeps_its_boxes_and_values(database: Database) -> None:
    from tigertag.model import Box

    ids = listed(database, item("photo"))
    face = Annotation(Kind.PERSON, "Ann", 0.875, Box(0.1, 0.2, 0.3, 0.4), "en", {"age": [30, "ü"]})
    answered(database, ids["photo"], revision(database), [face, Annotation(Kind.FACE)])
    with database.reading() as session:
        row = session.get_one(tables.ItemRow, ids["photo"])
        (found,) = answers.all_of(session, row.photo_id or 0, "")
    assert found.annotations == [Annotation(Kind.FACE), face]


def test_the_newest_revision_with_an_answer_counts(database: Database) -> None:
    ids = listed(database, item("photo"))
    old = revision(database)
    answered(database, ids["photo"], old, [Annotation(Kind.TAG, "old")])
    new = revision(database, level=1)
    assert said(database, ids["photo"]) == ["old"]
    answered(database, ids["photo"], new, [Annotation(Kind.TAG, "new")])
    assert said(database, ids["photo"]) == ["new"]
    assert revision(database) == old
    assert said(database, ids["photo"]) == ["old"]


def test_an_engine_by_another_name_shares_the_answers_of_its_settings(database: Database) -> None:
    assert revision(database, "seer") == revision(database, "renamed")


def test_more_rows_than_fit_one_statement_are_found(database: Database) -> None:
    keys = [str(number) for number in range(items.CHUNK + 7)]
    ids = listed(database, *(item(key) for key in keys))
    with database.reading() as session:
        found = items.by_ids(session, list(ids.values()))
    assert len(ids) == len(found) == len(keys)


def test_a_verdict_counts_for_its_item_and_its_photos_others(database: Database) -> None:
    ids = listed(database, item("a"), item("b"), item("c"))
    with database.session() as session:
        photo = photos.keep(session, {"jpeg1:00": (3, 2)}, NOW)["jpeg1:00"]
        ledger.set_verdict(session, ids["a"], photo, ("tag", "dog", "Dog"), "no", run_id=None, now=NOW)
        ledger.set_verdict(session, ids["a"], photo, ("tag", "dog", "Dog"), "yes", run_id=None, now=NOW)
    with database.reading() as session:
        found = ledger.verdicts(session, [(ids["a"], photo), (ids["b"], photo), (ids["c"], None)])
    assert [[row.value for row in found[ids[key]]] for key in "abc"] == [["yes"], ["yes"], []]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Summer/a.jpg", {"a"}),
        ("Photos/Summer/a.jpg", {"a"}),
        ("/pictures/Summer/a.jpg", {"a"}),
        ("Photos/Sea/The beach", {"b"}),
        ("The beach", {"b"}),
        ("http://h/web/index.html#!/details?key=%2Flibrary%2Fmetadata%2F4711", {"4711"}),
        ("/library/metadata/4711", {"4711"}),
        ("4711", {"4711"}),
        ("Summer", set()),
        ("%", set()),
    ],
)
def test_photos_go_by_many_names(sqlite_database: Database, name: str, keys: set[str]) -> None:
    ids = listed(
        sqlite_database,
        item("a", "Summer/a.jpg", section="Photos"),
        item("b", "Sea/b.jpg", section="Photos", album="Sea", title="The beach"),
        item("4711", "Sea/c.jpg", section="Photos"),
    )
    with sqlite_database.reading() as session:
        found = find.items_like(session, name)
    assert {key for key, row_id in ids.items() if row_id in found} == keys


def test_what_a_plugin_remembers_is_its_own(database: Database) -> None:
    with database.session() as session:
        runs.remember(session, "engine:a", "k" * 3000, {"n": [1, None, "ü"]})
        runs.remember(session, "engine:b", "k" * 3000, 2)
        runs.remember(session, "engine:b", "k" * 3000, 3)
    with database.reading() as session:
        assert runs.recall(session, "engine:a", "k" * 3000) == {"n": [1, None, "ü"]}
        assert runs.remembered(session, "engine:b") == [("k" * 3000, 3)]
        assert runs.recall(session, "engine:c", "k") is None
    with database.session() as session:
        runs.forget(session, "engine:b", "k" * 3000)
    with database.reading() as session:
        assert runs.remembered(session, "engine:b") == []

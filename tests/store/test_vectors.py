"""What photos and words mean, on every database."""

from __future__ import annotations

import pytest

from tests.store.test_incoming import asked
from tests.store.test_queries import NOW
from tigertag.meaning.packing import bytes_of, pack
from tigertag.model import Analysis, Annotation, Box, Kind
from tigertag.pipeline.vet import vetted
from tigertag.store import answers, incoming, tables, vectors
from tigertag.store.database import Database
from tigertag.store.incoming import Key, Said


def meaning(*numbers: float) -> Annotation:
    return Annotation(Kind.EMBEDDING, value=pack(numbers))


def keep(database: Database, run: int, said: dict[Key, list[Annotation]]) -> None:
    with database.session() as session:
        told = {key: Said(each) for key, each in said.items()}
        incoming.keep_answers(session, told, {}, run_id=run, now=NOW)


def stored(database: Database, revision: int, size: int = 2) -> dict[int, bytes]:
    with database.reading() as session:
        found: dict[int, bytes] = {}
        for block in vectors.blocks(session, revision, size):
            width = len(block.data) // len(block.photos)
            found |= {photo: block.data[n * width :][:width] for n, photo in enumerate(block.photos)}
        return found


def test_vectors_are_read_in_blocks(database: Database) -> None:
    run, keys = asked(database, 5)
    keep(database, run, {key: [meaning(place, 1)] for place, key in enumerate(keys)})
    revision = keys[0][1]
    wanted = {key[0]: bytes_of([place, 1]) for place, key in enumerate(keys)}
    for size in (1, 2, 5, 100):
        assert stored(database, revision, size) == wanted
    with database.reading() as session:
        assert vectors.count(session, revision) == 5
        assert vectors.revisions(session) == [revision]
        assert vectors.of_photo(session, keys[2][0], revision) == bytes_of([2, 1])
        assert vectors.of_photo(session, keys[2][0], revision + 1) is None


def test_an_answer_that_is_replaced_takes_its_vector_along(database: Database) -> None:
    run, (first, second) = asked(database, 2)
    keep(database, run, {first: [meaning(1, 0)], second: [meaning(0, 1)]})
    keep(database, run, {first: [meaning(1, 1)]})
    assert stored(database, first[1]) == {first[0]: bytes_of([1, 1]), second[0]: bytes_of([0, 1])}
    keep(database, run, {first: []})
    assert stored(database, first[1]) == {second[0]: bytes_of([0, 1])}


def test_a_vector_of_the_whole_is_no_annotation_row(database: Database) -> None:
    run, (key,) = asked(database, 1)
    face = Annotation(Kind.EMBEDDING, box=Box(0, 0, 0.5, 0.5), value=[0.5, 1])
    keep(database, run, {key: [meaning(1, 2), Annotation(Kind.TAG, "dog"), face, meaning(3, 4)]})
    with database.reading() as session:
        rows = session.query(tables.AnnotationRow).order_by(tables.AnnotationRow.id).all()
        assert [(row.kind, row.value) for row in rows] == [("tag", None), ("embedding", [0.5, 1])]
    assert stored(database, key[1]) == {key[0]: bytes_of([1, 2])}


def test_what_was_said_holds_the_vector_and_its_model(database: Database) -> None:
    run, (key,) = asked(database, 1)
    keep(database, run, {key: [meaning(1, 2), Annotation(Kind.TAG, "dog")]})
    with database.session() as session:
        item = session.query(tables.ItemRow).one()
        item.photo_id = key[0]
        engine = session.query(tables.EngineRow).one().name
        session.flush()
        (tag, vector) = answers.said_of(session, [item.id], [engine])[item.id][engine]
    assert tag.name == "dog"
    assert vector == Annotation(Kind.EMBEDDING, value={"revision": key[1], "vector": pack([1, 2])})


def test_words_are_learnt_once_for_each_model(database: Database) -> None:
    _, ((_, revision, _),) = asked(database, 1)
    with database.session() as session:
        vectors.learn(session, revision, {"a dog": b"\0\1", "Straße 🐯": b"\2\3"})
        vectors.learn(session, revision, {"a dog": b"\0\1", "a Dog": b"\4\5"})
    with database.reading() as session:
        asked_for = ["a dog", "a Dog", "Straße 🐯", "a cat"]
        assert vectors.words(session, revision, asked_for) == {
            "a dog": b"\0\1",
            "a Dog": b"\4\5",
            "Straße 🐯": b"\2\3",
        }
        assert vectors.words(session, revision + 1, asked_for) == {}


@pytest.mark.parametrize("value", ["", "x", None, [], ["a"], 3])
def test_what_is_no_vector_is_dropped_and_counted(value: str) -> None:
    answer = Analysis(None, (Annotation(Kind.EMBEDDING, value=value), meaning(1)))  # type: ignore[arg-type]
    found = vetted(answer)
    assert found.annotations == (meaning(1),)
    assert found.dropped == 1

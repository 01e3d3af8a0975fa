"""Answers that come in many at once, on every database."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, cast

import pytest

from tests.store.test_queries import NOW, item, listed, revision
from tigertag.errors import StoreError
from tigertag.media import OpenPhoto
from tigertag.model import Analysis, Annotation, Kind, Outcome, Vocabulary
from tigertag.pipeline.keep import Batch, Keeping
from tigertag.pipeline.lane import Answered, Ask, Lane
from tigertag.pipeline.policy import Policy
from tigertag.pipeline.work import Work
from tigertag.store import incoming, photos, runs, sends, tables
from tigertag.store.database import Database
from tigertag.store.incoming import Failed, Key, Said


def asked(database: Database, count: int) -> tuple[int, list[Key]]:
    """A run, and analyses that wait, of as many photos."""
    listed(database, item("a"))
    seer = revision(database)
    with database.session() as session:
        run = runs.start(session, "scan", "", NOW)
        ids = photos.keep(session, {f"jpeg1:{number}": (3, 2) for number in range(count)}, NOW)
        keys = [(photo, seer, "") for photo in ids.values()]
        assert set(incoming.enlist(session, keys, NOW).values()) == {"waiting"}
    return run, keys


def names(*said: str) -> Said:
    return Said([Annotation(Kind.TAG, name) for name in said])


def states(database: Database, keys: list[Key]) -> list[str]:
    with database.session() as session:
        return list(incoming.enlist(session, keys, NOW).values())


def test_photos_get_the_ids_they_have_however_many_come_together(database: Database) -> None:
    sizes = {f"jpeg1:{number}": (3, 2) for number in range(700)}
    with database.session() as session:
        first = photos.keep(session, dict(list(sizes.items())[::2]), NOW)
        both = photos.keep(session, sizes, NOW)
        rows = {row.content_id: row.id for row in session.query(tables.PhotoRow)}
    assert both == rows
    assert first.items() <= both.items()


def test_an_answer_that_is_asked_again_takes_the_place_of_the_old_one(database: Database) -> None:
    run, (first, second, third) = asked(database, 3)
    with database.session() as session:
        learnt = incoming.keep_answers(session, {first: names("dog", "sea")}, {}, run_id=run, now=NOW)
        again = {first: names("fog"), second: names("dog")}
        more = incoming.keep_answers(session, again, learnt, run_id=run, now=NOW)
        rows = session.query(tables.TagRow.name, tables.AnalysisRow.photo_id)
        rows = rows.join(tables.AnnotationRow, tables.AnnotationRow.tag_id == tables.TagRow.id)
        found = rows.join(tables.AnalysisRow, tables.AnalysisRow.id == tables.AnnotationRow.analysis_id).all()
    assert set(more) == {("tag", "fog")}
    assert sorted(map(tuple, found)) == [("dog", second[0]), ("fog", first[0])]
    assert states(database, [first, second, third]) == ["done", "done", "waiting"]


def test_a_failure_keeps_the_words_of_the_service_that_are_known(database: Database) -> None:
    run, (first, second) = asked(database, 2)
    failures = {first: Failed("415", "its words"), second: Failed("415")}
    with database.session() as session:
        assert incoming.keep_failures(session, failures, run_id=run, now=NOW) == {first, second}
        again = {first: Failed("415"), second: Failed("503")}
        assert incoming.keep_failures(session, again, run_id=run, now=NOW) == {second}
        raws = [row.raw for row in session.query(tables.AnalysisRow).order_by(tables.AnalysisRow.photo_id)]
    assert raws == ["its words", None]
    assert states(database, [first, second]) == ["failed", "failed"]


@pytest.mark.parametrize("gives_many_back", [True, False], ids=["all at once", "one by one, as MySQL does"])
def test_requests_get_their_ids_in_order(
    database: Database, gives_many_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not gives_many_back:
        name = "insert_executemany_returning_sort_by_parameter_order"
        monkeypatch.setattr(database.engine.dialect, name, False)
    run, keys = asked(database, 5)
    pairs = [(photo, revision_id) for photo, revision_id, _ in reversed(keys)]
    with database.session() as session:
        ids = sends.add(session, pairs, run, NOW)
        sends.settle(session, {ids[0]: Outcome.BILLED, ids[3]: Outcome.FREE})
        rows = {row.id: (row.photo_id, row.outcome) for row in session.query(tables.SendRow)}
    outcomes = ["billed", "unknown", "unknown", "free", "unknown"]
    assert [rows[each] for each in ids] == [
        (photo, outcome) for (photo, _), outcome in zip(pairs, outcomes, strict=True)
    ]


def keeping_in(database: Database, run_id: int) -> Keeping:
    work = Work(database, run_id, Policy({}, Vocabulary()), lambda: NOW, lambda: None, Path("/nowhere"))
    return Keeping(work, [], [])


def answered(key: Key, name: str) -> Batch:
    photo = cast(OpenPhoto, SimpleNamespace(name="a.jpg"))
    lane = cast(Lane, SimpleNamespace(open=SimpleNamespace(name="seer")))
    ask = Ask(key, photo)
    return Batch(answered=[Answered(lane, [ask], [(ask, Analysis(photo, (Annotation(Kind.TAG, name),)))])])


def away(*_: object) -> NoReturn:
    raise StoreError("the database is away")


def test_the_id_of_a_tag_that_was_rolled_back_is_not_remembered(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, (first, second) = asked(sqlite_database, 2)
    keeping = keeping_in(sqlite_database, run)
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr("tigertag.store.photos.items_of", away)
        keeping.keep(answered(first, "fog"))
    keeping.keep(answered(first, "dog"))  # takes the id that "fog" would have had
    keeping.keep(answered(second, "fog"))
    with sqlite_database.reading() as session:
        rows = session.query(tables.AnalysisRow.photo_id, tables.TagRow.name)
        rows = rows.join(tables.AnnotationRow, tables.AnnotationRow.analysis_id == tables.AnalysisRow.id)
        found = rows.join(tables.TagRow, tables.TagRow.id == tables.AnnotationRow.tag_id).all()
    assert sorted(map(tuple, found)) == [(first[0], "dog"), (second[0], "fog")]

"""What the book of requests tells, on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from tigertag.model import Outcome
from tigertag.store import revisions, runs, sends, tables
from tigertag.store.database import Database

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def revision(session: Session, name: str, level: int) -> int:
    facts = revisions.RevisionFacts("mind", {"level": level}, "1", "picture")
    return revisions.put_in_force(session, name, facts, NOW)


def test_requests_are_counted_over_all_revisions_of_an_engine_and_by_their_moment(database: Database) -> None:
    with database.session() as session:
        old, new, other = (
            revision(session, "seer", 0),
            revision(session, "seer", 1),
            revision(session, "other", 5),
        )
        run = runs.start(session, "scan", "", NOW)
        photo = tables.PhotoRow(content_id="jpeg1:00", width=3, height=2, seen=NOW)
        session.add(photo)
        session.flush()
        for days, asked in ((1, old), (0, old), (0, new), (0, other)):
            sent = sends.add(session, [(photo.id, asked)], run, NOW - timedelta(days=days))
            sends.settle(session, dict.fromkeys(sent, Outcome.FREE))
    with database.reading() as session:
        found = [sends.used(session, name, NOW) for name in ("seer", "other", "nobody")]
        assert (found, sends.used(session, "seer", NOW - timedelta(days=1))) == ([2, 1, 0], 3)


def test_a_request_that_never_left_is_none(database: Database) -> None:
    with database.session() as session:
        asked, run = revision(session, "seer", 0), runs.start(session, "scan", "", NOW)
        photo = tables.PhotoRow(content_id="jpeg1:00", width=3, height=2, seen=NOW)
        session.add(photo)
        session.flush()
        first, second = sends.add(session, [(photo.id, asked)] * 2, run, NOW)
        sends.settle(session, {first: Outcome.UNSENT, second: Outcome.BILLED})
    with database.reading() as session:
        assert (sends.count(session, run), sends.used(session, "seer", NOW)) == ({(asked, "billed"): 1}, 1)


def test_what_runs_that_were_cut_off_left_in_doubt_is_counted_until_a_run_ends(database: Database) -> None:
    def ran(state: str, *outcomes: Outcome) -> int:
        run = runs.start(session, "scan", "", NOW)
        session.get_one(tables.Run, run).state = state
        sent = sends.add(session, [(photo.id, asked)] * len(outcomes), run, NOW)
        sends.settle(session, dict(zip(sent, outcomes, strict=True)))
        return run

    with database.session() as session:
        asked = revision(session, "seer", 0)
        photo = tables.PhotoRow(content_id="jpeg1:00", width=3, height=2, seen=NOW)
        session.add(photo)
        session.flush()
        first = ran("cut off", Outcome.UNKNOWN)
        ran("done", Outcome.UNKNOWN)
        ran("cut off", Outcome.UNKNOWN, Outcome.BILLED)
        ran("cut off", Outcome.UNKNOWN)
        now = ran("running", Outcome.UNKNOWN)
        found = [sends.in_doubt(session, run) for run in (first, first + 1, now)]
    assert found == [{}, {asked: 1}, {asked: 2}]


def test_the_newest_run_that_asked_an_engine_says_what_a_photo_took(sqlite_database: Database) -> None:
    with sqlite_database.session() as session:
        summaries: list[dict[str, object]] = [{"took": {"seer": 1.5, "other": 2}}, {"took": {"seer": 0.5}}, {}]
        for summary in summaries:
            runs.end(session, runs.start(session, "scan", "", NOW), 0, summary, NOW)
    with sqlite_database.reading() as session:
        assert runs.last_paces(session) == {"seer": 0.5, "other": 2}

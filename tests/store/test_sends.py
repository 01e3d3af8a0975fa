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


def test_the_newest_run_that_asked_an_engine_says_what_a_photo_took(sqlite_database: Database) -> None:
    with sqlite_database.session() as session:
        summaries: list[dict[str, object]] = [{"took": {"seer": 1.5, "other": 2}}, {"took": {"seer": 0.5}}, {}]
        for summary in summaries:
            runs.end(session, runs.start(session, "scan", "", NOW), 0, summary, NOW)
    with sqlite_database.reading() as session:
        assert runs.last_paces(session) == {"seer": 0.5, "other": 2}

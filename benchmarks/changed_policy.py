"""`write` after a change of threshold: how often Plex is read for it, and how many edits it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.edits import BATCH, Step, Tag, by_zipf, changes_of, fewest
from benchmarks.figure import Figure
from benchmarks.place import ONLY_LIST, app_for
from benchmarks.standins import Settings, StandIns, Wanted, stand_ins
from tigertag.app.context import App
from tigertag.app.scanning import scan
from tigertag.app.writing import WriteOrder, write
from tigertag.model import Annotation, Kind
from tigertag.store import incoming, photos
from tigertag.store.items import chunks
from tigertag.store.tables import ItemRow, Revision

PHOTOS, MANY = 2_000, 10_000
_WORDS = (60, 1_000)
_SAID = 12  # Tags in an answer; two of five fall below the new threshold.
_BEFORE: Settings = {"ENGINE_IMAGGA_MIN_CONFIDENCE": "30", "ENGINE_IMAGGA_MAX_TAGS": str(_SAID)}
_AFTER: Settings = {**_BEFORE, "ENGINE_IMAGGA_MIN_CONFIDENCE": "58"}


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """With answers drawn from vocabularies of two sizes; `full`: of 10,000 photos."""
    for words in _WORDS:
        with stand_ins(Wanted(listed=MANY if full else PHOTOS)) as services:
            yield from _measure(folder / f"{words} words", services, words)


def _measure(folder: Path, services: StandIns, words: int) -> Iterator[Figure]:
    before = app_for(folder, {**services.settings(), **_BEFORE})
    scan(before, ONLY_LIST)
    with before.running("answers") as run:
        run.work.database.transact(lambda session: _answer_everything(session, words, run.work.run_id))
    _write(before)
    services.requests()
    began = time.perf_counter()
    changes = _write(app_for(folder, {**services.settings(), **_AFTER}))
    seconds = time.perf_counter() - began
    (requests,) = services.requests()
    if damage := services.damage():
        raise RuntimeError(f"the stand-in reports damage: {damage[:3]}")
    what = f"{len(changes):,} photos that lose tags, {words:,} different tags, {seconds:.1f} s"
    yield Figure(
        f"Plex reads of a write after a change of threshold, {words} tags",
        requests["read"],
        "requests",
        "lower",
        -(-len(changes) // BATCH),
        "one for 200 photos",
        f"{what}; read for what is missing, before the edits and after them",
    )
    yield Figure(
        f"Plex edits of a write after a change of threshold, {words} tags",
        requests["edit"],
        "requests",
        "lower",
        sum(fewest(part) for part in chunks(changes, BATCH)),
        "the smaller of distinct changes and distinct (tag, add or remove), of each 200 photos",
        f"{what}; {fewest(changes):,} edits would do if all photos were read before the first edit",
    )


def _write(app: App) -> list[frozenset[Step]]:
    """Writes all that is to be written. What was done to each photo, in the order of the work."""
    report = write(app, WriteOrder())
    if report.exit_code:
        raise RuntimeError(f"write ended with {report.exit_code}: {report.tally.failures[:3]}")
    return changes_of(app, report.run_id)


def _answer_everything(session: Session, words: int, run_id: int) -> None:
    """Gives every item a photo of its own, and Imagga's answer for it, by Zipf's law."""
    said_of = by_zipf(words, _SAID)
    revision = session.scalars(select(Revision.id).where(Revision.plugin == "imagga")).one()
    rows = session.execute(select(ItemRow.id, ItemRow.stamp, ItemRow.moment)).all()
    now = next(row.moment for row in rows)
    known: dict[tuple[str, str], int] = {}
    for part in chunks(rows):
        ids = photos.keep(session, {f"jpeg1:{row.id:064x}": (4000, 3000) for row in part}, now)
        read = [photos.Read(row.id, row.stamp, ids[f"jpeg1:{row.id:064x}"]) for row in part]
        photos.set_read(session, read, now)
        keys = [(each.photo_id, revision, "") for each in read]
        incoming.enlist(session, keys, now)
        said = {key: incoming.Said(_annotations(said_of(str(key)))) for key in keys}
        known |= incoming.keep_answers(session, said, known, run_id=run_id, now=now)


def _annotations(said: Sequence[Tag]) -> list[Annotation]:
    return [Annotation(Kind.TAG, name, percent / 100) for percent, name in said]

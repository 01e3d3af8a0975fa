"""A section of 10,000 photos: the first listing, a scan after a change of policy, one with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from benchmarks.figure import Figure
from benchmarks.place import ONLY_LIST, WALK, scan_all, walk
from tigertag.app.context import App
from tigertag.app.scanning import ScanReport, scan
from tigertag.store.tables import AnalysisRow, AnnotationRow, ItemRow, PhotoRow, Revision, TagRow
from tigertag.store.tables import Run as RunRow


def measure(app: App) -> Iterator[Figure]:
    """`app` has no database yet; its section has entries without pictures."""
    listed, alone = walk(app)
    seconds, _ = _timed(lambda: scan(app, ONLY_LIST))
    note = f"{listed:,} photos noted in SQLite, engines started, what is due found"
    yield Figure("first listing", seconds, "s", "lower", alone, WALK, note)
    with app.running("answers") as run, run.work.database.session() as session:
        answer_everything(session)
    seconds, _ = _timed(lambda: scan_all(app))
    note = f"{listed:,} photos answered by two engines, for all of which is decided anew what is to be written"
    yield Figure("scan after a change of policy", seconds, "s", "lower", alone, WALK, note)
    seconds, report = _timed(lambda: scan_all(app))
    if report.due:
        raise RuntimeError(f"the rescan found {report.due} photos to do")
    _, alone = walk(app)
    note = f"{listed:,} photos, all answered by two engines, nothing changed"
    yield Figure("rescan with nothing to do", seconds, "s", "lower", alone, WALK, note)


def _timed(work: Callable[[], ScanReport]) -> tuple[float, ScanReport]:
    began = time.perf_counter()
    report = work()
    return time.perf_counter() - began, report


def answer_everything(session: Session) -> None:
    """Gives every item a photo of its own, and every photo an answer below all thresholds from each engine.

    Written in bulk: what an answer costs is the first scan's figure.
    """
    rows = session.execute(select(ItemRow.id, ItemRow.stamp)).all()
    run_id = session.scalars(select(RunRow.id).order_by(RunRow.id.desc())).first()
    revisions = session.scalars(select(Revision.id)).all()
    now = session.scalars(select(RunRow.started)).first()
    session.execute(
        insert(PhotoRow),
        [
            {"id": row.id, "content_id": f"jpeg1:{row.id:064x}", "width": 4000, "height": 3000, "seen": now}
            for row in rows
        ],
    )
    session.execute(
        update(ItemRow),
        [
            {"id": row.id, "photo_id": row.id, "read_stamp": row.stamp, "input": f"{row.id:064x}"}
            for row in rows
        ],
    )
    pairs = [(row.id, revision) for row in rows for revision in revisions]
    session.execute(
        insert(AnalysisRow),
        [
            {
                "id": number,
                "photo_id": photo,
                "revision_id": revision,
                "input": "",
                "state": "done",
                "at": now,
                "run_id": run_id,
            }
            for number, (photo, revision) in enumerate(pairs, 1)
        ],
    )
    tag = TagRow(kind="tag", name="faint", fold="faint")
    session.add(tag)
    session.flush()
    session.execute(
        insert(AnnotationRow),
        [
            {"analysis_id": number, "kind": "tag", "tag_id": tag.id, "confidence": 0.1}
            for number in range(1, len(pairs) + 1)
        ],
    )

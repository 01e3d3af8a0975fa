"""A large section: the first listing, a scan after a change of policy, one with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from benchmarks import instant_start
from benchmarks.alone import MIB, scan_alone
from benchmarks.figure import Figure
from benchmarks.place import ONLY_LIST, app_for, scan_all
from benchmarks.raw import RAW, raw
from benchmarks.standins import Settings, Wanted, stand_ins
from tigertag.app.context import App
from tigertag.app.scanning import ScanReport, scan
from tigertag.store.tables import AnalysisRow, AnnotationRow, ItemRow, PhotoRow, Revision, TagRow
from tigertag.store.tables import Run as RunRow

SMALL, LARGE = 10_000, 100_000


def measure(folder: Path, *, full: bool = False) -> Iterator[Figure]:
    """A section whose entries have no pictures, and its database in `folder`; `full`: of 100,000 photos."""
    with stand_ins(Wanted(listed=LARGE if full else SMALL)) as services:
        settings = services.settings()
        yield from _measured(app_for(folder, settings), folder, settings)
        yield from instant_start.measure(folder, settings)


def _measured(app: App, folder: Path, settings: Settings) -> Iterator[Figure]:
    alone = raw(settings)
    listed = f"{alone.photos:,} photos"
    seconds, _ = _timed(lambda: scan(app, ONLY_LIST))
    note = f"{listed} noted in SQLite, engines started, what is due found"
    yield Figure("first listing", seconds, "s", "lower", alone.seconds, RAW, note)
    with app.running("answers") as run, run.work.database.session() as session:
        answer_everything(session)
    seconds, _ = _timed(lambda: scan_all(app))
    note = f"{listed} answered by two engines, for all of which is decided anew what is to be written"
    yield Figure("scan after a change of policy", seconds, "s", "lower", alone.seconds, RAW, note)
    alone, rescan = raw(settings), scan_alone(folder, settings)
    if rescan.due:
        raise RuntimeError(f"the rescan found {rescan.due} photos to do")
    note = f"{listed}, all answered by two engines, nothing changed"
    waited = f"{RAW}, of which {alone.waiting:.1f} s are the stand-in's"
    yield Figure("rescan with nothing to do", rescan.seconds, "s", "lower", alone.seconds, waited, note)
    name, started = "peak memory of a rescan", "the same process before the scan, all imported"
    yield Figure(name, rescan.peak / MIB, "MiB", "lower", rescan.before / MIB, started, f"{note}; VmHWM")


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

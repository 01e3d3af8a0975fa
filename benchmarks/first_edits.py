"""The edits of a first scan, against the fewest that would do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.edits import BATCH, changes_of, fewest
from benchmarks.figure import Figure
from benchmarks.place import app_for, scan_all
from benchmarks.standins import Wanted, stand_ins
from tigertag.store.items import chunks

PHOTOS = 200
_WORDS = (60, 1_000)


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """With Imagga's answers drawn from vocabularies of two sizes; `full` is the same."""
    for words in _WORDS:
        with stand_ins(Wanted(tiny=PHOTOS, words=words)) as services:
            app = app_for(folder / f"{words} words", services.settings())
            report = scan_all(app)
            (requests,) = services.requests()
            if damage := services.damage():
                raise RuntimeError(f"the stand-in reports damage: {damage[:3]}")
        changes = changes_of(app, report.run_id)
        yield Figure(
            f"Plex edits of a first scan, {words} tags",
            requests["edit"],
            "requests",
            "lower",
            sum(fewest(part) for part in chunks(changes, BATCH)),
            "the smaller of distinct changes and distinct (tag, add or remove)",
            f"{len(changes):,} photos that get at most 8 of {words:,} tags by Zipf's law, and a person",
        )

"""A vocabulary that grows from 1,000 to 1,001 names over stored vectors: `write`, from new name to tags.

Vectors and words are drawn at random; there is no photo that could be opened.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import MIB, peak
from benchmarks.figure import Figure
from benchmarks.place import app_for
from tests import databases
from tests.engines import clip_models
from tigertag.app.words import policy_over
from tigertag.app.writing import WriteOrder, write
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.clip import ClipEngine, ClipOptions
from tigertag.meaning.contrast import NEUTRAL
from tigertag.model import JSON, Item
from tigertag.store import items, listing, revisions, rows, runs, vectors
from tigertag.store.database import Database
from tigertag.store.revisions import RevisionFacts
from tigertag.store.tables import AnalysisRow, ItemRow, PhotoRow, VectorRow

_DIMENSIONS = 512
_WORDS = 1000
_SCALE, _BIAS = 100.0, -20.0
"""What was drawn at random is 0.04 close in so many dimensions: one word in 2,000 fits."""
_PART = 10_000
_NOW = datetime(2024, 1, 1, tzinfo=UTC)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a write took in a process of its own."""

    seconds: float
    """Of the processor, as all here."""
    product: float
    """For the bare matrix product of the same vectors and words."""
    before: int
    """Bytes that it held at most before it began, with everything imported."""
    peak: int
    added: int


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """`full`: 100,000 vectors."""
    count = 100_000 if full else 10_000
    folder.mkdir(parents=True, exist_ok=True)
    _furnish(folder, count)
    first = _written(folder, _WORDS)
    grown = _written(folder, _WORDS + 1)
    if not first.added or grown.added > first.added / 10:
        raise RuntimeError(f"{first.added} tags were written with the first words, {grown.added} with one more")
    what = f"{count:,} vectors of {_DIMENSIONS} dimensions in SQLite, {_WORDS + 1:,} names, no photo opened"
    note = f"{what}; {grown.added:,} tags added"
    yield Figure(
        "write after one more name", grown.seconds, "s", "lower", grown.product, "the matrix product", note
    )
    yield Figure(
        "peak memory of write after one more name",
        grown.peak / MIB,
        "MiB",
        "lower",
        grown.before / MIB,
        "with everything imported",
        what,
    )


def _settings(folder: Path) -> dict[str, str]:
    return {
        "ENGINE_CLIP_MODEL": str(folder / "model"),
        "ENGINE_CLIP_WORDS": str(folder / "words.yaml"),
        "XDG_CACHE_HOME": str(folder),
    }


def _furnish(folder: Path, count: int) -> None:
    """A library that was looked at, and a model that has learnt the words but the last."""
    model = _model(folder / "model")
    engine = ClipEngine(ClipOptions.model_validate({"model": str(model)}), FakeMemory())
    facts = RevisionFacts("clip", engine.settings, engine.version, engine.reads)
    dice = np.random.default_rng(1)
    url = f"sqlite:///{folder / 'tigertag.db'}"
    databases.migrate(url)
    with Database.open(url) as database:
        with database.session() as session:
            source = items.keep_source(session, "folder:1:/nowhere", "folder /nowhere")
            revision = revisions.put_in_force(session, "clip", facts, _NOW)
            texts = [*NEUTRAL, *map(_word, range(_WORDS))]
            drawn = _unit(dice, len(texts)).astype("<f2")
            vectors.learn(
                session, revision, {text: row.tobytes() for text, row in zip(texts, drawn, strict=True)}
            )
            contrast: dict[str, JSON] = {"kind": "softmax", "scale": _SCALE, "bias": _BIAS}
            runs.remember(session, "engine:clip", f"contrast:{revision}", contrast)
        for start in range(0, count, _PART):
            _add(database, source, revision, range(start, min(start + _PART, count)), dice)


def _add(database: Database, source: int, revision: int, part: range, dice: np.random.Generator) -> None:
    """Photos that were opened and looked at."""
    seen = _unit(dice, len(part)).astype("<f2")
    with database.session() as session:
        shown = [Item("folder:1:/nowhere", f"{n}.jpg", f"{n}.jpg", "1", size=0, moment=_NOW) for n in part]
        listing.add(session, source, shown)
        session.flush()
        photos = [
            {"id": n + 1, "content_id": f"jpeg1:{n:064}", "width": 4, "height": 3, "seen": _NOW} for n in part
        ]
        rows.add(session, rows.table_of(PhotoRow), photos)
        item = rows.table_of(ItemRow)
        session.execute(
            item.update().where(item.c.photo_id.is_(None)).values(photo_id=item.c.id, read_stamp="1")
        )
        answers = [
            {
                "id": n + 1,
                "photo_id": n + 1,
                "revision_id": revision,
                "input": "",
                "state": "done",
                "dropped": 0,
            }
            for n in part
        ]
        rows.add(session, rows.table_of(AnalysisRow), [each | {"at": _NOW} for each in answers])
        meant = [
            {"analysis_id": n + 1, "photo_id": n + 1, "revision_id": revision, "data": row.tobytes()}
            for n, row in zip(part, seen, strict=True)
        ]
        rows.add(session, rows.table_of(VectorRow), meant)


def _model(folder: Path) -> Path:
    """With vectors as long as the stored ones, and their contrast."""
    usual = clip_models.DIMENSIONS
    clip_models.DIMENSIONS = _DIMENSIONS
    try:
        clip_models.make(folder)
    finally:
        clip_models.DIMENSIONS = usual
    config = folder / "config.json"
    said = json.loads(config.read_text()) | {"logit_scale": math.log(_SCALE), "logit_bias": _BIAS}
    config.write_text(json.dumps(said))
    return folder


def _unit(dice: np.random.Generator, count: int) -> Floats:
    made = dice.normal(size=(count, _DIMENSIONS)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def _word(number: int) -> str:
    return f"word {number}"


def _written(folder: Path, words: int) -> Wrote:
    """In a process of its own, so that its memory is its own."""
    lines = [f'- {{name: "{_word(number)}", prompts: "{_word(number)}"}}\n' for number in range(words)]
    (folder / "words.yaml").write_text("".join(lines))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_more_word", str(folder)],
        env=os.environ | _settings(folder),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError("the write in a process of its own has failed")
    return Wrote(**json.loads(done.stdout))


def main() -> None:
    folder = Path(sys.argv[1])
    app = app_for(folder, _settings(folder))
    dice = np.random.default_rng(2)
    with Database.open(app.settings.db_url, read_only=True, create=False) as database:
        policy_over(app, database)  # imports what a write does
        with database.reading() as session:
            count = vectors.count(session, vectors.revisions(session)[0])
    words = _unit(dice, _WORDS + 1).T
    block = _unit(dice, 400)
    began = time.process_time()
    for _ in range(0, count, len(block)):
        block @ words
    product = time.process_time() - began
    before, began = peak(), time.process_time()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        report = write(app, WriteOrder())
    seconds = time.process_time() - began
    if report.exit_code:
        raise RuntimeError(f"write ended with {report.exit_code}: {report.tally.aside}")
    print(json.dumps(asdict(Wrote(seconds, product, before, peak(), report.tally.added))))


if __name__ == "__main__":
    main()

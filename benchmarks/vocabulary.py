"""A vocabulary of 20,000 tags with parents and names in three languages, applied to a library.

Seconds are those of the processor: how long it takes beside other work says nothing about it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import yaml
from sqlalchemy import text

from benchmarks.alone import MIB, peak
from benchmarks.figure import Figure
from benchmarks.keeping import KeepingOptions
from tests import databases, large
from tests.fakes_pipeline import WallTarget
from tests.house import House
from tigertag.app.tags import photos_by_part
from tigertag.app.trying import try_vocabulary
from tigertag.app.writing import WriteOrder, write
from tigertag.config import Declared
from tigertag.config.vocabulary import read_vocabulary
from tigertag.model import Vocabulary
from tigertag.store.database import Database

T = TypeVar("T", "Tried", "Wrote")

PHOTOS, MANY = 10_000, 100_000
TAGS = 20_000
_GROUPS = 500  # Each tag lies below one of these, each of these below one of twenty.
_WORDS = f"""
INSERT INTO tag (kind, name, fold)
  WITH RECURSIVE n(i) AS (SELECT {large.WORDS} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < {TAGS})
  SELECT 'tag', 'word ' || i, 'word ' || i FROM n;
UPDATE annotation SET tag_id = (analysis_id * 7 + id * 131) % {TAGS} + 1
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What applying a vocabulary took in a process of its own."""

    photos: int
    changed: int
    asked: int
    """Engine calls."""
    seconds: float
    """Of the processor, as all here."""
    before: float
    """Seconds for reading the same answers without any policy."""
    peak: int
    """Bytes that it held at most."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a write by a vocabulary took in a process of its own."""

    exit_code: int
    changes: int
    """Tags written or removed."""
    asked: int
    seconds: float
    wall: float
    """Seconds by the clock."""
    peak: int


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """On SQLite; `full`: to 100,000 photos of a million annotations."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "vocabulary.yaml"
    file.write_text(_drawn(), encoding="utf-8")
    began = time.process_time()
    words = _read(file)
    seconds = time.process_time() - began
    began = time.process_time()
    events = sum(1 for _ in yaml.parse(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    parsing = time.process_time() - began
    what = f"{len(words.terms):,} tags with parents, a synonym and names in three languages"
    against = "the YAML parser alone"
    yield Figure(
        "reading a large vocabulary", seconds, "s", "lower", parsing, against, f"{what}; {events:,} events"
    )
    photos = MANY if full else PHOTOS
    yield from _applied(folder, file, photos, what)
    yield from _written(folder / "written", file, photos if full else photos // 5, what)


def _applied(folder: Path, file: Path, photos: int, what: str) -> Iterator[Figure]:
    with _furnished(folder / "library", photos):
        nothing = folder / "nothing.yaml"
        nothing.write_text("deny: [nothing]\n")
        library = folder / "library"
        less, more = (_done(Tried, library=library, file=each) for each in (nothing, file))
        if more.photos != photos or more.changed < 0.9 * photos or more.asked:
            raise RuntimeError(f"{more.changed} of {photos} photos would change, {more.asked} calls were made")
        note = f"{what}, to {photos:,} photos with {10 * photos:,} annotations in SQLite; no engine call"
        name = "trying a large vocabulary"
        yield Figure(name, more.seconds, "s", "lower", more.before, "reading the same answers alone", note)
        name = "peak memory of trying a large vocabulary"
        yield Figure(
            name, more.peak / MIB, "MiB", "lower", less.peak / MIB, "with a vocabulary of one line", note
        )


def _written(folder: Path, file: Path, photos: int, what: str) -> Iterator[Figure]:
    """A tenth of the photos and all of them, each in a process of its own; then all again without a tree."""
    few, many = photos // 10, photos
    wrote = {}
    for number in (few, many):
        with _furnished(folder / str(number), number):
            wrote[number] = _done(Wrote, library=folder / str(number), file=file)
    less, more = wrote[few], wrote[many]
    for number, each in wrote.items():
        if each.exit_code or each.changes < number or each.asked:
            raise RuntimeError(f"write ended with {each.exit_code}, {each.changes} tags, {each.asked} calls")
    flat = folder / "flat.yaml"
    flat.write_text(_drawn(is_tree=False), encoding="utf-8")
    again = _done(Wrote, library=folder / str(many), file=flat)
    note = f"{what}; {more.changes:,} tags written to or removed from {many:,} photos in {more.wall:.0f} s"
    name = "seconds a thousand photos of a write by a large vocabulary"
    against = f"{few:,} photos; a ratio of 1 would be a write that does not slow down with the library"
    yield Figure(name, 1e3 * more.seconds / many, "s", "lower", 1e3 * less.seconds / few, against, note)
    name = "peak memory of a write by a large vocabulary"
    yield Figure(name, more.peak / MIB, "MiB", "lower", less.peak / MIB, f"{few:,} photos", note)
    name = "write after a change of the tree alone"
    note = f"{again.changes:,} tags removed that were written for what lies below them; no engine call"
    against = "the first write by the vocabulary"
    yield Figure(name, again.seconds, "s", "lower", more.seconds, against, note)


def _drawn(*, is_tree: bool = True) -> str:
    lines = ["language: [de, fr]", f"write_parents: {str(is_tree).lower()}", "tags:"]
    for number in range(1, TAGS + 1):
        names = ", ".join(f"{language}: {word} {number}" for language, word in _LANGUAGES)
        lines += [
            f"  word {number}:",
            *([f"    parent: group {number % _GROUPS}"] if is_tree else []),
            f"    synonyms: [alias {number}]",
            f"    names: {{{names}}}",
        ]
    lines += [f"  group {number}: {{parent: kind {number % 20}}}" for number in range(_GROUPS)]
    return "\n".join(lines) + "\n"


_LANGUAGES = (("de", "Wort"), ("fr", "mot"), ("es", "palabra"))


def _read(file: Path) -> Vocabulary:
    faults: list[str] = []
    words = read_vocabulary(file, file.name, faults)
    if faults:
        raise RuntimeError(faults[0])
    return words


@contextmanager
def _furnished(folder: Path, photos: int) -> Iterator[House]:
    folder.mkdir(parents=True)
    url = _url(folder)
    databases.migrate(url)
    with Database.open(url) as database:
        house = House(database, url)
        try:
            large.furnish(house, photos)
            with database.session() as session:
                for statement in _WORDS.split(";"):
                    session.execute(text(statement))
            yield house
        finally:
            house.close()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'tigertag.db'}"


def _done(kind: type[T], *, library: Path, file: Path) -> T:
    order = json.dumps({"kind": kind.__name__, "library": str(library), "file": str(file)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.vocabulary"],
        input=order,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError("applying the vocabulary in a process of its own has failed")
    return kind(**json.loads(done.stdout))


def main() -> None:
    order = json.load(sys.stdin)
    library, file = Path(order["library"]), Path(order["file"])
    url = _url(library)
    with Database.open(url) as database:
        house = House(database, url)
        for name in large.ENGINES:
            house.engine(name)
        made = _write(house, library, file) if order["kind"] == Wrote.__name__ else _try(house, database, file)
        print(json.dumps(asdict(made)))
        house.close()


def _try(house: House, database: Database, file: Path) -> Tried:
    began = time.process_time()
    with database.reading() as session:
        photos = sum(len(part) for part in photos_by_part(session, list(large.ENGINES)))
    before = time.process_time() - began
    began = time.process_time()
    trial = try_vocabulary(house.app, file)
    seconds = time.process_time() - began
    return Tried(photos, trial.changed, _asked(house), seconds, before, peak())


def _write(house: House, library: Path, file: Path) -> Wrote:
    """With a target that keeps nothing in memory, and shows at first what the ledger says."""
    house.vocabulary = _read(file)
    shows = tuple(f"Word {number}" for number in range(1, 4))
    kept = {"file": library / "shown.db", "identity": WallTarget.identity, "shows": shows}
    options = KeepingOptions.model_validate(kept)
    target = Declared("wall", "target", "benchmarks.keeping.KeepingTarget", options)
    app = replace(house.app, settings=replace(house.app.settings, targets=(target,)))
    cpu, clock = time.process_time(), time.perf_counter()
    report = write(app, WriteOrder())
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    changes = report.tally.added + report.tally.removed
    return Wrote(report.exit_code, changes, _asked(house), cpu, clock, peak())


def _asked(house: House) -> int:
    return sum(mind.asked.total() for mind in house.stage.minds.values())


if __name__ == "__main__":
    main()

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
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from sqlalchemy import text

from benchmarks.alone import MIB, peak
from benchmarks.figure import Figure
from tests import databases, large
from tests.house import House
from tigertag.app.tags import photos_by_part
from tigertag.app.trying import try_vocabulary
from tigertag.config.vocabulary import read_vocabulary
from tigertag.model import Vocabulary
from tigertag.store.database import Database

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
    with _furnished(folder / "written", photos // 10) as house:
        yield _written(house, words, photos // 10, what)


def _applied(folder: Path, file: Path, photos: int, what: str) -> Iterator[Figure]:
    with _furnished(folder / "library", photos):
        nothing = folder / "nothing.yaml"
        nothing.write_text("deny: [nothing]\n")
        less, more = _tried(folder, nothing), _tried(folder, file)
        if more.photos != photos or more.changed < 0.9 * photos or more.asked:
            raise RuntimeError(f"{more.changed} of {photos} photos would change, {more.asked} calls were made")
        note = f"{what}, to {photos:,} photos with {10 * photos:,} annotations in SQLite; no engine call"
        name = "trying a large vocabulary"
        yield Figure(name, more.seconds, "s", "lower", more.before, "reading the same answers alone", note)
        name = "peak memory of trying a large vocabulary"
        yield Figure(
            name, more.peak / MIB, "MiB", "lower", less.peak / MIB, "with a vocabulary of one line", note
        )


def _written(house: House, words: Vocabulary, photos: int, what: str) -> Figure:
    """All photos written anew, then again after a change that moves as many tags by a prefix."""
    house.vocabulary = words
    began = time.process_time()
    report = house.write()
    seconds = time.process_time() - began
    asked = sum(mind.asked.total() for mind in house.stage.minds.values())
    if report.exit_code or report.tally.added < photos or asked:
        raise RuntimeError(
            f"write ended with {report.exit_code}, {report.tally.added} tags, {asked} engine calls"
        )
    house.vocabulary = Vocabulary()
    for name in large.ENGINES:
        house.change(name, prefix=name)
    began = time.process_time()
    again = house.write()
    baseline = time.process_time() - began
    tags = f"{report.tally.added + report.tally.removed:,} tags written or removed; the target in memory"
    against = f"{again.tally.added + again.tally.removed:,} tags after a change of prefix, with no vocabulary"
    return Figure(
        "write after a change to a large vocabulary",
        seconds,
        "s",
        "lower",
        baseline,
        against,
        f"{what}; {tags}",
    )


def _drawn() -> str:
    lines = ["language: [de, fr]", "write_parents: true", "tags:"]
    for number in range(1, TAGS + 1):
        names = ", ".join(f"{language}: {word} {number}" for language, word in _LANGUAGES)
        lines += [
            f"  word {number}:",
            f"    parent: group {number % _GROUPS}",
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


def _tried(folder: Path, file: Path) -> Tried:
    order = json.dumps({"library": str(folder / "library"), "file": str(file)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.vocabulary"],
        input=order,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError("the trial in a process of its own has failed")
    return Tried(**json.loads(done.stdout))


def main() -> None:
    order = json.load(sys.stdin)
    url = _url(Path(order["library"]))
    with Database.open(url) as database:
        house = House(database, url)
        for name in large.ENGINES:
            house.engine(name)
        began = time.process_time()
        with database.reading() as session:
            photos = sum(len(part) for part in photos_by_part(session, list(large.ENGINES)))
        before = time.process_time() - began
        began = time.process_time()
        trial = try_vocabulary(house.app, Path(order["file"]))
        seconds = time.process_time() - began
        asked = sum(mind.asked.total() for mind in house.stage.minds.values())
        print(json.dumps(asdict(Tried(photos, trial.changed, asked, seconds, before, peak()))))
        house.close()


if __name__ == "__main__":
    main()

"""What the statements of the use cases walk through in a large library: the plans that the databases make.

How the plans come out at 100,000 photos is not measured here: SQLite plans without looking at the rows, and
PostgreSQL is told to take an index wherever there is one that serves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from tests import large
from tests.house import House
from tests.stage import tag
from tigertag.app import looking
from tigertag.app.tags import tags
from tigertag.store.database import Database

PHOTOS = 400
BIG = ("item", "photo", "analysis", "annotation", "delivery", "ledger", "edit", "send")

COARSE = {"source_id", "gone_since", "target_id", "revision_id"}
"""Columns in which most rows of a big table may be alike: an index is walked whole where it knows no more."""

_VALUE = r"%\(\w+\)s(?:::\w+)?"
"""As PostgreSQL's driver writes it, by name."""

WHOLE: Mapping[str, str] = {
    r"SELECT item.id, item.listing FROM item": "the last listing, compared whole with this one",
    r"SELECT item.id, item.photo_id, .* NOT \(EXISTS \(SELECT \* FROM analysis": "photos without an answer",
    r"SELECT anon_1.id, .* item.read_stamp != item.stamp": "every item that waits to be opened",
    r"SELECT count\(.*\) AS count_1 FROM item WHERE item.source_id": "counts over the items of a source",
    r"SELECT item.needs, count\(\*\) AS count_1 FROM item WHERE item.source_id": "a count over a source, too",
    r"SELECT count\(\*\) AS count_1 FROM item JOIN analysis": "the failures of all live items",
    r"SELECT analysis.state, count\(DISTINCT analysis.id\)": "counts over all answers of an engine",
    r"SELECT delivery.state, count\(\*\)": "counts over all deliveries of a target",
    r"SELECT item.path, item.problem FROM item": "status: all that cannot be read, beside the counts above",
    r"SELECT item.path, delivery.state, delivery.reason": "status: all troubled deliveries, beside the counts",
    r"SELECT item.id FROM item WHERE item.photo_id IS NOT NULL .* EXISTS \(SELECT \* FROM ledger": (
        "items from the whole length of what shows tags of ours (RELIABILITY P20)"
    ),
    r"SELECT item.id FROM item WHERE item.photo_id IS NOT NULL": "tags: all photos, to plan each",
    r"SELECT ledger.fold, count\(DISTINCT item.photo_id\)": "tags: counts over all that is shown",
    r"SELECT item.id, item.section, item.album, item.title FROM item WHERE item.title": (
        "show: a title of any length, the last but one of what a person may have meant"
    ),
}
"""Statements about all rows of a table, by a pattern, and what they are for."""


@dataclass(frozen=True)
class Asked:
    """A statement as it was executed."""

    statement: str
    parameters: Any

    @property
    def words(self) -> str:
        return " ".join(self.statement.split())


@contextmanager
def listening() -> Iterator[list[Asked]]:
    """The statements executed within the block, each once; there at its end."""
    found: dict[str, Asked] = {}

    def hear(_c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if re.match(r"(SELECT|WITH|UPDATE|DELETE)\b", statement):
            # However many there are in a list: of a small table so many may be most rows.
            short = re.sub(rf"IN \(({_VALUE})(?:, {_VALUE})+\)", r"IN (\1)", statement)
            shape = re.sub(r"IN \([?, ]+\)", "IN", short)
            found.setdefault(shape, Asked(short, parameters[0] if many else parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    asked: list[Asked] = []
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
        asked += found.values()


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────


def walked(database: Database, asked: Asked) -> list[str]:
    """The big tables that a statement walks whole."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            return _walked_by_sqlite(connection, asked)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        (plan,) = connection.exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {asked.statement}", asked.parameters
        ).scalar_one()
        return list(_walked_by_postgresql(plan["Plan"]))


def _walked_by_sqlite(connection: Connection, asked: Asked) -> list[str]:
    found = []
    for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.statement}", asked.parameters):
        step = re.match(r"(?:SCAN|SEARCH) (\w+)(.*)", detail)
        if step and step[1] in BIG and not _narrows(re.findall(r"(\w+)([=<>])\?|(rowid)", step[2])):
            found.append(step[1])
    return found


def _walked_by_postgresql(plan: Mapping[str, Any]) -> Iterator[str]:
    """A scan of a bitmap names its table above the index."""
    below = plan.get("Plans", [])
    known = [plan.get("Index Cond", ""), *(each.get("Index Cond", "") for each in _bitmaps(below))]
    narrows = any(_narrows(re.findall(r"(\w+)\)?(?:::\w+)? (=|<|>|IS NOT NULL)", each)) for each in known)
    if plan["Node Type"] != "ModifyTable" and plan.get("Relation Name") in BIG and not narrows:
        yield plan["Relation Name"]
    for each in below:
        yield from _walked_by_postgresql(each)


def _narrows(conditions: Sequence[Sequence[str]]) -> bool:
    """Whether conditions on the columns of an index find few rows. Most items have some photo."""
    return any(
        column not in COARSE and not (column == "photo_id" and how != "=") for column, how, *_ in conditions
    )


def _bitmaps(plans: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for each in plans:
        if each["Node Type"] in ("Bitmap Index Scan", "BitmapOr", "BitmapAnd"):
            yield each
            yield from _bitmaps(each.get("Plans", []))


# ── the use cases ─────────────────────────────────────────────────────────────────────────────────────────


def scan_one_new(house: House) -> None:
    house.photo("new", tag("word 1"), tag("dog"))
    house.scan()


USE_CASES: Mapping[str, Callable[[House], object]] = {
    "status": lambda house: looking.status(house.app),
    "show by path": lambda house: looking.show(house.app, "Album 7/p7.jpg"),
    "show by key": lambda house: looking.show(house.app, "p7"),
    "show by id": lambda house: looking.show(house.app, looking.show(house.app, "p7")[0].content_id[6:]),
    "tags": lambda house: tags(house.app),
    "write with nothing to do": lambda house: house.write(),
    "scan with nothing to do": lambda house: house.scan(),
    "scan with one new photo": scan_one_new,
}


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_no_statement_walks_a_big_table_but_for_those_that_are_about_all_of_it(any_house: House) -> None:
    large.furnish(any_house, PHOTOS)
    wrong: list[str] = []
    used: set[str] = set()
    for name, act in USE_CASES.items():
        with listening() as asked:
            act(any_house)
        for each in asked:
            tables = walked(any_house.database, each)
            about_all = next((pattern for pattern in WHOLE if re.match(pattern, each.words)), None)
            if tables and about_all is None:
                wrong.append(f"{name} walks {', '.join(tables)}: {each.words[:600]}")
            used.update([about_all] if tables and about_all else [])
    assert wrong == []
    assert used

"""How often a target is read before it is written, and what a part of it says about the whole (P20)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.house import House
from tests.stage import tag
from tigertag.pipeline.survey import spread
from tigertag.pipeline.write import BATCH
from tigertag.store import tables

MANY = 120


@pytest.fixture
def many(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """120 photos with a dog each, read and written ten at a time."""
    monkeypatch.setattr("tigertag.pipeline.survey.BATCH", 10)
    house.engine("seer")
    for number in range(MANY):
        house.photo(f"{number:03}", tag("dog"))
    house.scan()
    return house


def bare(house: House, numbers: Iterable[int]) -> None:
    for number in numbers:
        house.stage.wall.tags[f"{number:03}"].clear()
        house.stage.wall.mine.pop(f"{number:03}", None)


def test_each_photo_is_read_once_before_it_is_written(many: House) -> None:
    before = many.stage.wall.reads
    assert many.write(verify=True).exit_code == 0
    assert many.stage.wall.reads - before == MANY


def test_a_restored_server_is_noticed_by_a_part_before_anything_is_written(many: House) -> None:
    bare(many, range(0, MANY, 4))
    many.engine("other").default = lambda photo: [tag("sun")]
    many.scan(write=False)
    writes = many.stage.wall.writes
    report = many.write()
    (error,) = report.tally.aside.values()
    assert "shows none of the tags written to 30 photos. Was it restored? Nothing was written." in str(error)
    assert (report.exit_code, many.stage.wall.writes, many.verdicts()) == (9, writes, set())


def test_an_album_that_its_owner_cleared_is_a_wish_though_it_fills_some_batches(many: House) -> None:
    bare(many, range(100, 120))
    report = many.write(verify=True)
    assert (report.exit_code, len(many.verdicts())) == (0, 20)


def test_what_a_part_did_not_show_is_noticed_later(many: House) -> None:
    """Here just those kept their tags that this run looks at first."""
    ids = {row.key: row.id for row in many.rows(tables.ItemRow)}
    run_id = max(row.id for row in many.rows(tables.Run)) + 1
    first = set(spread(sorted(ids.values()), run_id))
    bare(many, [number for number in range(MANY) if ids[f"{number:03}"] not in first][-40:])
    report = many.write(verify=True)
    (error,) = report.tally.aside.values()
    assert "written to 40 photos. Was it restored? Nothing more was written." in str(error)
    assert report.exit_code == 9
    assert len(many.wall) == MANY - 40


@pytest.mark.parametrize("kept", [range(0, MANY, 12), range(5, MANY, 12), range(0, MANY, 2)])
def test_no_pattern_of_tags_that_are_left_hides_the_others(many: House, kept: range) -> None:
    bare(many, set(range(MANY)) - set(kept))
    writes = many.stage.wall.writes
    report = many.write(verify=True)
    (error,) = report.tally.aside.values()
    assert "Was it restored? Nothing was written." in str(error)
    assert (report.exit_code, many.stage.wall.writes, many.verdicts()) == (9, writes, set())


@pytest.mark.parametrize("run_id", [1, 2, 300])
def test_the_part_is_one_of_each_stretch_by_the_chance_of_the_run(run_id: int) -> None:
    ids = range(7, 7 + 5 * BATCH)
    part = spread(ids, run_id)
    assert [(row_id - 7) // 5 for row_id in part] == [*range(BATCH)]
    assert part == spread(ids, run_id) != spread(ids, run_id + 1)
    assert {(row_id - 7) % 5 for row_id in part} == {*range(5)}


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH - 1])
def test_the_part_is_no_more_than_one_request_reads(count: int) -> None:
    part = spread(range(count), 1)
    assert len(part) <= BATCH and len(set(part)) == len(part) >= min(count, BATCH // 2)

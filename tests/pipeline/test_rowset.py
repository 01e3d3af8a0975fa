"""Sets of row ids."""

from __future__ import annotations

from tigertag.pipeline.rowset import RowSet


def test_it_holds_what_was_put_in_once() -> None:
    found = RowSet([9, 0, 70_001, 9])
    assert (len(found), [row_id in found for row_id in (0, 1, 9, 70_001, 70_002, 10**9)]) == (
        3,
        [True, False, True, True, False, False],
    )


def test_it_takes_in_another_whichever_is_longer() -> None:
    short, long = RowSet([1, 2]), RowSet([2, 300])
    short.update(long)
    long.update(RowSet([1]))
    long.update(RowSet())
    assert len(short) == len(long) == 3
    assert all(row_id in short and row_id in long for row_id in (1, 2, 300))

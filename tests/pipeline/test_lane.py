"""How many photos an engine is given while its quota is being spent."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import cast

import pytest

from tests.stage import drawn
from tigertag.executors.threads import Threads
from tigertag.media import open_photo
from tigertag.model import Engine, Quota
from tigertag.pipeline.lane import Ask, Lane
from tigertag.pipeline.work import OpenEngine
from tigertag.pipeline.workshop import Workshop


class Spending:
    """An engine with a quota."""

    concurrency = batch_size = 1

    def __init__(self, left: int) -> None:
        self.left = left

    def quota(self) -> Quota:
        return Quota(0, 100, self.left)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    path = tmp_path / "1.jpg"
    path.write_bytes(drawn(1))
    with path.open("rb") as file:
        return Ask((2, 1, ""), open_photo(file, "1.jpg"))


def lane(engine: Spending, *, under_way: int) -> Lane:
    made = Lane(
        OpenEngine("seer", cast(Engine, engine), 1), queue.SimpleQueue(), lambda: False, Workshop(Threads(1))
    )
    made.under_way = under_way
    return made


def test_a_photo_whose_quota_is_not_clear_yet_is_held_and_then_taken(ask: Ask) -> None:
    made = lane(
        Spending(left=1), under_way=1
    )  # of two: the request under way was charged, and is not permitted yet
    assert made.take(ask)
    assert (made.refuse_held(), made.waiting, made.held) == ([], [], [ask])
    made.permitted.add((1, 1, ""))
    assert (made.refuse_held(), made.waiting, made.held) == ([], [ask], [])


def test_a_photo_that_is_held_is_refused_once_the_quota_is_spent_for_sure(ask: Ask) -> None:
    made = lane(Spending(left=0), under_way=1)
    assert made.take(ask)
    made.permitted.add((1, 1, ""))
    assert (made.refuse_held(), made.waiting, made.held) == ([ask], [], [])
    assert not made.take(ask)

"""Answers that come in while the database is away (D2, D5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from tests.fakes_pipeline import tag
from tests.house import House
from tigertag.errors import DiskError, StoreError
from tigertag.model import Annotation, Box, Kind
from tigertag.pipeline import spool
from tigertag.pipeline.spool import Spooled
from tigertag.store import tables
from tigertag.store.database import Database


class Outage:
    """Takes the database away, and gives it back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        for name in ("transact", "session", "reading"):
            monkeypatch.setattr(Database, name, self._around(getattr(Database, name)))

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(database: Database, *arguments: Any) -> Any:
            if self.is_away:
                raise StoreError("The database is away.")
            return method(database, *arguments)

        return guarded


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(monkeypatch)


def test_what_was_paid_for_is_taken_up_by_the_next_run(house: House, outage: Outage) -> None:
    mind = house.engine("seer", billed=True, concurrency=2)
    for number in range(6):
        house.photo(str(number))

    def answer(photo: object) -> list[Annotation]:
        outage.is_away = len(mind.asked) >= 2
        return [tag("dog")]

    mind.default = answer
    with pytest.raises(StoreError):
        house.scan()
    paid = list(mind.asked)
    assert paid
    outage.is_away = False
    with house.database.session() as session:
        session.execute(delete(tables.RunLock))  # the process that could not release it would be dead
    mind.default = lambda photo: [tag("dog")]
    house.scan()
    assert sorted(mind.asked) == sorted(set(mind.asked))
    assert house.wall == {str(number): {"dog"} for number in range(6)}
    assert not list(Path(house.url.removeprefix("sqlite:///")).parent.glob("*.spool"))


ROW = Spooled(
    "jpeg1:aa", 4, 3, 1, "ff", "", (Annotation(Kind.PERSON, "Anna", 0.5, Box(0, 0, 1, 1), "en"),), "{}", 2
)


def test_an_answer_comes_back_as_it_went(tmp_path: Path) -> None:
    assert Spooled.of_line(ROW.as_line()) == ROW


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path, house: House) -> None:
    path = Path(house.url.removeprefix("sqlite:///") + ".spool")
    spool.put(path, [ROW])
    with path.open("a") as file:
        file.write(ROW.as_line()[:40])
    house.engine("seer")
    assert house.scan().exit_code == 0
    assert not path.exists()


def test_no_room_for_the_spool_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="paid for"):
        spool.put(tmp_path / "file" / "x.spool", [ROW])

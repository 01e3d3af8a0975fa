"""Answers that come in while the database is away (D2, D5)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.house import House
from tests.stage import tag
from tigertag.errors import DiskError, PhotoError, StoreError
from tigertag.model import Annotation, Box, Kind, Photo
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
    assert mind.sent
    outage.is_away = False
    with house.database.session() as session:
        session.execute(delete(tables.RunLock))  # the process that could not release it would be dead
    mind.default = lambda photo: [tag("dog")]
    house.scan()
    assert sorted(mind.sent.values()) == [1] * 6
    assert house.wall == {str(number): {"dog"} for number in range(6)}
    assert not list(Path(house.url.removeprefix("sqlite:///")).parent.glob("*.spool"))


@pytest.mark.parametrize("billed", [True, False])
def test_a_photo_that_was_refused_meanwhile_is_not_asked_about_again(
    house: House, outage: Outage, billed: bool
) -> None:
    mind = house.engine("seer", billed=billed, concurrency=1)
    content = house.photo("1")

    def refuse(photo: Photo) -> PhotoError:
        outage.is_away = True
        return PhotoError("the answer could not be read (empty)", photo, "<html>")

    mind.fails[""] = refuse
    with pytest.raises(StoreError):
        house.scan()
    outage.is_away = False
    with house.database.session() as session:
        session.execute(delete(tables.RunLock))
    report = house.scan()
    assert mind.asked == {content: 1}
    assert (report.exit_code, report.tally.failures) == (
        3,
        [("Summer/1.jpg", "the answer could not be read (empty)")],
    )
    with house.database.session() as session:
        assert session.scalars(select(tables.AnalysisRow.raw)).one() == "<html>"
    assert house.scan().exit_code == 0


ROW = Spooled(
    "jpeg1:aa", 4, 3, 1, "ff", "", (Annotation(Kind.PERSON, "Anna", 0.5, Box(0, 0, 1, 1), "en"),), "{}", 2
)


def test_an_answer_comes_back_as_it_went(tmp_path: Path) -> None:
    assert Spooled.of_line(ROW.as_line()) == ROW


def test_a_line_of_an_earlier_release_is_an_answer() -> None:
    line = json.loads(ROW.as_line())
    del line["reason"]
    assert Spooled.of_line(json.dumps(line)) == ROW


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path, house: House) -> None:
    path = Path(house.url.removeprefix("sqlite:///") + ".spool")
    spool.put(path, [ROW])
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n5\n" + ROW.as_line().encode()[:40])
    house.engine("seer")
    assert house.scan().exit_code == 0
    assert not path.exists()


def test_what_was_paid_for_is_on_the_disk_before_it_counts_as_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "answers.spool"
    on_disk: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: on_disk.append(path.read_text()))
    spool.put(path, [ROW])
    assert on_disk == [ROW.as_line()]


def test_no_room_for_the_spool_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="paid for"):
        spool.put(tmp_path / "file" / "x.spool", [ROW])


def test_a_disk_that_fills_up_has_room_for_what_was_paid_for(tmp_path: Path) -> None:
    path = tmp_path / "answers.spool"
    with spool.room(path):
        held = sum(each.stat().st_size for each in tmp_path.iterdir())
        spool.put(path, [ROW])
        left = sum(each.stat().st_size for each in tmp_path.iterdir())
    assert held >= 1 << 20 > left > 0
    assert list(tmp_path.iterdir()) == [path]


def test_without_room_for_answers_nothing_is_asked(house: House) -> None:
    house.engine("seer", billed=True)
    house.photo("1", tag("dog"))
    Path(house.url.removeprefix("sqlite:///") + ".spool.room").mkdir()
    with pytest.raises(DiskError, match=r"no room for answers in .* \(Is a directory\)\. Nothing was asked"):
        house.scan()
    assert not house.mind("seer").asked

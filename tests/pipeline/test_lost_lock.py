"""A run that slept for too long finds its lock taken: it asks and writes nothing more (R3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from sqlalchemy import delete, select, update

from tests.fakes_pipeline import WallTarget
from tests.house import House
from tests.stage import Mind, tag
from tigertag.errors import ItemError, LockHeld
from tigertag.model import Annotation, Item, Photo, Shown
from tigertag.store import tables


def take_the_lock(house: House) -> None:
    """As another run does after it has heard nothing of this one for too long."""
    with house.database.session() as session:
        session.execute(update(tables.RunLock).values(token="another run's", pid=400))


def asleep_while_it_answers(house: House, billed: bool) -> Mind:
    """An engine in front of three photos; the lock goes while it looks at the first."""
    mind = house.engine("seer", billed=billed, concurrency=1)
    for number in range(3):
        house.photo(str(number))

    def answer(photo: Photo) -> list[Annotation]:
        take_the_lock(house)
        return [tag("dog")]

    mind.default = answer
    return mind


@pytest.mark.parametrize("billed", [True, False])
def test_a_run_that_has_lost_its_lock_sends_nothing_more(house: House, billed: bool) -> None:
    mind = asleep_while_it_answers(house, billed)
    with pytest.raises(LockHeld, match=r"has lost its lock to another run \(pid 400,"):
        house.scan()
    assert sum(mind.asked.values()) == 1


@pytest.mark.parametrize("billed", [True, False])
def test_an_answer_that_comes_in_after_the_lock_was_lost_is_kept(house: House, billed: bool) -> None:
    mind = asleep_while_it_answers(house, billed)
    with pytest.raises(LockHeld):
        house.scan()
    with house.database.session() as session:
        session.execute(delete(tables.RunLock))
    mind.default = lambda photo: [tag("dog")]
    house.scan()
    assert sorted(mind.asked.values()) == [1, 1, 1]
    with house.database.session() as session:
        assert set(session.scalars(select(tables.SendRow.outcome))) <= {"billed"}


def test_an_answer_that_another_run_has_got_meanwhile_stays_as_that_one_has_it(house: House) -> None:
    mind = house.engine("seer", concurrency=1)
    for number in range(2):
        house.photo(str(number), tag("dog"))
    house.scan()
    house.change("seer", level=1)

    def answer(photo: Photo) -> list[Annotation]:
        take_the_lock(house)
        with house.database.session() as session:
            session.execute(update(tables.AnalysisRow).values(state="done"))
            session.execute(update(tables.Delivery).values(state="done"))
        return [tag("cat")]

    mind.default = answer
    mind.says.clear()
    with pytest.raises(LockHeld):
        house.scan()
    with house.database.session() as session:
        assert session.scalars(select(tables.Delivery.state)).all() == ["done", "done"]
        assert session.scalars(select(tables.TagRow.name)).all() == ["dog"]


def lose_it_while_reading(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    read = WallTarget.read

    def slowly(wall: WallTarget, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        found = read(wall, items)
        take_the_lock(house)
        return found

    monkeypatch.setattr(WallTarget, "read", slowly)


@pytest.mark.parametrize("batch", [1, 100], ids=["in the course of the analysis", "at the end"])
def test_a_run_that_has_lost_its_lock_writes_nothing_more(
    house: House, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("tigertag.pipeline.courier.BATCH", batch)
    house.engine("seer")
    house.photo("1", tag("dog"))
    lose_it_while_reading(house, monkeypatch)
    with pytest.raises(LockHeld, match="has lost its lock"):
        house.scan()
    assert house.wall == {}


def test_an_undo_that_has_lost_its_lock_writes_nothing_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    lose_it_while_reading(house, monkeypatch)
    with pytest.raises(LockHeld, match="has lost its lock"):
        house.undo(everything=True)
    assert house.wall == {"1": {"dog"}}

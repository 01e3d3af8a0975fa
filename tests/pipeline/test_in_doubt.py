"""What a dead run was about to do: whether it was done is found out."""

from __future__ import annotations

from tests.house import House
from tests.stage import tag
from tigertag.store import tables


def in_doubt(house: House, name: str, action: str, *, undoes: int | None = None) -> None:
    """A dead run was about to do this to photo 1 a minute ago."""
    with house.database.session() as session:
        item = session.query(tables.ItemRow).filter_by(key="1").one().id
        run = session.query(tables.Run).order_by(tables.Run.id.desc()).first()
        assert run is not None
        session.add(
            tables.Edit(
                run_id=run.id,
                target_id=1,
                item_id=item,
                action=action,
                state="intended",
                name=name,
                fold=name,
                kind="tag",
                canonical=name,
                engines=["seer"],
                undoes=undoes,
                at=house.now,
            )
        )
    house.later(1)


def test_an_addition_in_doubt_that_is_there_is_ours(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    house.stage.wall.edit("1", "add", "fog", by="us")
    in_doubt(house, "fog", "add")
    house.write()
    assert house.wall == {"1": {"dog"}}  # ours, and nobody wants it
    assert {row.state for row in house.rows(tables.Edit)} == {"confirmed"}


def test_an_addition_in_doubt_that_is_not_there_is_written_again_once(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "dog", "add")
    house.scan()
    assert (house.wall, house.stage.wall.writes) == ({"1": {"dog"}}, 1)
    assert sorted(row.state for row in house.rows(tables.Edit)) == ["confirmed", "withdrawn"]


def test_removals_in_doubt_are_made_again_or_done(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog"), tag("cat", 50))
    any_house.scan()
    in_doubt(any_house, "cat", "remove")
    any_house.change("seer", min_confidence=60)
    any_house.write()
    assert (any_house.wall, any_house.ours("1")) == ({"1": {"dog"}}, {"dog"})
    assert any_house.verdicts() == set()


def test_an_addition_that_takes_effect_late_is_ours(house: House) -> None:
    """A write may come about after the process that sent it died, and after our first read."""
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "fog", "add")
    house.stage.wall.late.append(("1", "add", "fog"))
    house.write()
    assert house.ours("1") == {"dog", "fog"}
    house.write()
    assert house.wall == {"1": {"dog"}}


def test_an_addition_that_takes_effect_late_in_an_undo_is_ours_too(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    in_doubt(house, "fog", "add")
    house.stage.wall.late.append(("1", "add", "fog"))
    house.undo(1)
    house.write()
    assert house.wall == {}


def test_after_ten_minutes_nothing_is_late_any_more(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan()
    in_doubt(house, "fog", "add")
    house.later(10)
    reads = house.stage.wall.reads
    house.write()
    assert house.stage.wall.reads <= reads + 2  # the survey and the delivery, no third look


def test_a_late_addition_is_not_taken_for_a_users(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog"))
    house.scan(write=False)
    in_doubt(house, "dog", "add")
    house.stage.wall.late.append(("1", "add", "dog"))
    house.scan()
    assert house.ours("1") == {"dog"}
    house.undo(everything=True)
    assert house.wall == {}

"""The listing against what is known. Absence is not evidence."""

from __future__ import annotations

import pytest

from tests.fakes_pipeline import ShelfSource
from tests.house import House
from tests.stage import tag
from tigertag.app import scanning
from tigertag.app.scanning import ScanOrder
from tigertag.errors import Incomplete, TigerTagError, Unreachable
from tigertag.store import tables


def gone(house: House) -> set[str]:
    return {row.key for row in house.rows(tables.ItemRow) if row.gone_since is not None}


def tagged(house: House, count: int) -> None:
    house.engine("seer").default = lambda photo: [tag("dog")]
    for number in range(count):
        house.photo(f"{number:02}")
    house.scan()
    assert len(house.wall) == count


def test_what_is_no_longer_listed_is_gone_and_keeps_everything(any_house: House) -> None:
    tagged(any_house, 3)
    before = (any_house.ledger(), any_house.wall)
    lying = any_house.stage.shelf.photos.pop("01")
    assert (any_house.scan().exit_code, gone(any_house)) == (0, {"01"})
    assert (any_house.ledger(), any_house.wall) == before
    any_house.stage.shelf.photos["01"] = lying
    assert (any_house.scan().exit_code, gone(any_house)) == (0, set())
    assert sum(any_house.mind().asked.values()) == 3


@pytest.mark.parametrize("left", [0, 1, 11])
def test_an_empty_or_halved_listing_marks_nothing_gone_and_is_refused(house: House, left: int) -> None:
    """P9, K1."""
    tagged(house, 24)
    house.stage.shelf.cut_after = left
    report = house.scan()
    assert (report.exit_code, gone(house)) == (9, set())
    (fault,) = report.tally.aside.values()
    assert "24 photos" in str(fault) or "24 were known" in str(fault)
    house.stage.shelf.cut_after = None
    assert house.scan().exit_code == 0


def test_an_empty_listing_of_a_small_library_is_refused_too(house: House) -> None:
    tagged(house, 6)
    house.stage.shelf.cut_after = 0
    assert (house.scan().exit_code, gone(house)) == (9, set())


def test_half_of_a_library_may_go(house: House) -> None:
    tagged(house, 24)
    house.stage.shelf.cut_after = 12
    assert (house.scan().exit_code, len(gone(house))) == (0, 12)


@pytest.mark.parametrize("photos_too", [False, True])
def test_videos_that_are_left_out_from_now_on_are_no_lost_disk_but_photos_are(
    house: House, monkeypatch: pytest.MonkeyPatch, photos_too: bool
) -> None:
    shelf = house.stage.shelf
    house.engine("seer").default = lambda photo: [tag("dog")]
    for number in range(60):
        house.photo(f"{number:02}")
        if number >= 26:
            shelf.photos[f"{number:02}"].path = f"{number:02}.mp4"
    house.scan()
    monkeypatch.setattr(ShelfSource, "skipped", {"videos": 34})
    shelf.cut_after = 12 if photos_too else 26
    report = house.scan()
    assert (report.exit_code, len(gone(house))) == ((9, 0) if photos_too else (0, 34))


@pytest.mark.parametrize(
    ("cut", "code"), [(Incomplete("lists 5 of 24"), 3), (Unreachable("Cannot reach the shelf"), 5)]
)
def test_a_listing_that_breaks_off_marks_nothing_gone(house: House, cut: TigerTagError, code: int) -> None:
    """P8."""
    tagged(house, 24)
    house.stage.shelf.cut_after, house.stage.shelf.cut = 5, cut
    assert (house.scan().exit_code, gone(house)) == (code, set())


def test_what_an_incomplete_listing_showed_is_worked_on(house: House) -> None:
    tagged(house, 3)
    house.photo("03")
    house.photo("04")
    house.stage.shelf.cut_after, house.stage.shelf.cut = 4, Incomplete("lists 4 of 5")
    assert (house.scan().exit_code, sorted(house.wall)) == (3, ["00", "01", "02", "03"])


def test_a_listing_that_a_signal_ends_marks_nothing_gone(house: House) -> None:
    tagged(house, 4)
    del house.stage.shelf.photos["03"]
    app = house.app
    app.stop.set()
    report = scanning.scan(app, ScanOrder())
    assert report.listings[0].was_stopped
    assert report.listings[0].gone == 0


def test_a_source_that_cannot_be_reached_is_put_aside(house: House) -> None:
    tagged(house, 2)
    house.stage.shelf.cut_after, house.stage.shelf.cut = 0, Unreachable("Cannot reach the shelf")
    assert (house.scan().exit_code, gone(house)) == (5, set())


def test_sections_that_were_not_walked_are_not_gone(house: House) -> None:
    house.stage.shelf.section = "Photos"
    tagged(house, 2)
    shelf = house.stage.shelf
    shelf.scope, shelf.section, shelf.photos = ("Other",), "Other", {}
    house.photo("x", number=90)
    assert (house.scan().exit_code, gone(house)) == (0, set())


def test_a_photo_listed_twice_is_one(house: House) -> None:
    """A photo that moves while pages are read is met again."""
    house.engine("seer").default = lambda photo: [tag("dog")]
    house.photo("1")
    house.stage.shelf.twice = True
    report = house.scan()
    assert (report.exit_code, len(house.rows(tables.ItemRow)), report.listings[0].new) == (0, 1, 1)


def test_a_moved_photo_costs_no_bill_and_keeps_its_verdicts(house: House) -> None:
    mind = house.engine("seer", billed=True)
    house.photo("1", tag("dog"), tag("cat"))
    house.scan()
    house.stage.wall.user_removes("1", "dog")
    house.write(verify=True)
    house.stage.shelf.photos["2"] = house.stage.shelf.photos.pop("1")
    house.scan()
    assert (house.wall["2"], sum(mind.sent.values())) == ({"cat"}, 1)


def test_what_changed_while_a_photo_was_gone_is_made_up_for_when_it_returns(any_house: House) -> None:
    any_house.engine("seer")
    any_house.photo("1", tag("dog", 50), tag("cat"))
    any_house.photo("2")
    any_house.scan()
    lying = any_house.stage.shelf.photos.pop("1")
    any_house.scan()
    any_house.change("seer", min_confidence=60)
    any_house.scan()
    any_house.stage.shelf.photos["1"] = lying
    any_house.scan()
    assert any_house.wall["1"] == {"cat"}


def test_a_new_path_under_the_same_key_is_taken_over_without_opening(house: House) -> None:
    tagged(house, 1)
    house.stage.shelf.photos["00"].path = "Winter/00.jpg"
    house.scan()
    assert [row.path for row in house.rows(tables.ItemRow)] == ["Winter/00.jpg"]
    assert house.stage.shelf.opened["00"] == 1

"""Tags by where a photo was taken."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import inf, nan
from pathlib import Path

import pytest

from tests.engines.metadata_files import block, photo
from tests.pictures import jpeg_bytes, xmp
from tigertag import plugins
from tigertag.atlas.borders import borders
from tigertag.atlas.towns import towns
from tigertag.blocks.fields import degrees, position
from tigertag.config import load
from tigertag.contract.engine import Bench, EngineContract
from tigertag.contract.stand_ins import FakeMemory, FakePermit, FakePhoto
from tigertag.engines.places import PlacesEngine, PlacesOptions
from tigertag.engines.places_circles import Circle, circle, circles, names_of
from tigertag.errors import PluginDown
from tigertag.media import open_photo
from tigertag.model import Analysis, Kind, Photo

PARIS, LJUBLJANA, ATLANTIC, KRUGER = (48.8584, 2.2945), (46.05, 14.5), (40.0, -40.0), (-23.98866, 31.5547)


class TestContract(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(PlacesEngine, options={"home": "46.05,14.5"})

    @pytest.fixture
    def shown(self) -> Sequence[Photo]:
        places = (PARIS, LJUBLJANA, KRUGER)
        return [FakePhoto(jpeg_bytes(n, gps=at), f"Summer/{n}.jpg") for n, at in enumerate(places)]


def tags(content: bytes, **options: object) -> list[str]:
    engine = PlacesEngine(PlacesOptions.model_validate(options), FakeMemory())
    with open_photo(io.BytesIO(content), "a.jpg") as opened:
        (found,) = engine.analyze([opened], FakePermit())
    assert isinstance(found, Analysis)
    assert {one.kind for one in found.annotations} <= {Kind.TAG}
    return [one.name for one in found.annotations]


def at(position: tuple[float, float]) -> bytes:
    return jpeg_bytes(1, gps=position)


def test_a_photo_gets_its_town_region_and_country() -> None:
    assert tags(at(PARIS)) == ["Paris", "Île-de-France", "France"]


def test_a_name_that_comes_twice_is_one_tag() -> None:
    assert tags(at(LJUBLJANA)) == ["Ljubljana", "Slovenia"]
    assert tags(at((1.3521, 103.8198)), words="city,country")[-1] == "Singapore"


def test_far_from_every_town_it_is_near_one() -> None:
    assert tags(at(KRUGER)) == ["near Phalaborwa", "Limpopo", "South Africa"]


def test_the_open_sea_has_no_tags() -> None:
    assert tags(at(ATLANTIC)) == []


@pytest.mark.parametrize(
    "position", [(0.0, 0.0), (95.0, 10.0), (-91.0, 10.0), (10.0, 200.0), (10.0, -180.5), (0.0004, -0.0004)]
)
def test_a_position_that_is_none_is_refused(position: tuple[float, float]) -> None:
    assert tags(at(position)) == []


@pytest.mark.parametrize(
    "place",
    [
        {},
        {2: (46.0, 3.0, 0.0), 4: (14.0, 30.0, 0.0)},  # which side of the equator?
        {1: "N", 2: (46.0, 3.0, 0.0)},
        {1: "", 2: (46.0, 3.0, 0.0), 3: "E", 4: (14.0, 30.0, 0.0)},
    ],
)
def test_half_a_position_is_none(place: dict[int, object]) -> None:
    assert tags(photo(block(place=place))) == []


@pytest.mark.parametrize("nonsense", [nan, inf, -inf])
def test_a_position_that_is_no_number_is_none(nonsense: float) -> None:
    assert degrees((nonsense, 0.0, 0.0), "N") is None
    assert position(nonsense, 14.5) is None and position(46.05, nonsense) is None


def test_a_position_may_stand_in_xmp() -> None:
    more = (
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51.504N" exif:GPSLongitude="2,17.67E"'
    )
    assert tags(photo(xmp=xmp(more=more)), words="city") == ["Paris"]


def test_places_are_named_in_the_language_of_the_user() -> None:
    assert tags(at(PARIS), language="de") == ["Paris", "Île-de-France", "Frankreich"]
    assert tags(at(LJUBLJANA), language="sl") == ["Ljubljana", "Slovenija"]
    assert tags(at(PARIS), language="ja", words="country") == ["フランス"]
    assert tags(at((41.9, 12.49)), language="de") == ["Rom", "Latium", "Italien"]
    assert tags(at((48.2, 16.37)), language="sl") == ["Dunaj", "Avstrija"], "a city that is a region is one tag"
    assert tags(at((48.14, 11.57)), language="fr") == ["Munich", "Bavière", "Allemagne"]
    assert tags(at((41.9, 12.49)), words="city,region") == ["Rome", "Lazio"]


def test_only_the_chosen_groups_are_given() -> None:
    assert tags(at(PARIS), words="country,city") == ["Paris", "France"]


def test_home_and_other_places_have_the_names_that_their_owner_gives_them() -> None:
    own = {"home": "46.0501,14.5003,300m", "circles": "Cottage:46.1,14.5,2km; My town: 46.05,14.51,5km"}
    assert tags(at(LJUBLJANA), **own) == ["home", "My town", "Ljubljana", "Slovenia"]
    assert tags(at((46.09, 14.5)), words="circles", **own) == ["Cottage", "My town"]
    assert tags(at(PARIS), words="circles", **own) == []


def test_a_circle_may_lie_in_the_middle_of_the_sea() -> None:
    assert tags(at(ATLANTIC), circles="The boat: 40, -40, 10 km") == ["The boat"]


def test_a_circle_ends_where_it_says() -> None:
    whole = Circle("here", 60.0, 10.0, 1000)
    # 0.01797° of longitude at 60° north are 1 km, of latitude 2 km.
    assert [whole.holds(60.0, 10.0179), whole.holds(60.0, 10.0181), whole.holds(60.0179, 10.0)] == [
        *(True, False, False)
    ]
    assert names_of(
        [Circle("Big", 0, 180, 9e5), Circle("big", 0, 180, 10), Circle("A", 0, -179.9999, 100)], (0, 180)
    ) == [*("big", "A")]


@pytest.mark.parametrize(
    ("written", "metres"),
    [("46.05,14.51", 300), (" +46.05 , -14.51 , 2km ", 2000), ("-.5,0.,1.5 KM", 1500), ("46,14,80m", 80)],
)
def test_a_spot_is_two_numbers_and_a_radius(written: str, metres: float) -> None:
    assert circle("x", written).metres == metres


@pytest.mark.parametrize(
    ("option", "written", "said"),
    [
        ("home", "Ljubljana", "is no place such as `46.05,14.51`"),
        ("home", "46.05", "is no place such as"),
        ("home", "46,05;14,51", "is no place such as"),
        ("home", "46.05,14.51,300", "is no place such as"),  # metres or kilometres?
        ("home", "nan,14", "is no place such as"),
        ("home", "91,14", "is not on earth"),
        ("home", "14,181", "is not on earth"),
        ("home", "46,14,0m", "has no radius"),
        ("home", "46,14,2000km", "has no radius"),
        ("circles", "46.05,14.51", "is no named place such as `Cottage:46.1,14.5,2km`"),
        ("circles", "Cottage", "is no named place such as"),
        ("circles", ":46.05,14.51", "is no named place such as"),
        ("circles", "Cottage:46.1,14.5; Grandma:somewhere", "`somewhere` is no place such as"),
        ("words", "town", "there is no group `town`"),
        ("language", "tlh", "there are no names in `tlh`"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name(option: str, written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PlacesOptions.model_validate({option: written})


def test_settings_are_read_from_the_environment(tmp_path: Path) -> None:
    given = {
        "ENGINE_PLACES_HOME": "46.05,14.51,300m",
        "ENGINE_PLACES_CIRCLES": "Cottage:46.1,14.5,2km; Grandma's: 45.9,14.1",
    }
    (declared,) = load(env_file=None, environ=given, cwd=tmp_path).engines
    assert isinstance(declared.options, PlacesOptions)
    assert declared.options.home == Circle("home", 46.05, 14.51, 300)
    assert [str(one) for one in declared.options.circles] == [
        "Cottage:46.1,14.5,2000m",
        "Grandma's:45.9,14.1,300m",
    ]


def test_what_changes_the_answer_changes_the_revision_and_nothing_else() -> None:
    def settings(**options: object) -> object:
        return PlacesEngine(PlacesOptions.model_validate(options), FakeMemory()).settings

    changes: list[dict[str, object]] = [
        {},
        {"language": "de"},
        {"home": "46.05,14.51"},
        {"circles": "Cottage:46.1,14.5"},
        {"words": "city"},
    ]
    assert len({str(settings(**one)) for one in changes}) == len(changes)
    assert settings(words="city", home="46,14") == settings(words="city")
    assert settings(words="circles", language="de") == settings(words="circles")
    assert settings(words="city", language="de") != settings(words="city")


def test_it_is_installed() -> None:
    assert plugins.find("engine", "places") is PlacesEngine


def test_a_broken_installation_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tigertag.atlas.packed.resources.files", lambda package: tmp_path)
    for loaded in (towns, borders):
        loaded.cache_clear()
    try:
        engine = PlacesEngine(PlacesOptions.model_validate({}), FakeMemory())
        assert [finding.ok for finding in engine.check()] == [False]
        with open_photo(io.BytesIO(at(PARIS)), "a.jpg") as opened, pytest.raises(PluginDown, match=r"towns\.z"):
            list(engine.analyze([opened], FakePermit()))
    finally:
        for loaded in (towns, borders):
            loaded.cache_clear()


def test_the_circles_of_a_setting_keep_their_order() -> None:
    assert [one.name for one in circles("B:1,1; A:1,1 ;; C d:1,1,5m;")] == ["B", "A", "C d"]

"""Words for how a photo was exposed."""

from __future__ import annotations

import pytest

from tests.engines.metadata_files import block, measures, photo, tags
from tigertag.engines.metadata_shot import Shot, brightness_words

SHUTTER, APERTURE, ISO, DISTANCE, FLASH = 0x829A, 0x829D, 0x8827, 0x9206, 0x9209
ZOOM, FOCAL_35, RANGE = 0xA404, 0xA405, 0xA40C


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({SHUTTER: 1.0}, ["long exposure"]),
        ({SHUTTER: 30.0}, ["long exposure"]),
        ({SHUTTER: 0.5}, []),
        ({FLASH: 0x01}, ["flash"]),
        ({FLASH: 0x19}, ["flash"]),  # fired, by itself
        ({FLASH: 0x5F}, ["flash"]),  # fired, red eyes, light came back
        ({FLASH: 0x10}, []),  # off
        ({FLASH: 0x18}, []),  # by itself, did not fire
        ({RANGE: 1}, ["macro"]),
        ({RANGE: 2}, []),
        ({DISTANCE: 0.12}, ["macro"]),
        ({DISTANCE: 0.0}, []),  # unknown
        ({DISTANCE: 2.5}, []),
        ({}, []),
    ],
)
def test_words_of_the_exposure(details: dict[int, object], words: list[str]) -> None:
    assert tags(photo(block(details)), "exposure") == words


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({FOCAL_35: 16}, ["wide"]),
        ({FOCAL_35: 35}, []),
        ({FOCAL_35: 50}, []),
        ({FOCAL_35: 70}, []),
        ({FOCAL_35: 200}, ["tele"]),
        ({FOCAL_35: 0}, []),  # unknown
        ({FOCAL_35: 26, ZOOM: 2.4}, ["wide", "zoom"]),
        ({ZOOM: 1.0}, []),
        ({ZOOM: 0.0}, []),  # not used
    ],
)
def test_words_of_the_view(details: dict[int, object], words: list[str]) -> None:
    assert tags(photo(block(details)), "view") == words


@pytest.mark.parametrize(
    ("seconds", "aperture", "iso", "words"),
    [
        (1 / 125, 16.0, 100, ["bright"]),  # sunny 16: EV 15
        (1 / 125, 5.6, 100, []),  # an overcast day: EV 12
        (1 / 60, 2.8, 400, []),  # a room by day: EV 7
        (1 / 15, 1.8, 1600, ["dark"]),  # EV 2
        (1 / 30, 1.0, 0, []),
    ],
)
def test_words_of_brightness(seconds: float, aperture: float, iso: int, words: list[str]) -> None:
    assert tags(photo(block({SHUTTER: seconds, APERTURE: aperture, ISO: iso})), "light") == words


def test_with_a_flash_nothing_is_known_of_the_light() -> None:
    dark = Shot(seconds=1 / 15, aperture=1.8, iso=1600)
    assert list(brightness_words(dark)) == ["dark"]
    assert list(brightness_words(Shot(seconds=1 / 15, aperture=1.8, iso=1600, flash=True))) == []


def test_the_light_is_measured_in_exposure_values() -> None:
    found = measures(photo(block({SHUTTER: 1 / 125, APERTURE: 16.0, ISO: 100, FOCAL_35: 28})))
    assert found["exposure value"] == pytest.approx(14.97, abs=0.02)
    assert found["focal length on 35 mm film"] == 28
    assert measures(photo(block({SHUTTER: 1 / 125, APERTURE: 16.0}))).keys() == {"exposure time", "aperture"}


@pytest.mark.parametrize("nonsense", [float("nan"), -1.0, 1e30])
def test_nonsense_is_not_measured(nonsense: float) -> None:
    assert Shot(seconds=0.0, aperture=2.0, iso=100.0).exposure_value is None
    assert tags(photo(block({DISTANCE: str(nonsense)})), "exposure") == []

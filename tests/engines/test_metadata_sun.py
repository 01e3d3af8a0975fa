"""Words for where the sun stood."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

import pytest

from tests.engines.metadata_files import block, measures, photo, tags
from tests.pictures import jpeg_bytes
from tigertag.engines.metadata_sun import daypart, sun, sun_words

LJUBLJANA, TROMSO, MIAMI, KATHMANDU = (46.05, 14.51), (69.65, 18.96), (25.767, -80.193), (27.71, 85.32)
SYDNEY, HONOLULU, USHUAIA, QUITO = (-33.869, 151.209), (21.31, -157.86), (-54.8, -68.3), (-0.22, -78.51)
ORIGINAL, OFFSET = 0x9003, 0x9011


def taken(at: tuple[float, float], local: str) -> bytes:
    return jpeg_bytes(1, taken=datetime.fromisoformat(local), gps=at)


# Degrees by PyEphem 4.2.1 (ephem.Sun, observer's pressure 0), at the time that clocks show there.
@pytest.mark.parametrize(
    ("at", "local", "height", "words"),
    [
        (LJUBLJANA, "2024-06-20 12:00", 64.0, []),
        (LJUBLJANA, "2024-06-20 20:30", 3.0, ["golden hour"]),
        (LJUBLJANA, "2024-06-20 21:28", -5.1, ["blue hour"]),
        (LJUBLJANA, "2024-06-20 23:30", -17.3, ["night"]),
        (LJUBLJANA, "2024-12-21 17:30", -11.7, ["night"]),
        (TROMSO, "2024-06-20 23:59", 3.5, ["golden hour"]),
        (TROMSO, "2024-12-21 12:00", -3.1, ["golden hour"]),
        (TROMSO, "2024-12-21 15:00", -9.5, ["night"]),
        (MIAMI, "2018-09-11 19:05", 4.6, ["golden hour"]),
        (MIAMI, "2018-09-11 19:48", -5.0, ["blue hour"]),
        (MIAMI, "2018-09-11 12:00", 61.7, []),
        (KATHMANDU, "2023-04-14 05:20", -5.3, ["blue hour"]),
        (KATHMANDU, "2023-04-14 06:05", 4.5, ["golden hour"]),
        (SYDNEY, "2022-01-05 19:45", 3.8, ["golden hour"]),
        (SYDNEY, "2022-07-05 19:45", -33.7, ["night"]),
        (HONOLULU, "2016-02-29 06:34", -5.0, ["blue hour"]),
        (HONOLULU, "2016-02-29 18:20", 2.8, ["golden hour"]),
        (USHUAIA, "2023-12-21 22:30", -2.7, ["golden hour"]),
        (USHUAIA, "2023-06-21 09:25", -4.6, ["blue hour"]),
        (QUITO, "2020-03-20 12:21", 89.6, []),
    ],
)
def test_words_of_the_sun(at: tuple[float, float], local: str, height: float, words: list[str]) -> None:
    content = taken(at, local)
    assert measures(content)["height of the sun"] == pytest.approx(height, abs=0.15)
    assert tags(content, "sun") == words


def test_without_place_or_time_nothing_is_said_of_the_sun() -> None:
    assert tags(jpeg_bytes(1, taken=datetime(2024, 6, 20, 23, 30)), "sun") == []
    assert tags(jpeg_bytes(1, gps=LJUBLJANA), "sun") == []
    assert tags(taken(LJUBLJANA, "2024-06-20 00:00"), "sun") == []  # a date alone
    assert tags(taken((40.0, -40.0), "2024-06-20 12:00"), "sun") == []  # at sea no clock is known


def test_a_clock_that_tells_its_zone_is_believed() -> None:
    """Home time was still set: 21:30 in Ljubljana is 15:30 in Miami."""
    place = {1: "N", 2: (25.0, 46.0, 0.0), 3: "W", 4: (80.0, 11.0, 36.0)}
    at_home = block({ORIGINAL: "2018:09:11 21:30:00", OFFSET: "+02:00"}, place=place)
    untold = block({ORIGINAL: "2018:09:11 21:30:00"}, place=place)
    assert (tags(photo(at_home), "sun"), tags(photo(untold), "sun")) == ([], ["night"])


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ((19.0, 30.0, 12.0), []),  # 15:30 by the place's time
        ((19.0, 31.0, 20.0), []),
        ((19.0, 21.0, 0.0), ["night"]),  # nine minutes off every zone: another photo's, so the clock is local
        ((18.0, 15.0, 0.0), ["night"]),  # no country is 3:15 ahead
        ((25.0, 0.0, 0.0), ["night"]),
    ],
)
def test_the_satellites_tell_the_zone(clock: tuple[float, float, float], words: list[str]) -> None:
    place = {1: "N", 2: (25.0, 46.0, 0.0), 3: "W", 4: (80.0, 11.0, 36.0), 7: clock, 29: "2018:09:11"}
    assert tags(photo(block({ORIGINAL: "2018:09:11 21:30:00"}, place=place)), "sun") == words


def test_a_computer_without_time_zones_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(key: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr("tigertag.engines.metadata_sun.ZoneInfo", none)
    assert sun(LJUBLJANA, datetime(2024, 6, 20, 12), None) is None
    assert sun(LJUBLJANA, datetime(2024, 6, 20, 12), timedelta(hours=2)) == pytest.approx(64.0, abs=0.15)


@pytest.mark.parametrize(
    ("hour", "height", "part"),
    [
        (21, None, "night"),
        (21, -20.0, "night"),
        (21, 8.0, "evening"),
        (23, 3.1, "evening"),
        (3, 2.0, "morning"),
        (18, -12.0, "evening"),
    ],
)
def test_it_is_no_night_while_the_sun_is_up(hour: int, height: float | None, part: str) -> None:
    assert daypart(hour, height) == part


@pytest.mark.parametrize(
    ("height", "word"),
    [(6.01, ""), (6.0, "golden hour"), (-4.0, "golden hour"), (-4.01, "blue hour"), (-6.01, "night")],
)
def test_the_hours_of_photographers(height: float, word: str) -> None:
    assert "".join(sun_words(height)) == word

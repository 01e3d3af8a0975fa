"""How high the sun is, against another program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tigertag.atlas import sun_height

# UTC, latitude, longitude, degrees: computed by PyEphem 4.2.1 (ephem.Sun, VSOP87), observer's pressure 0.
TABLE = [
    ("2018-06-09 21:08", 38.53, -122.49, 70.03),
    ("2017-12-14 21:28", 41.88, -87.62, 7.03),
    ("2020-06-21 12:00", 0, 0, 66.56),
    ("2020-12-21 12:00", -23.44, 0, 89.61),
    ("2024-03-20 05:55", 46.05, 14.51, 7.93),
    ("2024-03-20 17:30", 46.05, 14.51, -3.44),
    ("2024-06-20 22:30", 69.65, 18.96, 3.13),
    ("2024-12-21 11:00", 69.65, 18.96, -3.14),
    ("2015-01-01 00:00", -33.86, 151.21, 61.95),
    ("2019-08-03 19:10", 51.5, -0.12, 4.14),
    ("1975-07-04 23:40", 40.71, -74.0, 7.65),
    ("2050-10-10 04:00", 35.68, 139.69, 42.45),
    ("2021-09-22 19:20", 90, 0, -0.00),
    ("2021-06-21 12:00", -90, 0, -23.44),
    ("2016-02-29 10:15", 21.28, -157.83, -74.77),
    ("2016-02-29 16:40", 21.28, -157.83, -3.62),
    ("2023-11-11 18:45", -54.8, -68.3, 43.24),
    ("2000-01-01 12:00", 12.98, 77.6, 6.73),
    ("1999-12-31 23:59", -16.5, 179.99, 83.36),
    ("2099-04-05 06:07", 64.15, -21.94, -3.27),
]


@pytest.mark.parametrize(("utc", "latitude", "longitude", "height"), TABLE)
def test_the_height_is_that_of_an_ephemeris(utc: str, latitude: float, longitude: float, height: float) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert sun_height(latitude, longitude, moment) == pytest.approx(height, abs=0.1)


def test_a_moment_is_the_same_in_every_zone() -> None:
    moment = datetime(2024, 3, 20, 5, 55, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=9, minutes=30)))
    assert sun_height(46.05, 14.51, elsewhere) == pytest.approx(sun_height(46.05, 14.51, moment))

"""How high the sun is.

The low-accuracy formulas of J. Meeus, Astronomical Algorithms (2nd edition, chapters 13, 22, 25), as in NOAA's
solar calculator (gml.noaa.gov/grad/solcalc/calcdetails.html): within 0.1° from 1800 to 2100.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import asin, cos, degrees, radians, sin, tan

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sun_height(latitude: float, longitude: float, moment: datetime) -> float:
    """Degrees of the sun's middle above the horizon, -90..90, without refraction. `moment` is aware."""
    days = (moment - _J2000).total_seconds() / 86_400
    century = days / 36_525
    mean = 280.46646 + century * (36_000.76983 + century * 0.0003032)
    anomaly = radians(357.52911 + century * (35_999.05029 - century * 0.0001537))
    centre = (
        (1.914602 - century * (0.004817 + century * 0.000014)) * sin(anomaly)
        + (0.019993 - century * 0.000101) * sin(2 * anomaly)
        + 0.000289 * sin(3 * anomaly)
    )
    node = radians(125.04 - 1934.136 * century)
    longitude_of_sun = radians(mean + centre - 0.00569 - 0.00478 * sin(node))
    tilt = radians(23.439291 - 0.0130042 * century + 0.00256 * cos(node))
    declination = asin(sin(tilt) * sin(longitude_of_sun))

    # The equation of time, in degrees of hour angle.
    y = tan(tilt / 2) ** 2
    orbit = 0.016708634 - century * (0.000042037 + century * 0.0000001267)
    double = 2 * radians(mean)
    equation = degrees(
        y * sin(double)
        - 2 * orbit * sin(anomaly)
        + 4 * orbit * y * sin(anomaly) * cos(double)
        - 0.5 * y * y * sin(2 * double)
        - 1.25 * orbit * orbit * sin(2 * anomaly)
    )
    hour_angle = radians((days % 1) * 360 + equation + longitude)  # days begin at noon
    north = radians(latitude)
    sine = sin(north) * sin(declination) + cos(north) * cos(declination) * cos(hour_angle)
    return degrees(asin(max(-1.0, min(1.0, sine))))

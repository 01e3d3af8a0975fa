"""Distances on a sphere."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""


def distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres between two spots given in degrees, by the haversine; within 0.6 % of the ellipsoid's."""
    north, other_north = radians(latitude), radians(other_latitude)
    across = sin(radians(other_longitude - longitude) / 2)
    along = sin((other_north - north) / 2)
    half = along * along + cos(north) * cos(other_north) * across * across
    return 2 * RADIUS_KM * asin(min(1.0, sqrt(half)))

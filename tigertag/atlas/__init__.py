"""What is known of a spot on earth without a network: country, region, town, time zone, height of the sun.

Degrees are WGS 84, latitude -90..90 north, longitude -180..180 east; distances are kilometres on a sphere. The
data and their licences are described in `data/NOTICE.md`; they are loaded when first asked for.
"""

from tigertag.atlas.names import country_name, has_language
from tigertag.atlas.place import CITY_KM, NEAR_KM, Place, place, zone
from tigertag.atlas.sphere import distance
from tigertag.atlas.sun import sun_height

EDITION = "2026-11"
"""Of data and rules. An answer that was made with another one may differ."""

__all__ = [
    "CITY_KM",
    "EDITION",
    "NEAR_KM",
    "Place",
    "country_name",
    "distance",
    "has_language",
    "place",
    "sun_height",
    "zone",
]

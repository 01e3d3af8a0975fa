"""The connection to a Plex server that source and target share. Nowhere else are plexapi's errors met."""

from tigertag.plexserver.connection import Pace, PlexConnection, PlexOptions, PlexSection, Unwell
from tigertag.plexserver.wire import Refusal

__all__ = ["Pace", "PlexConnection", "PlexOptions", "PlexSection", "Refusal", "Unwell"]

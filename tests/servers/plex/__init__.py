"""A Plex server with photo sections, for tests: strict, counting, and reporting what it was made to suffer."""

from tests.servers.plex.library import PlexLibrary, Rules
from tests.servers.plex.server import TOKEN, Fault, PlexServer, Request

__all__ = ["TOKEN", "Fault", "PlexLibrary", "PlexServer", "Request", "Rules"]

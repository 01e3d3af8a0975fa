"""Whether a server is the one whose photos are known, or another in its place (RELIABILITY C5)."""

from __future__ import annotations

from collections.abc import Collection

from tigertag.errors import Refused
from tigertag.model import Source
from tigertag.store import items
from tigertag.store.database import Database

_SERVER = "plex:"


def is_another(database: Database, source: Source, opened: Collection[str]) -> Refused | None:
    """What to say of a server that is met for the first time while the known one is not set up any more.

    `opened` are the identities of all sources of this run. What is known of a server is of no use on another:
    there the same keys are other photos.
    """
    if not source.identity.startswith(_SERVER):
        return None
    with database.reading() as session:
        if items.find_source(session, source.identity) is not None:
            return None
        known = items.live_sources(session, _SERVER)
    if not known or known.keys() & {*opened}:
        return None
    label, count = max(known.values(), key=lambda each: each[1])
    return Refused(
        f"{source.label} is another server than the one with the {count:,} photos that are known ({label}). "
        "Nothing was asked or written. If that is meant, `tigertag scan --yes` takes it up."
    )

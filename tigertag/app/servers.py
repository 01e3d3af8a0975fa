"""Whether a server is the one whose photos are known, or another in its place (RELIABILITY C5)."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack

from tigertag.app.context import App, open_targets
from tigertag.errors import Refused
from tigertag.model import Source, Target
from tigertag.pipeline.work import OpenTarget, Tally
from tigertag.store import items
from tigertag.store.database import Database

_SERVER = "plex:"


def is_another(database: Database, server: Source | Target, opened: Collection[str]) -> Refused | None:
    """What to say of a server that is met for the first time while the known one is not set up any more.

    `opened` are the identities of all sources, or targets, of this run. What is known of a server is of no use
    on another: there the same keys are other photos.
    """
    if not server.identity.startswith(_SERVER):
        return None
    with database.reading() as session:
        if items.find_source(session, server.identity) is not None:
            return None
        known = items.live_sources(session, _SERVER)
    if not known or known.keys() & {*opened}:
        return None
    label, count = max(known.values(), key=lambda each: each[1])
    return Refused(
        f"{server.label} is another server than the one with the {count:,} photos that are known ({label}). "
        "Nothing was asked or written. If that is meant, `tigertag scan --yes` takes it up."
    )


def known_targets(app: App, database: Database, stack: ExitStack, tally: Tally) -> list[OpenTarget]:
    """The targets that answer, but for a server in the place of the known one: that is put aside."""
    opened = open_targets(app, database, stack, tally)
    identities = {each.target.identity for each in opened}
    known = []
    for each in opened:
        refusal = is_another(database, each.target, identities)
        if refusal is None:
            known.append(each)
        else:
            tally.put_aside(each.target.label, refusal)
    return known

"""What nobody knows of Plex until it is tried: whether an addition keeps the other tags, whether an edit that
says nothing of the lock sets it, and whether a multi-get shows locks. Learnt from the first edits on a server,
and remembered for its version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tigertag.model import JSON, Change, Memory
from tigertag.plexserver import PlexConnection
from tigertag.targets.plex_edits import lost, others_on
from tigertag.targets.plex_look import Seen

Adding = Literal["merges", "replaces"]

# Tags that must have vanished before a server is said to replace: one may be a user's own doing in that moment.
_PROOF = 2


class Habits:
    """Three facts of a server, None or False until known."""

    def __init__(self, plex: PlexConnection, memory: Memory) -> None:
        self._plex = plex
        self._memory = memory
        self._gone = 0
        self._facts: dict[str, JSON] | None = None

    @property
    def adding(self) -> Adding | None:
        known = self._known().get("adding")
        return "merges" if known == "merges" else "replaces" if known == "replaces" else None

    @property
    def locks_itself(self) -> bool | None:
        known = self._known().get("locks_itself")
        return known if isinstance(known, bool) else None

    @locks_itself.setter
    def locks_itself(self, does: bool) -> None:
        self._remember("locks_itself", does)

    @property
    def batches_show_locks(self) -> bool:
        """False where that is not known."""
        return self._known().get("batches_show_locks") is True

    @batches_show_locks.setter
    def batches_show_locks(self, do: bool) -> None:
        if do != self.batches_show_locks:
            self._remember("batches_show_locks", do)

    def learn(self, changes: Sequence[Change], after: Mapping[str, Seen]) -> None:
        """Draws conclusions from what changes did to the tags of others, where nothing is known yet."""
        if self.adding is None:
            kept, gone = told(changes, after)
            self._gone += gone
            if kept and not gone:
                self._remember("adding", "merges")
            elif self._gone >= _PROOF and not kept:
                self._remember("adding", "replaces")

    def _known(self) -> dict[str, JSON]:
        if self._facts is None:
            kept = self._memory.get(self._key)
            self._facts = dict(kept) if isinstance(kept, Mapping) else {}
        return self._facts

    def _remember(self, name: str, value: bool | str) -> None:
        self._known()[name] = value
        self._memory.set(self._key, dict(self._known()))

    @property
    def _key(self) -> str:
        return f"{self._plex.machine} {self._plex.version}"


def told(changes: Sequence[Change], after: Mapping[str, Seen]) -> tuple[int, int]:
    """How many tags of others additions left on photos, and how many they took away."""
    kept = gone = 0
    for change in changes:
        seen = after.get(change.item.key)
        if seen and change.add:
            missing = len(lost(change, seen.tags))
            gone += missing
            kept += len(others_on(change)) - missing
    return kept, gone

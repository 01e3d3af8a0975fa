"""What nobody knows of Plex until it is tried: whether an addition keeps the other tags, and whether an edit
that says nothing of the lock sets it. Learnt from the first edits on a server, and remembered for its version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tigertag.model import JSON, Change, Memory, fold
from tigertag.plexserver import PlexConnection
from tigertag.targets.plex_edits import full_list, lost, others_on
from tigertag.targets.plex_look import Seen

Adding = Literal["merges", "replaces"]

# Tags that must have vanished before a server is said to replace: one may be a user's own doing in that moment.
_PROOF = 2


class Habits:
    """Two facts of a server, each None until known."""

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

    def learn(
        self, changes: Sequence[Change], before: Mapping[str, Seen | None], after: Mapping[str, Seen]
    ) -> None:
        """Draws conclusions from what changes did, where nothing is known yet."""
        if self.adding is None:
            kept, gone = told(changes, after)
            self._gone += gone
            if kept and not gone:
                self._remember("adding", "merges")
            elif self._gone >= _PROOF and not kept:
                self._remember("adding", "replaces")
        if self.locks_itself is None and (locks := locks_by(changes, before, after)) is not None:
            self._remember("locks_itself", locks)

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


def locks_by(
    changes: Sequence[Change], before: Mapping[str, Seen | None], after: Mapping[str, Seen]
) -> bool | None:
    """Whether edits locked what was not locked; None where nothing tells.

    A photo counts where a user cannot have been at work on it, for Plex Web locks what it edits; and where it
    was read the same way both times, for a server may show locks only where a photo is asked for alone.
    """
    verdicts = set()
    for change in changes:
        old, new = before.get(change.item.key), after.get(change.item.key)
        if old and new and not old.locked and (old.alone or not new.alone) and _is_just(change, new.tags):
            verdicts.add(new.locked)
    return verdicts.pop() if len(verdicts) == 1 else None


def _is_just(change: Change, tags: Sequence[str]) -> bool:
    return {fold(name) for name in full_list(change, change.shown)} == {fold(name) for name in tags}

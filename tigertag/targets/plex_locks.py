"""The locks of tag fields: as they were, also on a server that locks what is edited without a word of the lock.

Whether a server does is tried on one photo, before many are edited: what was locked cannot be told afterwards,
for a server may show locks only where a photo is asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from tigertag.model import Change, fold
from tigertag.targets.plex_edits import Edit, full_list
from tigertag.targets.plex_habits import Habits
from tigertag.targets.plex_look import PlexView, Seen

# Photos that are looked at to find one that nobody has locked.
_LOOKS = 20


class LockKeeper:
    """The locks of the photos of one `Writing`. `put` sends an edit."""

    def __init__(self, view: PlexView, habits: Habits, put: Callable[[Edit], object]) -> None:
        self._view, self._habits, self._put = view, habits, put
        self._before: dict[str, Seen | None] = {}
        self._looks = _LOOKS
        self._tried: set[str] = set()
        self._suspects: dict[str, Edit] = {}
        """Edits after which a photo was locked that was not before."""

    def begin(self, keys: Sequence[str]) -> None:
        """Takes what the view saw of these photos the last time for how they were."""
        self._before = {key: self._view.before(key) for key in keys}
        if any(seen and seen.locked and not seen.alone for seen in self._before.values()):
            self._habits.batches_show_locks = True

    def to_send(self, keys: Sequence[str]) -> dict[str, bool]:
        """The locks to send along: none, unless Plex locks what is edited without them."""
        if not self._habits.locks_itself:
            return {}
        found = {key: self._surely(key) for key in keys}
        return {key: seen.locked for key, seen in found.items() if seen}

    def sent_along(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        """Edits that were planned without locks, each with the locks of its photos."""
        for edit in edits:
            locks = self.to_send(edit.keys) if edit.locked is None else {}
            for lock in dict.fromkeys(locks.get(key) for key in edit.keys):
                keys = tuple(key for key in edit.keys if locks.get(key) is lock)
                yield edit if edit.locked is not None else replace(edit, keys=keys, locked=lock)

    def was_locked(self, seen: Seen) -> bool:
        """Whether a photo, read alone just now, was locked before a trial edit may have locked it."""
        return seen.locked and seen.key not in self._tried

    def untried(self, keys: Sequence[str]) -> Seen | None:
        """A photo that nobody has locked, read alone, where it is not known yet whether edits lock."""
        if self._habits.locks_itself is not None:
            return None
        for key in keys:
            seen = self._before.get(key)
            if key in self._tried or (seen and seen.locked):
                continue
            if not self._looks:
                break
            self._looks -= 1
            alone = self._view.look([key]).get(key)
            if alone and not alone.locked:
                self._tried.add(key)
                return alone
        return None

    def learn(self, edit: Edit, change: Change) -> Seen | None:
        """After an edit of one photo, `change`, which was not locked: does it show a lock now?

        A user may have locked it in that very moment, so it takes two photos to believe that the edit did.
        Gives how the photo is seen now.
        """
        key = change.item.key
        after = self._view.look([key]).get(key)
        if self._habits.locks_itself is not None or not after or not _is_just(change, after.tags):
            return after
        if not after.locked:
            self._habits.locks_itself = False
            return after
        self._suspects[key] = edit
        if len(self._suspects) > 1:
            beside = self._view.look([*self._suspects])
            self._habits.batches_show_locks = all(seen.locked for seen in beside.values())
            self._habits.locks_itself = True
            self.settle()
        return after

    def settle(self) -> None:
        """Takes locks off that our edits set.

        Where there was no second photo to tell, the lock is taken off and the edit sent again: a lock that does
        not come back was a user's, and is put back.
        """
        for key, edit in self._suspects.items():
            bare = replace(edit, add=(), remove=(), locked=False)
            if self._habits.locks_itself is None:
                self._put(bare)
                self._put(edit)
                again = self._view.look([key]).get(key)
                if again is not None:
                    self._habits.locks_itself = again.locked
                    self._put(replace(bare, locked=not again.locked))
            elif self._habits.locks_itself:
                self._put(bare)
        self._suspects.clear()

    def _surely(self, key: str) -> Seen | None:
        seen = self._before.get(key)
        if seen and (seen.alone or seen.locked or self._habits.batches_show_locks):
            return seen
        return self._view.look([key]).get(key)


def _is_just(change: Change, tags: Sequence[str]) -> bool:
    """Whether nobody else was at work on a photo, for Plex Web locks what it edits."""
    return {fold(name) for name in full_list(change, change.shown)} == {fold(name) for name in tags}

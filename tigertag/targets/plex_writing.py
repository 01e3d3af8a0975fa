"""Carrying out changes in Plex so that no tag of anybody's is lost on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tigertag.errors import ItemError, ItemGone, Unreachable
from tigertag.http import Backoff
from tigertag.model import Change, Item, Written, fold
from tigertag.plexserver import Pace, PlexConnection, Refusal, Unwell
from tigertag.targets.plex_edits import Edit, fitted, full_list, left_to_do, lost, others_on, plan, type_of
from tigertag.targets.plex_habits import Habits
from tigertag.targets.plex_look import PlexView, Seen

# Photos that are looked at after the first edit to learn what the server does.
_SAMPLE = 5
# Edits of which one more is no more than a tenth.
_MANY_EDITS = 10
# Edits that may fail for good, one after the other, before the server counts as away.
_FAILURES = 2
# Further tries for what Plex says it stored and does not show.
_REPEATS = 2


class Writing:
    """One call of `PlexTarget.write`: changes that are all needed, each on another item."""

    def __init__(self, plex: PlexConnection, view: PlexView, habits: Habits, batch: int, pace: Pace) -> None:
        self._plex, self._view, self._habits, self._batch = plex, view, habits, batch
        self._backoff = Backoff(tries=_REPEATS, sleep=pace.sleep, uniform=pace.uniform)
        self._trouble: dict[str, ItemError] = {}
        self._restored: dict[str, list[str]] = defaultdict(list)
        self._before: dict[str, Seen | None] = {}
        self._items: dict[str, Item] = {}
        self._sent_again: set[str] = set()
        """Photos whose edit was sent once more, because Plex shows them and did not find them."""
        self._failed = 0

    def outcomes(self, changes: Sequence[Change]) -> Iterator[Written | ItemError]:
        """One for each change, once it was read back. Raises Unreachable."""
        self._items = {change.item.key: change.item for change in changes}
        self._before = {key: self._view.before(key) for key in self._items}
        waiting = list(changes)
        self._send(waiting)
        while True:
            now = self._view.look_at_batch([c.item.key for c in waiting if c.item.key not in self._trouble])
            self._habits.learn(waiting, self._before, now)
            self._put_locks_back(waiting, now)
            again = []
            for change in waiting:
                outcome = self._outcome(change, now.get(change.item.key))
                if outcome is None:
                    again.append(change)
                else:
                    yield outcome
            if not again:
                return
            if not self._backoff.wait():
                break
            waiting = [self._rest(change, now[change.item.key]) for change in again]
            self._send(waiting)
        yield from (_not_kept(change, now[change.item.key]) for change in again)

    def _outcome(self, change: Change, seen: Seen | None) -> Written | ItemError | None:
        """None where something is still to be done."""
        key = change.item.key
        if key in self._trouble:
            return self._trouble[key]
        if seen is None:
            return _gone(change.item)
        rest = left_to_do(change, seen.tags)
        if rest.add or rest.remove:
            return None
        return Written(change.item, seen.tags, tuple(self._restored[key]))

    def _rest(self, change: Change, seen: Seen) -> Change:
        self._restored[change.item.key] += lost(change, seen.tags)
        return left_to_do(change, seen.tags)

    # Sending.

    def _send(self, changes: Sequence[Change]) -> None:
        if self._habits.adding == "replaces":
            alone = [change for change in changes if change.add]
            together = [change for change in changes if not change.add]
        else:
            alone, together = [], list(changes)
        touched = self._send_batches(together)
        if touched is not None:
            alone = together
        for change in alone:
            self._send_alone(change, touched is not None and change.item.key in touched)

    def _send_batches(self, changes: Sequence[Change]) -> set[str] | None:
        """All of them, unless it shows on the way that Plex replaces the tags of a photo by what is added. Then
        it stops, and gives the keys of the photos that were edited.
        """
        edits = plan(changes, self._batch, self._locks())
        shown = {change.item.key: change.shown for change in changes}
        unknown = self._habits.adding is None
        if unknown:
            edits = self._least_risk_first(edits, shown)
        touched: set[str] = set()
        for edit in edits:
            self._put(edit)
            touched.update(edit.keys)
            if unknown and edit is not edits[-1]:
                self._learn(edit, shown)
                if self._habits.adding == "replaces":
                    return touched
                unknown = self._habits.adding is None
            for key in edit.keys:
                shown[key] = full_list(self._part(edit, key, shown), shown[key])
        return None

    def _learn(self, edit: Edit, shown: dict[str, tuple[str, ...]]) -> None:
        """Looks at a few photos after an edit: did their other tags survive?"""
        parts = [self._part(edit, key, shown) for key in edit.keys if key not in self._trouble]
        telling = [part for part in parts if part.add and others_on(part)][:_SAMPLE]
        if telling:
            now = self._view.look([part.item.key for part in telling])
            self._habits.learn(telling, self._before, now)

    def _part(self, edit: Edit, key: str, shown: dict[str, tuple[str, ...]]) -> Change:
        """What an edit does to one photo."""
        return Change(self._items[key], edit.add, edit.remove, shown[key])

    def _least_risk_first(self, edits: list[Edit], shown: dict[str, tuple[str, ...]]) -> list[Edit]:
        """The edit first that touches the fewest photos whose other tags would be gone if Plex replaces. Among
        many edits one more does not count: then a single photo tells.
        """

        def at_stake(edit: Edit) -> list[str]:
            others = {key: len(others_on(self._part(edit, key, shown))) for key in edit.keys if edit.add}
            # A single tag that goes may be a user's own doing, so two tell more than one.
            return sorted(
                (key for key in others if others[key]), key=lambda key: (others[key] < 2, others[key])
            )

        edits = sorted(edits, key=lambda edit: (not edit.add, len(at_stake(edit))))
        first, telling = edits[0], at_stake(edits[0])
        if len(edits) < _MANY_EDITS or len(telling) < 2:
            return edits
        others = tuple(key for key in first.keys if key != telling[0])
        return [replace(first, keys=(telling[0],)), replace(first, keys=others), *edits[1:]]

    def _send_alone(self, change: Change, damaged: bool) -> None:
        """Sends one photo's whole list of tags, read just before, for a server that replaces. What was lost of
        a `damaged` photo comes back.
        """
        key = change.item.key
        seen = self._view.look([key]).get(key)
        if seen is None:
            self._trouble[key] = _gone(change.item)
            return
        back = lost(change, seen.tags) if damaged else ()
        self._restored[key] += back
        names = full_list(change, (*seen.tags, *back))
        if {fold(name) for name in names} != {fold(name) for name in seen.tags}:
            lock = seen.locked if self._habits.locks_itself else None
            section, type_ = change.item.facts["section"], type_of(change.item)
            self._put(Edit(section, (key,), names, locked=lock, type=type_), whole=True)

    def _put(self, edit: Edit, whole: bool = False) -> None:
        """Sends an edit; a `whole` list of tags is never sent in parts. What cannot be done is noted."""
        try:
            self._plex.put(edit.path(), lambda: self._took_effect(edit))
            self._failed = 0
        except Refusal as error:
            self._refused(edit, error, whole)
        except Unwell as error:
            self._failed += 1
            if self._failed >= _FAILURES:
                raise
            self._note(edit.keys, str(error), again=True)

    def _took_effect(self, edit: Edit) -> bool:
        seen = self._view.look(edit.keys).values()
        return all(_has(one, edit) for one in seen)

    def _refused(self, edit: Edit, error: Refusal, whole: bool) -> None:
        if error.status == 404:
            self._not_found(edit, whole)
        elif error.status in (400, 413, 414):
            halves = edit.halves() if not whole else ()
            for half in halves:
                self._put(half)
            if not halves:
                names = ", ".join((*edit.add, *edit.remove))
                # The tags may be what Plex does not take; that a request is too large somebody else says.
                again = error.status != 400
                self._note(edit.keys, f"Plex refuses the edit ({error}) of {names[:80]!a}", again=again)
        elif error.status == 403:
            raise Unreachable(
                "Plex lets this token read but not edit (403). Use the token of the server's owner."
            ) from error
        else:
            raise Unreachable(f"Plex does not take edits ({error}). Look into its log.") from error

    def _not_found(self, edit: Edit, whole: bool) -> None:
        """A stale key spoils an edit for all: the others are sent again without it."""
        there = self._view.look(edit.keys)
        for key in edit.keys:
            if key not in there:
                self._trouble[key] = _gone(self._items[key])
        left = tuple(key for key in edit.keys if key in there)
        if 0 < len(left) < len(edit.keys):
            self._put(replace(edit, keys=left), whole)
        elif len(left) > 1:
            for key in left:
                self._put(replace(edit, keys=(key,)), whole)
        elif left and self._sent_again.isdisjoint(left):
            self._sent_again.update(left)
            self._put(edit, whole)
        elif left:
            self._note(left, "Plex shows the photo and does not find it to edit (404)", again=True)

    def _note(self, keys: Sequence[str], why: str, *, again: bool) -> None:
        for key in keys:
            self._trouble[key] = ItemError(f"{self._items[key].path}: {why}", self._items[key], again=again)

    # Locks.

    def _locks(self) -> dict[str, bool]:
        """The locks to send along: none, unless Plex locks what is edited without them."""
        if not self._habits.locks_itself:
            return {}
        return {key: seen.locked for key, seen in self._before.items() if seen}

    def _put_locks_back(self, changes: Sequence[Change], now: dict[str, Seen]) -> None:
        """Where Plex locked by itself before that was known."""
        if not self._habits.locks_itself:
            return
        wrong: dict[tuple[str, str], list[str]] = defaultdict(list)
        for change in changes:
            key = change.item.key
            before, after = self._before.get(key), now.get(key)
            if before and after and after.locked and not before.locked:
                wrong[change.item.facts["section"], type_of(change.item)].append(key)
        for (section, type_), keys in wrong.items():
            for edit in fitted(Edit(section, tuple(keys), locked=False, type=type_), self._batch):
                self._put(edit)


def _has(seen: Seen, edit: Edit) -> bool:
    tags = {fold(name) for name in seen.tags}
    added = all(fold(name) in tags for name in edit.add)
    removed = not any(fold(name) in tags for name in edit.remove)
    return added and removed and edit.locked in (None, seen.locked)


def _gone(item: Item) -> ItemGone:
    return ItemGone(f"{item.path}: Plex has this photo no more; nothing was written", item)


def _not_kept(change: Change, seen: Seen) -> ItemError:
    missing = ", ".join(ascii(name) for name in (*change.add, *change.remove)[:5])
    return ItemError(
        f"{change.item.path}: Plex said it stored the tags and does not show it ({missing}). "
        "The next run tries again.",
        change.item,
    )

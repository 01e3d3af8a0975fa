"""Carrying out changes in Plex so that no tag of anybody's is lost on the way."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tigertag.errors import ItemError, ItemGone, Unreachable
from tigertag.http import Backoff
from tigertag.model import Change, Item, Written, fold
from tigertag.plexserver import Pace, PlexConnection, Refusal, Unwell
from tigertag.targets.plex_edits import Edit, full_list, left_to_do, lost, others_on, plan, type_of
from tigertag.targets.plex_habits import Habits
from tigertag.targets.plex_locks import LockKeeper
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
        self._locks = LockKeeper(view, habits, self._put)
        self._items: dict[str, Item] = {}
        self._ours: dict[str, set[str]] = {}
        self._sent_again: set[str] = set()
        """Photos whose edit was sent once more, because Plex shows them and did not find them."""
        self._failed = 0

    def outcomes(self, changes: Sequence[Change]) -> Iterator[Written | ItemError]:
        """One for each change, once it was read back. Raises Unreachable."""
        self._items = {change.item.key: change.item for change in changes}
        self._ours = {change.item.key: {fold(name) for name in change.add} for change in changes}
        self._locks.begin([*self._items])
        waiting = list(changes)
        self._send(waiting)
        while True:
            now = self._view.look_at_batch([c.item.key for c in waiting if not self._is_gone(c.item.key)])
            self._habits.learn(waiting, now)
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
            return _with_what_shows(self._trouble[key], seen)
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
        self._locks.settle()

    def _send_batches(self, changes: Sequence[Change]) -> set[str] | None:
        """All of them, unless it shows on the way that Plex replaces the tags of a photo by what is added. Then
        it stops, and gives the keys of the photos that were edited.
        """
        edits = plan(changes, self._batch, self._locks.to_send([change.item.key for change in changes]))
        shown = {change.item.key: change.shown for change in changes}
        unknown = self._habits.adding is None
        if unknown:
            edits = self._least_risk_first(edits, shown)
        touched: set[str] = set()
        waiting = deque(edits)
        while waiting:
            edit, seen = self._next(waiting)
            self._put(edit)
            touched.update(edit.keys)
            after = None
            if seen:
                part = replace(self._part(edit, edit.keys[0], shown), shown=seen.tags)
                after = self._locks.learn(edit, part)
                if self._habits.locks_itself:
                    waiting = deque(self._locks.sent_along(waiting))
            if unknown and waiting:
                self._learn(edit, shown, after)
                if self._habits.adding == "replaces":
                    return touched
                unknown = self._habits.adding is None
            for key in edit.keys:
                shown[key] = full_list(self._part(edit, key, shown), shown[key])
        return None

    def _next(self, waiting: deque[Edit]) -> tuple[Edit, Seen | None]:
        """The next edit; of one photo, as it was seen just now, where that is to tell whether edits lock."""
        edit = waiting.popleft()
        if edit.locked is not None:
            return edit, None
        seen = self._locks.untried(edit.keys)
        if seen and len(edit.keys) > 1:
            waiting.appendleft(replace(edit, keys=tuple(key for key in edit.keys if key != seen.key)))
            edit = replace(edit, keys=(seen.key,))
        return edit, seen

    def _learn(self, edit: Edit, shown: dict[str, tuple[str, ...]], seen: Seen | None) -> None:
        """Looks at a few photos after an edit, or at the one that was `seen`: did their other tags survive?"""
        parts = [self._part(edit, key, shown) for key in edit.keys if key not in self._trouble]
        telling = [part for part in parts if part.add and others_on(part)][:_SAMPLE]
        if telling:
            now = {seen.key: seen} if seen else self._view.look([part.item.key for part in telling])
            self._habits.learn(telling, now)

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
            was_locked = self._locks.was_locked(seen)
            lock = was_locked if self._habits.locks_itself else None
            section, type_ = change.item.facts["section"], type_of(change.item)
            edit = Edit(section, (key,), names, locked=lock, type=type_)
            self._put(edit, whole=True)
            if key in self._trouble and self._restored[key]:  # what others had goes back without ours
                theirs = [name for name in seen.tags if fold(name) not in self._ours[key]]
                self._put(replace(edit, add=(*self._restored[key], *theirs)), whole=True)
            elif not was_locked:
                off = tuple(name for name in seen.tags if fold(name) not in {fold(each) for each in names})
                whole = Change(change.item, names, off, seen.tags)
                self._locks.learn(edit, whole)

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
                advice = "The next run tries again" if again else "Rename or deny it in vocabulary.yaml"
                why = f"Plex refuses the edit of {names[:80]!a}: {error}. {advice}."
                self._note(edit.keys, why, again=again)
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
            why = "Plex shows the photo and does not find it to edit (404). The next run tries again."
            self._note(left, why, again=True)

    def _is_gone(self, key: str) -> bool:
        return isinstance(self._trouble.get(key), ItemGone)

    def _note(self, keys: Sequence[str], why: str, *, again: bool) -> None:
        for key in keys:
            self._trouble[key] = ItemError(f"{self._items[key].path}: {why}", self._items[key], again=again)


def _has(seen: Seen, edit: Edit) -> bool:
    tags = {fold(name) for name in seen.tags}
    added = all(fold(name) in tags for name in edit.add)
    removed = not any(fold(name) in tags for name in edit.remove)
    return added and removed and edit.locked in (None, seen.locked)


def _gone(item: Item) -> ItemGone:
    return ItemGone(f"{item.path}: Plex has this photo no more; nothing was written", item)


def _with_what_shows(error: ItemError, seen: Seen | None) -> ItemError:
    """Where it failed for good other edits of the photo may have been done."""
    if error.again or seen is None:
        return error
    return ItemError(str(error), error.item, again=False, shown=seen.tags)


def _not_kept(change: Change, seen: Seen) -> ItemError:
    missing = ", ".join(ascii(name) for name in (*change.add, *change.remove)[:5])
    return ItemError(
        f"{change.item.path}: Plex said it stored the tags and does not show it ({missing}). "
        "The next run tries again.",
        change.item,
    )

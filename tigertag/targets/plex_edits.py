"""Which edits bring Plex from what it shows to what is wanted, in as few requests as it takes. No I/O."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote, urlencode

from tigertag.model import LONGEST_NAME, Change, Item, fold

LONGEST_URL = 3900
"""Characters of path and query: proxies refuse about 8 KB, Plex itself about 31 KB, once decoded or not."""
_ROOM_FOR_KEYS = 400

PHOTOS = "13"
"""Plex's number for photos, which an edit names; clips have 12, and an edit of both is refused."""

Locks: TypeAlias = Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Edit:
    """One PUT: the same additions and removals on each of some photos, or some clips, of a section.

    `locked` is sent along; None leaves it out, and with it the lock as it is. `type` is what the keys are.
    """

    section: str
    keys: tuple[str, ...]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    locked: bool | None = None
    type: str = PHOTOS

    def path(self) -> str:
        """Path and query. Plex splits the removal list at commas and decodes each name once more, so names in
        it are encoded twice (python-plexapi issue 1101). Without `id` it would edit the whole section.
        """
        if not self.keys:
            raise ValueError("an edit without keys would change every photo of the section")
        parameters = [("id", ",".join(self.keys)), ("type", self.type)]
        parameters += [(f"tag[{place}].tag.tag", name) for place, name in enumerate(self.add)]
        if self.remove:
            parameters.append(("tag[].tag.tag-", ",".join(quote(name, safe="") for name in self.remove)))
        if self.locked is not None:
            parameters.append(("tag.locked", str(int(self.locked))))
        return f"/library/sections/{self.section}/all?{urlencode(parameters, quote_via=quote, safe='')}"

    def halves(self) -> tuple[Edit, ...]:
        """The same in two requests, additions first; none where there is nothing to halve."""
        if len(self.keys) > 1:
            middle = len(self.keys) // 2
            return (replace(self, keys=self.keys[:middle]), replace(self, keys=self.keys[middle:]))
        return self.fewer_names()

    def fewer_names(self) -> tuple[Edit, ...]:
        """The same with half of the names at a time."""
        if self.add and self.remove:
            return (replace(self, remove=()), replace(self, add=()))
        names = self.add or self.remove
        if len(names) < 2:
            return ()
        halves = (names[: len(names) // 2], names[len(names) // 2 :])
        if self.add:
            return tuple(replace(self, add=half) for half in halves)
        return tuple(replace(self, remove=half) for half in halves)


def type_of(item: Item) -> str:
    """What Plex counts an item as; only of clips the source says it."""
    return item.facts.get("type", PHOTOS)


def why_refused(name: str) -> str:
    """Why Plex cannot be asked to keep a tag of this name; empty where it can."""
    if not name.strip():
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has more than {LONGEST_NAME} characters"
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        return "it holds a line break or another control character"
    return ""


def needed(change: Change) -> Change:
    """What of a change changes anything, given what is shown. A name both added and removed stays."""
    here = {fold(name) for name in change.shown}
    add = {fold(name): name.strip() for name in reversed(change.add)}
    remove = {fold(name): name for name in reversed(change.remove)}
    return replace(
        change,
        add=tuple(add[name] for name in sorted(add.keys() - here)),
        remove=tuple(remove[name] for name in sorted((remove.keys() & here) - add.keys())),
    )


def lost(change: Change, tags: Collection[str]) -> tuple[str, ...]:
    """Tags of others that were shown before a change and are not among `tags` after it."""
    there = {fold(name) for name in (*tags, *change.remove)}
    return tuple(name for name in change.shown if fold(name) not in there)


def others_on(change: Change) -> tuple[str, ...]:
    """Tags that were shown and that the change does not mean."""
    meant = {fold(name) for name in (*change.add, *change.remove)}
    return tuple(name for name in change.shown if fold(name) not in meant)


def left_to_do(change: Change, tags: Sequence[str]) -> Change:
    """What is still to be done where Plex shows `tags` after a change: also to put back what was lost."""
    add = (*change.add, *lost(change, tags))
    return needed(Change(change.item, add=add, remove=change.remove, shown=tuple(tags)))


def full_list(change: Change, tags: Iterable[str]) -> tuple[str, ...]:
    """All tags that a photo with `tags` has after the change, in their spelling."""
    gone = {fold(name) for name in change.remove}
    names = {fold(name): name for name in (*change.add, *tags)}
    return tuple(spelled for name, spelled in names.items() if name not in gone)


def plan(changes: Sequence[Change], batch: int, locks: Locks) -> list[Edit]:
    """Edits that carry out changes which are all needed: by change set or by tag, whichever takes fewer.

    At most `batch` photos in each. For every photo additions come before or with removals. `locks` holds the
    lock to send along, by key; a key that is not in it is edited without.
    """
    groups: dict[Edit, list[Change]] = defaultdict(list)
    for change in changes:
        locked = locks.get(change.item.key)
        bare = Edit(change.item.facts["section"], (), locked=locked, type=type_of(change.item))
        groups[bare].append(change)
    edits: list[Edit] = []
    for bare, group in groups.items():
        by_set = [edit for whole in _by_set(bare, group) for edit in fitted(whole, batch)]
        by_tag = [edit for whole in _by_tag(bare, group) for edit in fitted(whole, batch)]
        edits += by_set if len(by_set) <= len(by_tag) else by_tag
    return edits


def _by_set(bare: Edit, changes: Sequence[Change]) -> Iterator[Edit]:
    """One edit for each different change; `bare` says of what section, with what lock."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Change]] = defaultdict(list)
    for change in changes:
        alike[tuple(map(fold, change.add)), tuple(map(fold, change.remove))].append(change)
    for group in alike.values():
        keys = tuple(change.item.key for change in group)
        yield replace(bare, keys=keys, add=group[0].add, remove=group[0].remove)


def _by_tag(bare: Edit, changes: Sequence[Change]) -> Iterator[Edit]:
    """One edit for each addition, then for each removal; tags that concern the same photos share one."""
    for removing in (False, True):
        spelled: dict[str, str] = {}
        keys: dict[str, list[str]] = defaultdict(list)
        for change in changes:
            for name in change.remove if removing else change.add:
                spelled.setdefault(fold(name), name)
                keys[fold(name)].append(change.item.key)
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, members in keys.items():
            alike[tuple(members)].append(spelled[name])
        for members_of, names in alike.items():
            some = tuple(names)
            whole = replace(bare, keys=members_of)
            yield replace(whole, remove=some) if removing else replace(whole, add=some)


def fitted(edit: Edit, batch: int) -> Iterator[Edit]:
    """The edit in pieces of at most `batch` photos whose URL is not too long."""
    one = min(_ROOM_FOR_KEYS, sum(len(key) + 3 for key in edit.keys))
    room = LONGEST_URL - len(replace(edit, keys=("",)).path())
    if room < one and (pieces := edit.fewer_names()):
        for piece in pieces:
            yield from fitted(piece, batch)
        return
    keys: list[str] = []
    length = 0
    for key in edit.keys:
        if keys and (len(keys) == batch or length + len(key) + 3 > room):
            yield replace(edit, keys=tuple(keys))
            keys, length = [], 0
        keys.append(key)
        length += len(key) + 3  # the comma is sent as %2C
    yield replace(edit, keys=tuple(keys))

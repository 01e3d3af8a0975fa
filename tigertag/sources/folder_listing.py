"""From the files of a folder to the items of an album, or to the word that nothing has changed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from tigertag import __version__
from tigertag.media.names import KINDS, key_of, printable
from tigertag.media.on_disk import moment_of
from tigertag.media.sidecars import ENDINGS, facts_of, look
from tigertag.model import JSON, Album, Item, fingerprint
from tigertag.model.stamp import stamped
from tigertag.sources.folder_walk import Found, Opened, Walk


@dataclass(slots=True)
class Listing:
    """A listing under way."""

    source: str
    section: str
    local: frozenset[int]
    walk: Walk
    sizes: dict[str, int] = field(default_factory=dict)
    """Of the photos that were named, by key."""

    def album(self, folder: Opened, before: Mapping[str, JSON]) -> Album:
        name = printable(folder.path)
        look = folder.look(has_inodes=folder.device in self.local) if name == folder.path else None
        memo = _Memo.from_json(before.get(name))
        rules = _rules(self.section, self.walk.include, self.walk.exclude, self.walk.videos)
        if look is not None and memo is not None and (memo.look, memo.rules) == (look, rules):
            self.walk.skipped.update(memo.skipped)
            return Album(name, before[name], memo.size, None)
        skipped = Counter(self.walk.skipped)
        pictures = list(self.walk.pictures_in(folder))
        new = _Memo(look or "", rules, len(pictures), dict(self.walk.skipped - skipped))
        return Album(name, new.to_json() if look else None, len(pictures), map(self.item, pictures))

    def item(self, found: Found) -> Item:
        path, key = printable(found.path), key_of(found.path)
        album, _, name = path.rpartition("/")
        size = self.sizes[key] = found.status.st_size
        stamp, moment, facts = self._stamp(found), moment_of(found.status.st_mtime), facts_of(found.sidecar)
        return Item(self.source, key, path, stamp, self.section, album, _title(name), size, moment, facts)

    def _stamp(self, found: Found) -> str:
        """What the photo looks like, and its sidecar."""
        photo = self._look(found.path, found.status)
        if found.beside is None:
            return photo
        folder = found.path.rpartition("/")[0]
        return stamped(photo, self._look(f"{folder}/{found.sidecar}", found.beside))

    def _look(self, path: str, status: os.stat_result) -> str:
        return look(f"{self.walk.root}/{path}", status, has_inode=status.st_dev in self.local)


@dataclass(frozen=True, slots=True)
class _Memo:
    """What a folder was like, and what came of it."""

    look: str
    rules: str
    """By which photos were told from other files."""
    size: int
    skipped: Mapping[str, int]

    @classmethod
    def from_json(cls, value: JSON) -> Self | None:
        """None for anything but what `to_json` gave."""
        if not isinstance(value, dict) or not isinstance(value.get("skipped"), dict):
            return None
        skipped = {str(kind): number for kind, number in value["skipped"].items() if isinstance(number, int)}
        size = value.get("size")
        if not isinstance(size, int):
            return None
        return cls(str(value.get("look", "")), str(value.get("rules", "")), size, skipped)

    def to_json(self) -> JSON:
        return {"look": self.look, "rules": self.rules, "size": self.size, "skipped": dict(self.skipped)}


@lru_cache(maxsize=8)
def _rules(section: str, include: tuple[str, ...], exclude: tuple[str, ...], videos: bool) -> str:
    return fingerprint([__version__, KINDS, ENDINGS, section, include, exclude, videos])


def _title(name: str) -> str:
    """Without its ending."""
    before, _, ending = name.rpartition(".")
    return before if before and ending else name

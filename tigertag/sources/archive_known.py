"""Which archive a file is, though it was renamed, and what it held the last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tigertag.media.library import Library
from tigertag.media.names import key_of, path_of
from tigertag.model import JSON, Memory


class Known:
    """Archives by key: the path at which each was first seen, as `key_of` writes it.

    An archive at a path that nobody knows is a known one that was renamed, where that is gone from its place
    and at least half of its files are in this one, with their sizes. A copy beside the known one is another.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        found = ((key, Library.from_json(value)) for key, value in memory.items())
        self._libraries = {key: library for key, library in found if library is not None}
        self._here: dict[str, Path] = {}

    def place(self, key: str) -> Path:
        """Where the archive is, or was when it was listed last; its first place where it never was."""
        if key in self._here:
            return self._here[key]
        known = self._libraries.get(key)
        return Path(path_of(known.device if known else key))

    def key(self, path: Path, sizes: Callable[[], Mapping[str, int]]) -> str:
        """The key of the archive at `path`; `sizes` lists its files, which is asked for where one went."""
        for key, place in self._here.items():
            if place == path:
                return key
        key = self._found(path, sizes)
        self._here[key] = path
        return key

    def _found(self, path: Path, sizes: Callable[[], Mapping[str, int]]) -> str:
        here = key_of(str(path))
        for key, library in self._libraries.items():
            if library.device == here:
                return key
        away = {key: each for key, each in self._libraries.items() if not self.place(key).exists()}
        if away:
            size_of = sizes().get
            for key, library in away.items():
                if library.is_here(size_of):
                    return key
        return here if here not in self._libraries else f"{here}#{len(self._libraries)}"

    def remember(self, key: str, path: Path, sizes: Mapping[str, int]) -> None:
        """After a whole listing."""
        library = Library.of(key_of(str(path)), sizes.items())
        if library.sample and library != self._libraries.get(key):
            self._libraries[key] = library
            self._memory.set(key, library.to_json())


@dataclass(frozen=True, slots=True)
class Memo:
    """An album of an archive, as it was listed."""

    archive: str
    """Its key."""
    stamp: str
    rules: str
    """By which photos were told from other files."""
    album: str
    size: int
    """Photos in the album."""
    skipped: Mapping[str, int]
    """In the whole archive."""

    @classmethod
    def from_json(cls, value: JSON) -> Self | None:
        """None for anything but what `to_json` gave."""
        match value:
            case {
                "archive": str(archive),
                "stamp": str(stamp),
                "rules": str(rules),
                "album": str(album),
                "size": int(size),
                "skipped": dict(skipped),
            }:
                counts = {str(kind): number for kind, number in skipped.items() if isinstance(number, int)}
                return cls(archive, stamp, rules, album, size, counts)
        return None

    def to_json(self) -> JSON:
        return asdict(self)

"""Some files of a place, enough to know it again under another number or name."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from zlib import crc32

from tigertag.model import JSON

_SAMPLED = 32


@dataclass(frozen=True, slots=True)
class Library:
    """What is remembered of a root: where it was seen, and some of its files with their sizes."""

    device: str
    """A folder's device; an archive's path."""
    sample: dict[str, int]

    @classmethod
    def of(cls, device: str, sizes: Iterable[tuple[str, int]]) -> Self:
        """The sample is the same for the same files, and hardly moves when some come or go."""
        chosen = heapq.nsmallest(_SAMPLED, sizes, key=lambda one: (crc32(one[0].encode()), one[0]))
        return cls(device, dict(sorted(chosen)))

    @classmethod
    def from_json(cls, value: JSON) -> Self | None:
        """None for anything but what `to_json` gave."""
        if not isinstance(value, dict) or not isinstance(value.get("sample"), dict):
            return None
        sample = {str(key): size for key, size in value["sample"].items() if isinstance(size, int)}
        return cls(str(value.get("device", "")), sample)

    def to_json(self) -> JSON:
        return {"device": self.device, "sample": self.sample}

    def is_here(self, size_of: Callable[[str], int | None]) -> bool:
        """Whether at least half of the sample is there, wherever that is now."""
        if not self.sample:
            return False
        there = sum(size_of(key) == size for key, size in self.sample.items())
        return 2 * there >= len(self.sample)

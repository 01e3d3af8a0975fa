"""The sidecars in an archive: by the same rule as in a folder, in which archive and folder they lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tigertag.media.sidecars import Neighbours

Way: TypeAlias = tuple[tuple[str, int], ...]
"""Name and number of each member on the way from the outermost archive to a photo."""


@dataclass(slots=True)
class Places:
    """The pictures and sidecars of an archive, and of those within it, by where they lie."""

    _members: dict[tuple[Way, str], dict[str, tuple[Way, str]]] = field(default_factory=dict)
    """Archive and folder → name → way and stamp."""
    _neighbours: dict[tuple[Way, str], Neighbours] = field(default_factory=dict)

    def add(self, way: Way, stamp: str) -> None:
        """Of several members of one name the first counts."""
        place, name = _place(way)
        self._members.setdefault(place, {}).setdefault(name, (way, stamp))

    def sidecar_of(self, photo: Way) -> tuple[Way, str] | None:
        """Way and stamp of its sidecar, once all members were added."""
        place, name = _place(photo)
        there = self._members.get(place, {})
        if there.get(name, ((), ""))[0] != photo:
            return None
        if place not in self._neighbours:
            self._neighbours[place] = Neighbours.of(there)
        sidecar = self._neighbours[place].sidecar_of(name)
        return None if sidecar is None else there[sidecar]


def _place(way: Way) -> tuple[tuple[Way, str], str]:
    folder, _, name = way[-1][0].replace("\\", "/").rpartition("/")  # some tools write the names of Windows
    return (way[:-1], folder), name

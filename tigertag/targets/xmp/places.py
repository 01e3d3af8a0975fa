"""Where an item's photo lies on this machine, and which sidecar is its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from tigertag.errors import PhotoError
from tigertag.media import sidecars
from tigertag.media.names import path_of
from tigertag.media.server_paths import Mapped, local_path, pair_for
from tigertag.model import Item

Naming: TypeAlias = Literal["full", "stem"]
_LONGEST_NAME = 255
"""Bytes of a file's name."""


@dataclass(frozen=True, slots=True)
class Places:
    """Finds the files of items: those of folders, and those of Plex that a path map leads to."""

    path_map: Sequence[Mapped] = ()

    def accepts(self, item: Item) -> bool:
        """Asks nothing of the disk."""
        kind = item.source.partition(":")[0]
        if kind == "plex":
            return pair_for(item.facts.get("file", ""), self.path_map) is not None
        return kind == "folder"

    def photo(self, item: Item) -> Path | None:
        """The photo's file, whether it is there or not; None where it lies on no disk of this machine."""
        if item.source.startswith("plex:"):
            return local_path(item.facts.get("file", ""), self.path_map)
        root = Path(path_of(item.source.split(":", 2)[2]))
        below = path_of(item.key)
        if Path(below).is_absolute() or ".." in Path(below).parts:
            return None
        # The root of a single photo is its file, whose name is the key as well.
        return root if root.name == below and root.is_file() else root / below

    def top(self, item: Item) -> Path | None:
        """The folder that its library lies in: missing, it says nothing about the item."""
        if item.source.startswith("plex:"):
            pair = pair_for(item.facts.get("file", ""), self.path_map)
            return None if pair is None else Path(pair.here)
        root = Path(path_of(item.source.split(":", 2)[2]))
        return root.parent if root.name == path_of(item.key) else root


def is_as_listed(item: Item, status: os.stat_result) -> bool:
    """Whether the file is the one that was looked at, as far as size and time tell."""
    if item.source.startswith("folder:"):
        return item.stamp.startswith(f"{status.st_size}:{status.st_mtime_ns}")
    return item.size in (None, status.st_size)


def sidecar_of(photo: Path, naming: Naming) -> Path:
    """The sidecar that is `photo`'s own (`media.sidecars`), or the one to be made, called by `naming`.

    `stem` gives way to `full` where `photo.xmp` would be another photo's, and `full` to `stem` where the name
    would be longer than file systems take. Raises PhotoError where neither will do, OSError.
    """

    def is_there(name: str) -> bool:
        return os.path.lexists(photo.with_name(name))

    name = sidecars.sidecar_of(photo.name, is_there, lambda: sidecars.alike_in_folder(photo))
    if name is not None:
        return photo.with_name(name)
    full = photo.with_name(f"{photo.name}.xmp")
    fits = len(os.fsencode(full.name)) <= _LONGEST_NAME
    if fits and naming == "full":
        return full
    if sidecars.owns_the_stem(photo.name, sidecars.alike_in_folder(photo)):
        return photo.with_suffix(".xmp")
    if not fits:
        raise PhotoError("no sidecar can be made, since its name would be too long; shorten the photo's name")
    return full


def is_empty(folder: Path) -> bool:
    """Whether nothing at all lies there, as in a place where a disk is mounted. Raises OSError."""
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def leads_out(path: Path, top: Path) -> bool:
    """Whether a path, with all links resolved, lies outside the folder `top`."""
    real, whole = os.path.realpath(path), os.path.realpath(top)
    return real != whole and not real.startswith(whole.rstrip(os.sep) + os.sep)


def open_catalogue(folder: Path) -> Path | None:
    """The Lightroom catalogue that is open in this folder or in one that holds it: its lock lies beside it."""
    for above in (folder, *folder.parents):
        try:
            with os.scandir(above) as entries:
                found = next((each.name for each in entries if each.name.endswith(".lrcat.lock")), None)
        except OSError:  # folders above may be closed to us: no catalogue of this user's lies there
            continue
        if found is not None:
            return above / found.removesuffix(".lock")
    return None

"""Where an item's photo lies on this machine, and which sidecar is its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from tigertag.media import sidecars
from tigertag.media.names import path_of
from tigertag.media.server_paths import Mapped, local_path
from tigertag.model import Item

Naming: TypeAlias = Literal["full", "stem"]


@dataclass(frozen=True, slots=True)
class Places:
    """Finds the files of items: those of folders, and those of Plex that a path map leads to."""

    path_map: Sequence[Mapped] = ()

    def accepts(self, item: Item) -> bool:
        """Asks nothing of the disk."""
        kind = item.source.partition(":")[0]
        if kind == "plex":
            file = item.facts.get("file", "")
            return any(_is_below(file, pair.server) for pair in self.path_map)
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
            file = item.facts.get("file", "")
            return next((Path(each.here) for each in self.path_map if _is_below(file, each.server)), None)
        root = Path(path_of(item.source.split(":", 2)[2]))
        return root.parent if root.name == path_of(item.key) else root


def _is_below(file: str, folder: str) -> bool:
    """As `local_path` reads it: Windows' paths in any case and with either slash."""
    file, folder = (path.replace("\\", "/").casefold() for path in (file, folder))
    return file.startswith(folder.rstrip("/") + "/")


def is_as_listed(item: Item, status: os.stat_result) -> bool:
    """Whether the file is the one that was looked at, as far as size and time tell."""
    if item.source.startswith("folder:"):
        return item.stamp.startswith(f"{status.st_size}:{status.st_mtime_ns}")
    return item.size in (None, status.st_size)


def sidecar_of(photo: Path, naming: Naming) -> Path:
    """The sidecar that is `photo`'s own (`media.sidecars`), or the one to be made, called by `naming`.

    `stem` gives way to `full` where `photo.xmp` would be another photo's.
    """

    def is_there(name: str) -> bool:
        return os.path.lexists(photo.with_name(name))

    name = sidecars.sidecar_of(photo.name, is_there, lambda: sidecars.alike_in_folder(photo))
    if name is not None:
        return photo.with_name(name)
    if naming == "stem" and sidecars.owns_the_stem(photo.name, sidecars.alike_in_folder(photo)):
        return photo.with_suffix(".xmp")
    return photo.with_name(f"{photo.name}.xmp")


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

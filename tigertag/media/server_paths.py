"""Paths as a Plex server names them: what a person calls a photo, and where it lies on this machine."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mapped:
    """`/on/server=/here`: a folder of the server and the same folder on this machine."""

    server: str
    here: str


def parse_path_map(text: str) -> tuple[Mapped, ...]:
    """`/on/server=/here`, several separated by commas or new lines. Raises ValueError naming a bad one."""
    pairs = []
    for part in re.split(r"[,\n]", text):
        if not part.strip():
            continue
        server, equals, here = (side.strip() for side in part.strip().partition("="))
        if not (server and equals and Path(here).is_absolute()):
            raise ValueError(f"must be /on/server=/here, several with commas between, not {part.strip()!r}")
        pairs.append(Mapped(server, here))
    return tuple(pairs)


def local_path(file: str, path_map: Sequence[Mapped]) -> Path | None:
    """Where a file of the server lies here by the longest prefix that fits; None where none does.

    Never outside the folder that the map names, whatever the server says.
    """
    pair = pair_for(file, path_map)
    below = None if pair is None else _below(file, pair.server)
    if pair is None or below is None or any(part in ("", ".", "..") or "\0" in part for part in below):
        return None
    path = Path(pair.here, *below)
    return path if path.resolve().is_relative_to(Path(pair.here).resolve()) else None


def pair_for(file: str, path_map: Sequence[Mapped]) -> Mapped | None:
    """The pair of the longest folder that a file of the server lies below."""
    fitting = (pair for pair in path_map if _below(file, pair.server) is not None)
    return max(fitting, key=lambda pair: len(pair.server), default=None)


def relative(file: str, locations: Sequence[str]) -> str | None:
    """`Summer/Sea/a.jpg`: the file below the longest of a section's folders; None where it is below none."""
    for folder, is_windows in _longest_first(tuple(locations)):
        if (below := _cut(file, folder, is_windows)) is not None:
            return below
    return None


@functools.lru_cache(maxsize=64)
def _longest_first(locations: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Each with a slash at its end, and whether Windows names it."""
    return [_as_folder(location) for location in sorted(locations, key=len, reverse=True)]


def printable(text: str) -> str:
    """Control characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _below(file: str, folder: str) -> list[str] | None:
    """The parts of `file` below `folder`."""
    below = _cut(file, *_as_folder(folder))
    return None if below is None else below.split("/")


def _as_folder(path: str) -> tuple[str, bool]:
    """With one slash at its end. Windows paths are told by their drive or backslashes; there case and the kind
    of slash do not matter.
    """
    is_windows = path[1:2] == ":" or path.startswith(("\\\\", "//"))
    return (path.replace("\\", "/") if is_windows else path).rstrip("/") + "/", is_windows


def _cut(file: str, folder: str, is_windows: bool) -> str | None:
    """What comes behind `folder` in the path of a file below it."""
    if is_windows:
        file = file.replace("\\", "/")
    is_below = file.startswith(folder) or (is_windows and file[: len(folder)].lower() == folder.lower())
    return file[len(folder) :] if is_below and len(file) > len(folder) else None

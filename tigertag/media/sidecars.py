"""Which sidecar is a photo's own, and how both look from outside.

One rule, for reading and for writing (`targets.xmp`): `photo.jpg.xmp` where there is one. Else `photo.xmp`
where there is one and it is this photo's: that of the only raw file of the name, else of the only picture.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from tigertag.media.names import is_raw_name, key_of, kind_of, path_of
from tigertag.model import Item
from tigertag.model.stamp import of_photo, stamped

MOST_BYTES = 16 << 20
"""Of a sidecar that is read as evidence."""
ENDINGS = (".xmp", ".XMP")
FACT = "sidecar"
"""Under this name an item's facts tell what its sidecar is called, as `key_of` writes it."""


def sidecar_of(photo: str, is_there: Callable[[str], bool], alike: Callable[[], Iterable[str]]) -> str | None:
    """The name of the sidecar that is `photo`'s own; None where it has none.

    `is_there` tells of any name whether the folder holds it; `alike` gives the pictures whose names differ in
    their endings alone, and is asked only where it matters.
    """
    full = next((photo + ending for ending in ENDINGS if is_there(photo + ending)), None)
    if full is not None:
        return full
    plain = PurePath(photo)
    stem = next((name for each in ENDINGS if is_there(name := plain.with_suffix(each).name)), None)
    return stem if stem is not None and owns_the_stem(photo, alike()) else None


def owns_the_stem(photo: str, alike: Iterable[str]) -> bool:
    """Whether `photo.xmp` is this photo's, among the pictures whose names differ in their endings alone."""
    names = list(alike)
    raw = [name for name in names if is_raw_name(name)]
    return all(name == photo for name in raw or names)


def alike_in_folder(photo: Path) -> list[str]:
    """The pictures in the photo's folder whose names differ from it in their endings alone. Raises OSError."""
    with os.scandir(photo.parent) as entries:
        names = [entry.name for entry in entries if kind_of(entry.name) == "picture"]
    return [name for name in names if _stem(name) == _stem(photo.name)]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The files of a folder, by name, as far as sidecars are concerned."""

    names: frozenset[str]
    """All of them, where there is a sidecar among them."""
    _alike: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Neighbours:
        return cls(frozenset(names))

    def sidecar_of(self, photo: str) -> str | None:
        """The name of its sidecar."""
        return sidecar_of(photo, self.names.__contains__, lambda: self._pictures(photo)) if self.names else None

    def _pictures(self, photo: str) -> list[str]:
        if not self._alike:
            for name in self.names:
                if kind_of(name) == "picture":
                    self._alike.setdefault(_stem(name), []).append(name)
        return self._alike.get(_stem(photo), [])


def _stem(name: str) -> str:
    return PurePath(name).stem.casefold()


# ── stamps ────────────────────────────────────────────────────────────────────────────────────────────────


def look(path: str | Path, status: os.stat_result, *, has_inode: bool) -> str:
    """What a file looks like from outside: size, mtime in ns, inode where it is to be relied on.

    A file that may not be read says so, because giving the right to read it moves nothing else: without this it
    would never be looked at again.
    """
    inode = f":{status.st_ino}" if has_inode else ""
    # Asked of the system only where not everybody may.
    is_readable = status.st_mode & 0o004 or os.access(path, os.R_OK)
    return f"{status.st_size}:{status.st_mtime_ns}{inode}{'' if is_readable else ':unreadable'}"


def facts_of(sidecar: str | None) -> dict[str, str]:
    """What an item keeps of a sidecar of this name."""
    return {} if sidecar is None else {FACT: key_of(sidecar)}


def relisted(item: Item) -> Item | None:
    """An item of a folder as a listing would tell of it at this moment, as far as photo and sidecar go.

    None for items of other sources, and where that cannot be told.
    """
    if not item.source.startswith("folder:"):
        return None
    try:
        photo = _place(item)
        has_inode = of_photo(item.stamp).count(":") > 1 and of_photo(item.stamp).split(":")[2].isdecimal()
        name = _sidecar_now(photo, path_of(item.facts.get(FACT, "")))
        beside = "" if name is None else look(photo.with_name(name), _status(photo, name), has_inode=has_inode)
        stamp = stamped(look(photo, photo.stat(), has_inode=has_inode), beside)
    except (OSError, ValueError):  # gone, or nothing that a listing would name: the next one tells
        return None
    others = {key: value for key, value in item.facts.items() if key != FACT}
    return replace(item, stamp=stamp, facts=others | facts_of(name))


def read_beside(item: Item) -> bytes | None:
    """The bytes of the sidecar that an item of a folder names, as far as they are read; None: it names none.

    Raises OSError.
    """
    name = item.facts.get(FACT)
    if name is None:
        return None
    with _place(item).with_name(path_of(name)).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _place(item: Item) -> Path:
    """Where a folder's item lies; the root of a single photo is its file, whose name is the key as well."""
    root, below = Path(path_of(item.source.split(":", 2)[2])), path_of(item.key)
    return root if root.name == below and root.is_file() else root / below


def _sidecar_now(photo: Path, known: str) -> str | None:
    def is_there(name: str) -> bool:
        return os.path.lexists(photo.with_name(name))

    def alike() -> list[str]:
        if known == photo.with_suffix(PurePath(known).suffix or ".xmp").name:
            return []  # the listing has seen to it
        return alike_in_folder(photo)

    return sidecar_of(photo.name, is_there, alike)


def _status(photo: Path, name: str) -> os.stat_result:
    """Raises ValueError for what a listing takes for no sidecar."""
    path = photo.with_name(name)
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{name} is no regular file")
    return status

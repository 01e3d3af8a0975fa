"""The target: photos whose tags are kept in sidecars, or inside their files."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field as Option
from pydantic import field_validator

from tigertag import __version__, replacing
from tigertag.errors import DiskError, DiskFull, ItemError, PhotoError, PluginDown, TransientError, Unreachable
from tigertag.exiftool import ExifTool
from tigertag.media.names import printable
from tigertag.media.on_disk import insist
from tigertag.media.server_paths import parse_path_map
from tigertag.media.sidecars import ENDINGS
from tigertag.model import LONGEST_NAME, Change, Finding, Item, Memory, Presence, Shown, Target, Written, fold
from tigertag.options import TargetOptions
from tigertag.targets.xmp.embedded import Embedded, UseOfIptc
from tigertag.targets.xmp.files import Files
from tigertag.targets.xmp.places import (
    Naming,
    Places,
    is_as_listed,
    is_empty,
    leads_out,
    open_catalogue,
    sidecar_of,
)
from tigertag.targets.xmp.sidecars import Sidecars
from tigertag.xmp.fields import Fields, Profile, Tag, Way, is_stale, own_caption, shown
from tigertag.xmp.merging import Edit, parents

_LASTING = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG})
"""What no second try changes."""


class XmpOptions(TargetOptions):
    """Where tags are kept, and for which programs."""

    mode: Literal["sidecar", "embedded"] = Option(
        "sidecar", description="Where: sidecar (`a.jpg.xmp` beside the photo) or embedded (inside the photo)."
    )
    profile: Profile = Option(
        "all", description="Which programs are to read them: all, lightroom, digikam or immich."
    )
    root: str = Option("", description="A parent for all tags of ours, such as `Auto`. None by default.")
    naming: Naming = Option("full", description="A new sidecar's name: full (`a.jpg.xmp`) or stem (`a.xmp`).")
    path_map: str = Option(
        "", description="Where Plex's photos lie here: `/on/server=/here`, several with commas."
    )
    iptc: UseOfIptc = Option(
        "jpeg", description="Embedded: IPTC keywords in every JPEG and what has them, or only where existing."
    )
    force: bool = Option(
        False, description="Write also while Lightroom has a catalogue open beside the photos."
    )

    keep_times: bool = Option(
        True,
        description="Embedded: a photo's file keeps the time of its last change. A sidecar's always moves.",
    )
    keep_owner: bool = Option(True, description="A file whose owner cannot be kept is left as it is and named.")

    @field_validator("path_map")
    @classmethod
    def _is_a_path_map(cls, value: str) -> str:
        parse_path_map(value)
        return value

    @field_validator("root")
    @classmethod
    def _is_one_name(cls, value: str) -> str:
        if any(sign in value for sign in "/|"):
            raise ValueError("must be one name, without / and |")
        return value.strip()


class XmpTarget(Target):
    """Photos in folders, and those of Plex where a path map leads to their files.

    Either mode is a target of its own: what one wrote is taken back while it is set up.
    """

    Options = XmpOptions

    def __init__(self, options: XmpOptions, memory: Memory) -> None:
        self._options = options
        self._places = Places(parse_path_map(options.path_map))
        self._way = way = Way(options.profile, options.root, f"TigerTag {__version__}")
        self._sidecars = sidecars = Sidecars(options.naming, way, keep_owner=options.keep_owner)
        self._tool = ExifTool()
        self._files: Files | None = None
        if options.mode == "embedded":
            embedded = Embedded(
                self._tool,
                way,
                options.iptc,
                keep_times=options.keep_times,
                keep_owner=options.keep_owner,
            )
            self._files = Files(embedded, sidecars, memory)
        self._container: Files | Sidecars = self._files or sidecars
        self._swept: set[Path] = set()
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        return f"xmp:{self._options.mode}"

    @property
    def label(self) -> str:
        return "XMP in the photos' files" if self._files else "XMP sidecars"

    def accepts(self, item: Item) -> bool:
        return self._places.accepts(item)

    def read(self, items: Sequence[Item]) -> Iterator[Shown | ItemError]:
        """A sidecar that cannot be understood is an error of its item."""
        for item in items:
            try:
                photo = self._photo(item)
                if photo is None:
                    yield Shown(item, presence=Presence.GONE)
                    continue
                self._sweep(photo.parent)
                fields = insist(partial(self._container.read, photo))
                yield Shown(
                    item,
                    shown(fields),
                    is_stale=is_stale(fields),
                    caption=own_caption(fields),
                    paths=parents(fields, self._way),
                )
            except (PhotoError, TransientError, OSError) as error:
                yield _about(item, error)

    def write(self, changes: Sequence[Change]) -> Iterator[Written | ItemError]:
        """One file at a time; each is whole at every moment. Raises DiskFull where one does not fit."""
        locks: dict[Path, Path | None] = {}
        for change in changes:
            try:
                with self._lock:
                    outcome = self._write(change, locks)
            except DiskError as error:
                raise DiskFull(f"{change.item.path}: {error}") from error
            except (PhotoError, TransientError, OSError) as error:
                outcome = _about(change.item, error)
            yield outcome

    def _write(self, change: Change, locks: dict[Path, Path | None]) -> Written | ItemError:
        item = change.item
        bad = next((name for name in change.add if why_refused(name)), None)
        if bad is not None:
            return ItemError(
                f"{item.path}: the tag {bad!r} cannot be written: {why_refused(bad)}", item, again=False
            )
        photo = self._photo(item)
        if photo is None:
            return ItemError(f"{item.path} is not there any more", item)
        if not is_as_listed(item, photo.stat()) and not (self._files and self._files.is_ours(photo)):
            return ItemError(
                f"{item.path} has changed since it was looked at; the next scan does so again", item
            )
        folder = photo.parent
        if not self._options.force and folder not in locks:
            locks[folder] = open_catalogue(folder)
        if locks.get(folder) is not None:
            why = f"Lightroom has {printable(str(locks[folder]))} open"
            return ItemError(f"{item.path} is left for later: {why}. Close it, or set FORCE=true", item)
        self._sweep(folder)
        fields, instead = insist(partial(self._edit, photo, edit_of(change)))
        return Written(item, told(change, fields), instead=instead and f"{item.path}: {instead}")

    def _edit(self, photo: Path, edit: Edit) -> tuple[Fields, str]:
        """What stands there then, and why it is in a sidecar since now, if it is."""
        return self._files.edit(photo, edit) if self._files else (self._sidecars.edit(photo, edit), "")

    def _photo(self, item: Item) -> Path | None:
        """The photo's file; None where it is gone. Raises Unreachable where all of its library is."""
        photo = self._places.photo(item)
        if photo is None:
            raise PhotoError(f"{item.path} lies on no disk of this machine, as far as PATH_MAP tells")
        top = self._places.top(item)
        if photo.exists():
            self._keep_inside(photo, top)
            return photo
        if top is not None and not top.exists():
            raise Unreachable(f"The folder {printable(str(top))} is missing. Is the disk mounted?")
        if top is not None and is_empty(top):
            raise Unreachable(f"The folder {printable(str(top))} is empty. Is the disk mounted?")
        return None

    def _keep_inside(self, photo: Path, top: Path | None) -> None:
        """Raises PhotoError where the photo or its sidecar is a link that leads out of its library (I16)."""
        for path in (photo, *self._linked(photo)):
            if top is not None and leads_out(path, top):
                name = printable(path.name)
                raise PhotoError(f"{name} is a link that leads out of {printable(str(top))} and stays as it is")

    def _linked(self, photo: Path) -> Iterator[Path]:
        """The photo's sidecar where that is a link. Whose a sidecar is takes a look at the whole folder."""
        names = (name for each in ENDINGS for name in (photo.name + each, photo.with_suffix(each).name))
        if any(os.path.islink(photo.with_name(name)) for name in names):  # noqa: PTH114 - False where too long
            yield sidecar_of(photo, self._options.naming)

    def _sweep(self, folder: Path) -> None:
        """Removes what killed runs left there, once for each folder."""
        if folder not in self._swept:
            self._swept.add(folder)
            replacing.sweep(folder)

    def check(self) -> Iterable[Finding]:
        if self._files:
            try:
                self._tool.ask("-ver", name="its version")
            except (PluginDown, PhotoError, TransientError) as error:
                yield Finding(False, str(error), "Set MODE=sidecar, or install exiftool.")
                return
        profile = self._options.profile
        yield Finding(True, f"tags go into {self.label}, for {'all programs' if profile == 'all' else profile}")

    def close(self) -> None:
        self._tool.close()

    def was(self, file_hash: str) -> str | None:
        """The content id of the photo whose file has this SHA-256 since we wrote into it."""
        return self._files.was(file_hash) if self._files else None


def edit_of(change: Change) -> Edit:
    names = (*change.add, *change.move)
    add = (Tag(name.strip(), change.paths.get(name, ()), change.engines.get(name, ())) for name in names)
    return Edit(tuple(add), change.remove, change.caption)


def told(change: Change, fields: Fields) -> tuple[str, ...]:
    """What stands there after a change.

    A word that we took out and that a person wrote elsewhere in the file, too, is not ours any more: to this
    change it is gone, and the next look finds it as theirs.
    """
    gone = {fold(name) for name in change.remove}
    return tuple(name for name in shown(fields) if fold(name) not in gone)


def why_refused(name: str) -> str:
    """Why XML cannot hold a name, or no program would show it; empty where it is fine."""
    if not name.strip():
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has more than {LONGEST_NAME} characters"
    if any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 or 0xD800 <= ord(sign) < 0xE000 for sign in name):
        return "it holds control characters"
    return "it holds what XML cannot" if any(ord(sign) in (0xFFFE, 0xFFFF) for sign in name) else ""


def _about(item: Item, error: PhotoError | TransientError | OSError) -> ItemError:
    if isinstance(error, OSError):
        why = f"{item.path}: its sidecar cannot be read ({error.strerror or error})"
        return ItemError(why, item, again=error.errno not in _LASTING)
    told = ItemError(f"{item.path}: {error}", item, again=not isinstance(error, PhotoError))
    told.__cause__ = error
    return told

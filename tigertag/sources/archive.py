"""Photos in archives: zip and tar files, compressed or not, read in place."""

from __future__ import annotations

import io
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import Field

from tigertag import __version__
from tigertag.errors import PhotoError, TransientError
from tigertag.media.names import KINDS, is_hidden, key_of, kind_of, printable
from tigertag.media.on_disk import OnDisk
from tigertag.media.sidecars import ENDINGS, FACT, MOST_BYTES
from tigertag.model import (
    JSON,
    Album,
    Finding,
    Item,
    KeepsSidecars,
    ListsAlbums,
    Memory,
    Sidecar,
    Source,
    fingerprint,
)
from tigertag.model.stamp import stamped
from tigertag.options import CommaList, SourceOptions
from tigertag.sources.archive_beside import Places, Way
from tigertag.sources.archive_known import Known, Memo
from tigertag.sources.archive_limits import Broken
from tigertag.sources.archive_reading import Named, open_regular
from tigertag.sources.archive_tree import Found, Tree, key_of_way, shown, way_of

_BETWEEN = "|"  # of an archive's key and that of a photo in it
_ITSELF = "itself"


class ArchiveOptions(SourceOptions):
    """Options of an archive source."""

    path: Path = Field(description="The archive, or a folder with archives.")
    include: CommaList = Field((), description="Globs over the path in the archive; only these are listed.")
    exclude: CommaList = Field((), description="Globs over the path in the archive; these are left out.")
    videos: bool = Field(False, description="Also look at videos, by frames from all over them.")


class ArchiveSource(Source, ListsAlbums, KeepsSidecars):
    """Lists the pictures in an archive, or in all archives of a folder, and of the archives in these.

    A photo is known by its archive, its name, and its number among the members of that name; an archive by the
    path at which it was first seen (`Known`). An archive that cannot be read to its end is an item itself: it
    fails once with the reason, beside the photos up to there.
    """

    Options = ArchiveOptions

    def __init__(self, options: ArchiveOptions, memory: Memory) -> None:
        self._options = options
        self._memory = memory
        self._on_disk = OnDisk("archive", options.path)
        self._skipped: Mapping[str, int] = {}
        self._trees: dict[str, tuple[str, Tree]] = {}
        """By the archive's key: its stamp, and what is in it."""
        self._lock = threading.Lock()

    @cached_property
    def _root(self) -> Path:
        """Where the archive or folder is now."""
        path = self._options.path.expanduser().absolute()
        path = path.parent.resolve() / path.name
        return path if path.exists() else self._known.place(key_of(str(path)))

    @cached_property
    def identity(self) -> str:
        """`archive:<path at which it was first seen>`. Raises Unreachable where there is nothing."""
        if self._root.is_dir():
            return f"archive:{key_of(str(self._root))}"
        return f"archive:{self._key(self._root)}"

    @property
    def label(self) -> str:
        return self._on_disk.label

    @property
    def scope(self) -> tuple[str, ...]:
        return ()

    @property
    def skipped(self) -> Mapping[str, int]:
        return self._skipped

    # ── which archive ─────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _known(self) -> Known:
        return Known(self._memory)

    def _key(self, path: Path) -> str:
        return self._known.key(path, lambda: self._sizes(path))

    def _sizes(self, path: Path) -> dict[str, int]:
        """Of the photos in an archive, by their keys. Raises Unreachable."""
        tree = self._tree(path)
        try:
            return {key_of_way(found.way): found.member.size for found in tree.photos()}
        except OSError as error:
            raise self._on_disk.unreachable(error) from error
        finally:
            tree.close()

    def _archives(self) -> Iterator[Path]:
        """In the order of their names."""
        if not self._root.is_dir():
            yield self._root
            return
        for folder, folders, files in os.walk(self._root, onerror=self._raise):
            folders[:] = sorted(each for each in folders if not is_hidden(each))
            for name in sorted(files):
                path = Path(folder, name)
                if (
                    kind_of(name) == "archives"
                    and not is_hidden(name)
                    and path.is_file()
                    and not path.is_symlink()
                ):
                    yield path

    def _raise(self, error: OSError) -> None:
        raise self._on_disk.unreachable(error) from error

    def _tree(self, path: Path) -> Tree:
        options = self._options
        return Tree(lambda: open_regular(path), _stamp(path), options.include, options.exclude, options.videos)

    # ── listing ───────────────────────────────────────────────────────────────────────────────────────────

    def items(self) -> Iterator[Item]:
        """Raises Unreachable where the archive or folder is missing or may not be read."""
        for album in self.albums({}):
            yield from album.items or ()

    def albums(self, before: Mapping[str, JSON]) -> Iterator[Album]:
        """An archive is as it was where its size and time are; then it is not opened."""
        skipped: Counter[str] = Counter()
        memos = [memo for memo in map(Memo.from_json, before.values()) if memo is not None]
        try:
            for path in self._archives():
                key, stamp = self._key(path), _stamp(path)
                known = [memo for memo in memos if memo.archive == key]
                if known and all((memo.stamp, memo.rules) == (stamp, self._rules) for memo in known):
                    skipped.update(known[0].skipped)
                    yield from (Album(memo.album, memo.to_json(), memo.size, None) for memo in known)
                else:
                    yield from self._listed(key, path, stamp, skipped)
        except OSError as error:
            raise self._on_disk.unreachable(error) from error
        finally:
            self._skipped = dict(skipped)

    @property
    def _rules(self) -> str:
        options = self._options
        globs = (options.include, options.exclude, options.videos)
        return fingerprint([__version__, KINDS, ENDINGS, self._section, *globs])

    @property
    def _section(self) -> str:
        return printable(self._root.name)

    def _listed(self, key: str, path: Path, stamp: str, skipped: Counter[str]) -> list[Album]:
        tree = self._tree(path)
        self._keep(key, stamp, tree)
        sizes: dict[str, int] = {}
        items: dict[str, list[Item]] = {}
        is_whole = True
        for found in list(tree.photos()):  # a sidecar may come behind its photo
            item = self._item(key, path, found, tree.places)
            items.setdefault(item.album, []).append(item)
            is_whole = is_whole and bool(found.way)
            if found.way:
                sizes[key_of_way(found.way)] = found.member.size
        skipped.update(tree.skipped)
        self._known.remember(key, path, sizes)
        found_here = dict(tree.skipped)
        return [
            Album(
                name,
                Memo(key, stamp, self._rules, name, len(each), found_here).to_json() if is_whole else None,
                len(each),
                iter(each),
            )
            for name, each in items.items()
        ]

    def _keep(self, key: str, stamp: str, tree: Tree) -> None:
        if key in self._trees:
            self._trees[key][1].close()
        self._trees[key] = stamp, tree

    def _item(self, key: str, path: Path, found: Found, places: Places) -> Item:
        is_folder = path != self._root
        inside = printable(str(path.relative_to(self._root))) if is_folder else ""
        there = "/".join(part for part in (inside, shown(found.way)) if part) or printable(path.name)
        way = key_of_way(found.way) if found.way else _ITSELF
        beside = places.sidecar_of(found.way) if found.way else None
        facts = {"archive": key} | ({FACT: key_of_way(beside[0])} if beside else {})
        stamp = f"{found.stamp}:{found.trouble}" if found.trouble else found.stamp
        return Item(
            source=self.identity,
            key=f"{key}{_BETWEEN}{way}" if is_folder else way,
            path=there,
            stamp=stamped(stamp, beside[1] if beside else ""),
            section=self._section,
            album=there.rpartition("/")[0],
            title=Path(there).stem,
            size=found.member.size or None,
            moment=found.member.moment,
            facts=facts | ({"trouble": found.trouble} if found.trouble else {}),
        )

    # ── opening ───────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def open(self, item: Item) -> Iterator[BinaryIO]:
        """The bytes of a member. Raises PhotoError where it or its archive is no good.

        Raises TransientError where the archive has changed since it was listed, Unreachable where it is gone.
        """
        if trouble := item.facts.get("trouble"):
            raise PhotoError(f"{item.path} {trouble}")
        tree, way = self._opened(item), self._way(item)
        try:
            with tree.open(way) as file, io.BufferedReader(Named(file, item.path)) as named:
                yield cast(BinaryIO, named)
        except KeyError as error:
            raise TransientError(f"{item.path} is no longer in {self.label}") from error
        except Broken as error:
            raise PhotoError(f"{item.path} {error}") from error
        except OSError as error:
            raise self._on_disk.fault(item.path, error, self._root) from error

    def sidecar(self, item: Item) -> Sidecar | None:
        """As it was listed. Raises as `open` does."""
        if FACT not in item.facts:
            return None
        tree, way = self._opened(item), way_of(item.facts[FACT])
        name = printable(way[-1][0].rpartition("/")[2])
        try:
            with tree.open(way) as file:
                return Sidecar(name, file.read(MOST_BYTES + 1))
        except KeyError:
            return None
        except Broken as error:
            raise PhotoError(f"{name} {error}") from error
        except OSError as error:
            raise self._on_disk.fault(item.path, error, self._root) from error

    def _way(self, item: Item) -> Way:
        try:
            return way_of(item.key.rpartition(_BETWEEN)[2])
        except ValueError as error:
            raise PhotoError(f"{item.path} cannot be found in {self.label}") from error

    def _opened(self, item: Item) -> Tree:
        key = item.facts.get("archive", "")
        path = self._known.place(key)
        try:
            with self._lock:
                if key not in self._trees:
                    self._keep(key, _stamp(path), self._tree(path))
                stamp, tree = self._trees[key]
            if _stamp(path) != stamp:
                raise TransientError(f"{item.path}: its archive has changed since it was listed")
            return tree
        except OSError as error:
            raise self._on_disk.fault(item.path, error, self._root) from error

    def check(self) -> Iterable[Finding]:
        return self._on_disk.check(self)

    def close(self) -> None:
        """Gives temporary files back. Twice is once."""
        for _, tree in self._trees.values():
            tree.close()
        self._trees.clear()


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"

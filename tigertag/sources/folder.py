"""Photos in a folder and its subfolders."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import Field

from tigertag.errors import PhotoError, TigerTagError
from tigertag.media.library import Library
from tigertag.media.names import key_of, path_of, printable
from tigertag.media.on_disk import PASSING, OnDisk
from tigertag.media.sidecars import FACT, MOST_BYTES
from tigertag.model import JSON, Album, Finding, Item, KeepsSidecars, ListsAlbums, Memory, Sidecar, Source
from tigertag.options import CommaList, SourceOptions
from tigertag.sources.folder_device import device_of, local_devices
from tigertag.sources.folder_listing import Listing
from tigertag.sources.folder_walk import Walk, open_regular

log = logging.getLogger(__name__)


class FolderOptions(SourceOptions):
    """Options of a folder source."""

    path: Path = Field(description="The folder, or a single photo.")
    include: CommaList = Field((), description="Globs over the path below the folder; only these are listed.")
    exclude: CommaList = Field((), description="Globs over the path below the folder; these are left out.")
    videos: bool = Field(False, description="Also look at videos, by frames from all over them.")


class FolderSource(Source, ListsAlbums, KeepsSidecars):
    """Lists pictures by their ending, and by their first bytes where the ending says nothing.

    The identity names the device on which the folder was first seen. On another device it stays the same where
    the known files are there (the system numbers its devices anew) and where nothing is there (the disk is not
    mounted, so the listing is empty and the pipeline asks a person); other files are another library.
    """

    Options = FolderOptions

    def __init__(self, options: FolderOptions, memory: Memory) -> None:
        self._options = options
        self._memory = memory
        self._on_disk = OnDisk("folder", options.path)
        self._skipped: Mapping[str, int] = {}

    @cached_property
    def _root(self) -> Path:
        """Absolute, links resolved; the name of a single photo is kept, though it may be a link."""
        path = self._options.path.expanduser()
        return path.parent.resolve() / path.name if path.is_file() else path.resolve()

    @cached_property
    def _top(self) -> Path:
        """The folder that nothing outside of is read."""
        return self._root.parent if self._root.is_file() else self._root

    @cached_property
    def identity(self) -> str:
        """`folder:<device>:<root>`. Raises Unreachable where the folder cannot be read."""
        return f"folder:{self._device}:{key_of(str(self._root))}"

    @cached_property
    def _device(self) -> str:
        try:
            device = device_of(self._root)
            known = Library.from_json(self._memory.get(self._memory_key))
            if known is None or known.device == device:
                return device
            is_empty = next(self._walk().pictures(), None) is None
            return known.device if is_empty or known.is_here(self._size_of) else device
        except OSError as error:
            raise self._on_disk.unreachable(error) from error

    @property
    def _memory_key(self) -> str:
        return f"library:{key_of(str(self._root))}"

    def _size_of(self, key: str) -> int | None:
        try:
            return (self._top / path_of(key)).lstat().st_size
        except (OSError, ValueError):  # not there is an answer here
            return None

    @property
    def label(self) -> str:
        return self._on_disk.label

    @property
    def scope(self) -> tuple[str, ...]:
        return ()

    @property
    def skipped(self) -> Mapping[str, int]:
        return self._skipped

    def items(self) -> Iterator[Item]:
        """Raises Unreachable where the folder is missing, TransientError at the end for unread subfolders."""
        for album in self.albums({}):
            yield from album.items or ()

    def albums(self, before: Mapping[str, JSON]) -> Iterator[Album]:
        """A folder is as it was where the names, sizes, times and rights of all that lies in it are."""
        listing = Listing(self.identity, printable(self._top.name), local_devices(), self._walk())
        try:
            if self._top != self._root:
                yield Album("", None, 1, iter([listing.item(listing.walk.only(self._root.name))]))
                return
            for folder in listing.walk.folders():
                yield listing.album(folder, before)
        except OSError as error:
            raise self._on_disk.unreachable(error) from error
        finally:
            self._skipped = dict(listing.walk.skipped)
        self._remember(listing.sizes)

    def _walk(self) -> Walk:
        return Walk(self._top, self._options.include, self._options.exclude, self._options.videos)

    def _remember(self, sizes: Mapping[str, int]) -> None:
        """Of albums that were not looked into the files are remembered that are remembered already."""
        known = Library.from_json(self._memory.get(self._memory_key))
        sample = known.sample if known else {}
        still = {key: size for key, size in sample.items() if self._size_of(key) == size}
        library = Library.of(self._device, {**still, **sizes}.items())
        if library.sample and library != known:
            self._memory.set(self._memory_key, library.to_json())

    @contextmanager
    def open(self, item: Item) -> Iterator[BinaryIO]:
        """The bytes of a regular file below the root; a read that fails is tried once more.

        Raises PhotoError, TransientError where the file went or the disk stutters, Unreachable where the folder
        is gone.
        """

        def reopen() -> int:
            try:
                descriptor = open_regular(self._top, self._path_of(item))
            except (OSError, ValueError) as error:
                raise self._fault(item, error) from error
            if descriptor is None:
                raise PhotoError(f"{item.path} is not opened: it is no regular file in {self.label}")
            return descriptor

        with io.BufferedReader(_Steady(reopen, lambda error: self._fault(item, error)), 1 << 16) as file:
            yield cast(BinaryIO, file)

    def sidecar(self, item: Item) -> Sidecar | None:
        """As it was listed; None where it went since, which the next listing tells. Raises as `open` does."""
        key = item.facts.get(FACT)
        if key is None:
            return None
        beside = replace(item, path=printable(path_of(key)))
        try:
            descriptor = open_regular(self._top, self._path_of(item).with_name(path_of(key)))
            if descriptor is None:
                raise PhotoError(f"{beside.path} is not opened: it is no regular file in {self.label}")
            with os.fdopen(descriptor, "rb") as file:
                return Sidecar(beside.path, file.read(MOST_BYTES + 1))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._fault(beside, error) from error

    def _path_of(self, item: Item) -> Path:
        path = self._top / path_of(item.key)
        if ".." in path.parts:
            raise ValueError("the name leads out of the folder")
        return path

    def _fault(self, item: Item, error: OSError | ValueError) -> TigerTagError:
        return self._on_disk.fault(item.path, error, self._top)

    def check(self) -> Iterable[Finding]:
        return self._on_disk.check(self)

    def close(self) -> None:
        """Nothing stays open."""


class _Steady(io.RawIOBase):
    """A file that is opened anew, once, where reading it fails in a way that may pass."""

    def __init__(self, reopen: Callable[[], int], fault: Callable[[OSError], TigerTagError]) -> None:
        super().__init__()
        self._reopen = reopen
        self._fault = fault
        self._is_fresh = True
        self._descriptor = reopen()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return os.lseek(self._descriptor, offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        at = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        try:
            return self._fill(buffer)
        except OSError as error:
            if error.errno not in PASSING or not self._is_fresh:
                raise self._fault(error) from error
            log.debug("read again after: %s", error.strerror)
        self._again(at)
        try:
            return self._fill(buffer)
        except OSError as error:
            raise self._fault(error) from error

    def _fill(self, buffer: bytearray | memoryview) -> int:
        piece = os.read(self._descriptor, len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _again(self, at: int) -> None:
        self._is_fresh = False
        os.close(self._descriptor)
        self._descriptor = -1
        self._descriptor = self._reopen()
        os.lseek(self._descriptor, at, os.SEEK_SET)

    def close(self) -> None:
        if not self.closed and self._descriptor >= 0:
            os.close(self._descriptor)
        super().close()

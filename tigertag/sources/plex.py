"""Photos of Plex photo sections, and the clips (videos) among them where they are asked for.

The flat listing (`type=13&clusterZoomLevel=1`, clips `type=12`) is the only one that shows photos at any depth;
it is read as raw XML, because plexapi's objects cost more than the network and reload themselves when touched.
"""

from __future__ import annotations

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO
from xml.etree.ElementTree import Element

from pydantic import Field, field_validator

from tigertag.errors import ConfigError, MissingDecoder, PhotoError, TransientError, Unreachable
from tigertag.media import can_decode
from tigertag.media.names import too_long
from tigertag.media.server_paths import local_path, parse_path_map
from tigertag.model import Finding, Item, Memory
from tigertag.options import CommaList, SourceOptions
from tigertag.plexserver import Pace, PlexConnection, PlexOptions, PlexSection, Refusal, Unwell
from tigertag.sources.plex_item import CLIP, item_of
from tigertag.sources.plex_sections import chosen
from tigertag.sources.plex_walk import total_of, walk

log = logging.getLogger(__name__)

# Statuses with which a list may be refused: one that not every server knows, one of an album that may be gone,
# and one that is always there.
_NOT_KNOWN, _GONE, _NEVER = frozenset({400, 404}), frozenset({404}), frozenset[int]()

_FLAT = "&clusterZoomLevel=1"

# Downloads that may fail one after the other before the server counts as away.
_FAILURES = 3


class PlexSourceOptions(SourceOptions, PlexOptions):
    """Which server, and which of its sections."""

    sections: CommaList = Field((), description="Titles or keys of photo sections; all of them by default.")
    videos: bool = Field(False, description="Also look at clips, by frames from all over them.")
    path_map: str = Field("", description="Read originals from disk: `/on/server=/here`, several with commas.")

    @field_validator("path_map")
    @classmethod
    def _is_a_path_map(cls, value: str) -> str:
        parse_path_map(value)
        return value


class PlexSource:
    """The photos of one server's photo sections."""

    Options = PlexSourceOptions

    def __init__(self, options: PlexSourceOptions, memory: Memory, pace: Pace | None = None) -> None:
        self._options = options
        self._path_map = parse_path_map(options.path_map)
        self._plex = PlexConnection(options, pace)
        self._sections: tuple[PlexSection, ...] = ()
        self._unlisted: Unreachable | None = None
        self._skipped: Counter[str] = Counter()
        self._failures = 0

    @property
    def identity(self) -> str:
        return f"plex:{self._plex.machine}"

    @property
    def label(self) -> str:
        """`Plex "Photos" on nas`; by its address where it cannot be asked."""
        try:
            titles = ", ".join(f'"{section.title}"' for section in self._walked())
            return f"Plex {titles} on {self._plex.name}"
        except (ConfigError, Unreachable):
            return f"Plex at {self._options.url}"

    @property
    def scope(self) -> tuple[str, ...]:
        """The titles of the sections asked for, as `Item.section` has them; empty where all are walked."""
        if not self._options.sections:
            return ()
        return tuple(section.title for section in self._walked())

    @property
    def skipped(self) -> Mapping[str, int]:
        return {kind: count for kind, count in self._skipped.items() if count}

    def items(self) -> Iterator[Item]:
        self._skipped = Counter()
        machine = self._plex.machine
        for section in self._walked():
            for entry in self._entries(section):
                if entry.tag == CLIP and not self._options.videos:
                    self._skipped["clips"] += 1
                elif entry.tag in ("Photo", CLIP) and (item := self._item_of(entry, section, machine)):
                    yield item

    @contextmanager
    def open(self, item: Item) -> Iterator[BinaryIO]:
        """As every source's. A clip is read whole, for its id is that of all its bytes; without a decoder for
        it nothing is fetched (MissingDecoder).
        """
        if "type" in item.facts and not can_decode("video"):
            raise MissingDecoder("video")
        with self._here(item) or self._downloaded(item) as file:
            yield file

    def check(self) -> Iterable[Finding]:
        try:
            server = f'Plex "{self._plex.name}" {self._plex.version} at {self._options.url}'
            yield Finding(True, f"{server} answers and takes the token")
            for section in self._walked():
                yield self._counted(section)
        except ConfigError as error:
            yield from (Finding(False, fault) for fault in error.faults)
        except Unreachable as error:
            yield Finding(False, str(error), "Start Plex, or correct PLEX_URL.")

    def close(self) -> None:
        self._plex.close()

    # The listing.

    def _walked(self) -> tuple[PlexSection, ...]:
        if self._unlisted is not None:
            raise self._unlisted  # it was asked as often as helps
        if not self._sections:
            try:
                listed = self._plex.sections()
            except Unreachable as error:
                self._unlisted = error
                raise
            self._sections = chosen(listed, self._options.sections, self._options.url)
        return self._sections

    def _entries(self, section: PlexSection) -> Iterator[Element]:
        """Photos at any depth, then clips, which are only counted where nobody asks for them. Where a server
        does not list flat, albums are walked from the root.
        """
        top = f"/library/sections/{section.key}/all"
        loose: set[str] = set()
        is_flat = False
        for type_ in ("13", "12") if self._options.videos else ("13",):
            # Where photos are listed flat clips are, too: a refusal says nothing of those that are known.
            may_refuse = _NEVER if is_flat else _NOT_KNOWN
            for entry in self._walk(f"{top}?type={type_}{_FLAT}&sort=addedAt", section, may_refuse):
                is_flat = is_flat or entry.get("parentRatingKey") is not None
                if not is_flat:
                    loose.add(entry.get("ratingKey", ""))
                yield entry
        if not self._options.videos:
            self._skipped["clips"] += self._number_of_clips(section)
        # A server that does not know the zoom level lists nothing, or only what lies loose beside the albums.
        if is_flat or (loose and self._has_no_albums(top)):
            return
        found = False
        for entry in self._by_albums(section):
            if entry.get("ratingKey", "") not in loose:
                found = True
                yield entry
        if found:
            log.warning('Plex does not list section "%s" flat; its albums were walked', section.title)

    def _by_albums(self, section: PlexSection) -> Iterator[Element]:
        top = f"/library/sections/{section.key}/all"
        # What type=13 and 12 show without a zoom level are the loose photos and clips at the root.
        waiting = [(f"{top}?type=12", _NOT_KNOWN), (f"{top}?type=13", _NEVER), (f"{top}?type=14", _NEVER)]
        met: set[str] = set()
        while waiting:
            key, may_refuse = waiting.pop()
            for entry in self._walk(key, section, may_refuse):
                inside = f"/library/metadata/{entry.get('ratingKey')}/children"
                if entry.tag != "Directory":
                    yield entry
                elif inside not in met:
                    met.add(inside)
                    waiting.append((inside, _GONE))

    def _walk(self, key: str, section: PlexSection, may_refuse: frozenset[int]) -> Iterator[Element]:
        """The entries under a key, none where Plex refuses it with one of some statuses.

        A list that is refused after it has begun is no whole one, and one that must be there shows nothing
        of what is gone (RELIABILITY P8).
        """
        begun = False
        try:
            for entry in walk(lambda start, size: self._plex.get(key, start, size), f'"{section.title}"'):
                begun = True
                yield entry
        except Refusal as error:
            if begun or error.status not in may_refuse:
                raise Unreachable(
                    f'Plex does not list section "{section.title}" ({error}). What it did not show is unknown, '
                    "not gone. Look into its log."
                ) from error
            log.warning('Plex does not take a request for section "%s" (%s)', section.title, error)

    def _has_no_albums(self, top: str) -> bool:
        try:
            return total_of(self._plex.get(f"{top}?type=14", 0, 0)) == 0
        except Refusal as error:
            log.debug("Plex does not count the albums (%s)", error)
            return False

    def _number_of_clips(self, section: PlexSection) -> int:
        """Without reading them; 0 where the server does not say: nobody needs to know, and the scan goes on."""
        try:
            return self._total(f"/library/sections/{section.key}/all?type=12{_FLAT}")
        except Unreachable as error:
            log.debug("Plex does not count the clips (%s)", error)
            return 0

    def _total(self, key: str) -> int:
        try:
            return total_of(self._plex.get(key, 0, 0))
        except Refusal as error:  # what cannot be counted can be listed all the same
            log.debug("Plex does not count %s (%s)", key, error)
            return 0

    def _counted(self, section: PlexSection) -> Finding:
        photos = self._total(f"/library/sections/{section.key}/all?type=13{_FLAT}")
        advice = "" if photos else "If it does hold photos, a scan walks its albums to find them."
        clips = ""
        if self._options.videos:
            clips = f" and {self._number_of_clips(section):,} clips"
            advice = advice if can_decode("video") else "Clips wait until tigertag[video] is installed."
        return Finding(True, f'section "{section.title}" lists {photos:,} photos{clips}', advice)

    def _item_of(self, entry: Element, section: PlexSection, machine: str) -> Item | None:
        """Made from the first file; None where Plex has no file for the photo."""
        parts = [part for part in entry.iter("Part") if part.get("key")]
        if not parts:
            self._skipped["photos without a file"] += 1
            log.warning('Plex names no file for "%s" in section "%s"', entry.get("title"), section.title)
            return None
        if entry.tag == CLIP and (why := too_long(int(parts[0].get("size") or 0))):
            self._skipped[f"clips {why}"] += 1
            return None
        if len(parts) > 1:
            self._skipped["second files"] += len(parts) - 1
        return item_of(entry, parts[0], section, machine)

    # The bytes.

    def _here(self, item: Item) -> BinaryIO | None:
        """The file on this machine, where the path map leads to one of the right size."""
        path = local_path(item.facts["file"], self._path_map) if self._path_map else None
        if path is None or item.size is None:
            return None
        try:
            # Without waiting, should a FIFO lie there.
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except OSError as error:
            log.debug("%s is downloaded: %s", item.path, error)
            return None
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size != item.size:
            os.close(handle)
            return None
        return os.fdopen(handle, "rb")

    def _downloaded(self, item: Item) -> AbstractContextManager[BinaryIO]:
        try:
            file = self._plex.download(item.facts["part_key"], item.size)
        except Refusal as error:
            if error.status == 404:
                raise PhotoError(f"{item.path}: Plex has this file no more; it was moved or deleted") from error
            raise self._failed(item, _refused(error)) from error
        except Unwell as error:
            raise self._failed(item, error) from error
        self._failures = 0
        return file

    def _failed(self, item: Item, error: Unreachable) -> TransientError | Unreachable:
        """One photo may fail; several in a row mean that the server does."""
        self._failures += 1
        if self._failures >= _FAILURES:
            return error
        return TransientError(f"{item.path}: {error}")


def _refused(error: Refusal) -> Unreachable:
    if error.status == 403:
        return Unreachable("Plex forbids downloads with this token (403). Use the token of the server's owner.")
    return Unreachable(f"Plex does not give out the file ({error}).")

"""What Plex shows on photos at this moment: all tags and locks, many photos in one request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree.ElementTree import Element

from tigertag.errors import Unreachable
from tigertag.model import Item
from tigertag.plexserver import PlexConnection, Refusal

# Photos in one multi-get; with keys of seven digits the URL stays under 4 KB.
_MANY = 400
_LONGEST_URL = 3900
# So many that Plex lists do not go at the same moment, all of those that are asked for.
_ALL_GONE = 5
# Photos and clips.
_TAGGED = ("Photo", "Video")
# Locks that are remembered from reading to writing.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo as Plex shows it. `alone` says that it was asked for singly, where locks are certain to show."""

    key: str
    tags: tuple[str, ...]
    locked: bool
    alone: bool
    files: tuple[tuple[str, str, str], ...]
    """Part id, file and size of each."""

    def is_the_photo_of(self, item: Item) -> bool:
        """Whether the key still means what was listed (RELIABILITY P11); what is not said is no difference."""
        listed = (item.facts.get("part", ""), item.facts.get("file", ""), str(item.size or ""))
        return any(_agree(listed, file) for file in self.files)


class PlexView:
    """Reads photos by their keys."""

    def __init__(self, plex: PlexConnection) -> None:
        self._plex = plex
        self._locks: OrderedDict[str, Seen] = OrderedDict()

    def look(self, keys: Sequence[str]) -> dict[str, Seen]:
        """What is there, by key; a key that Plex does not know, or that is neither photo nor clip, is left out.

        Raises Unreachable.
        """
        found: dict[str, Seen] = {}
        # The photo that had a key before another one got it is kept under a key that Plex never gave.
        asked = [key for key in dict.fromkeys(keys) if key.isdecimal()]
        for some in _chunks(asked):
            found |= self._asked(some)
        self._locks.update(found)
        while len(self._locks) > _REMEMBERED:
            self._locks.popitem(last=False)
        return found

    def look_at_batch(self, keys: Sequence[str]) -> dict[str, Seen]:
        """The same of all photos of a batch: that every one of many has gone is not believed.

        Raises Unreachable.
        """
        found = self.look(keys)
        if len(keys) >= _ALL_GONE and not found:
            raise Unreachable(
                f"Plex does not show the tags of photos (404 for all {len(keys)} of them). Look into its log; "
                "if they were deleted, the next scan knows."
            )
        return found

    def before(self, key: str) -> Seen | None:
        """How it was seen the last time, if that is not long ago."""
        return self._locks.get(key)

    def _asked(self, keys: list[str]) -> dict[str, Seen]:
        try:
            return dict(self._pages(keys))
        except Refusal as error:
            if error.status == 404 and len(keys) == 1:
                return {}
            if error.status not in (400, 404, 414) or len(keys) == 1:
                raise Unreachable(f"Plex does not show the tags of photos ({error}).") from error
        # One of them may be what Plex stumbles over, or the list is too long for what stands between.
        middle = len(keys) // 2
        return self._asked(keys[:middle]) | self._asked(keys[middle:])

    def _pages(self, keys: list[str]) -> Iterator[tuple[str, Seen]]:
        path = f"/library/metadata/{','.join(quote(key, safe='') for key in keys)}"
        start = 0
        while start < len(keys):
            page = self._plex.get(path, start, len(keys))
            for entry in (one for one in page if one.tag in _TAGGED):
                yield entry.get("ratingKey", ""), _seen(entry, alone=len(keys) == 1)
            start += len(page)
            if not len(page) or start >= int(page.get("totalSize") or 0):
                return


def _seen(entry: Element, *, alone: bool) -> Seen:
    return Seen(
        key=entry.get("ratingKey", ""),
        tags=tuple(tag.get("tag", "") for tag in entry.findall("Tag")),
        locked=any(one.get("name") == "tag" and one.get("locked") == "1" for one in entry.findall("Field")),
        alone=alone,
        files=tuple(
            (part.get("id", ""), part.get("file", ""), part.get("size", "")) for part in entry.iter("Part")
        ),
    )


def _agree(listed: tuple[str, str, str], shown: tuple[str, str, str]) -> bool:
    return all(a == b for a, b in zip(listed, shown, strict=True) if a and b)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    some: list[str] = []
    length = 0
    for key in keys:
        if some and (len(some) == _MANY or length + len(key) + 1 > _LONGEST_URL):
            yield some
            some, length = [], 0
        some.append(key)
        length += len(key) + 1
    if some:
        yield some

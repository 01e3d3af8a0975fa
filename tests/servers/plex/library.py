"""What a Plex server knows of photos, and what edits do to it. Rules are those of a real server as far as they
are recorded; where reports disagree there is a switch in `Rules`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

Content = bytes | Callable[[], bytes]


@dataclass
class Rules:
    """Where real servers differ, or nobody knows."""

    adding: Literal["merge", "replace"] = "merge"
    locks_itself: bool = False
    """An edit without `.locked` locks the field."""
    moves_updated_at: bool = False
    fields_in_batches: bool = True
    """A multi-get shows locks, as the details of one photo do."""
    stale_key_in_edit: Literal["404", "ignored"] = "404"
    flat_listing: bool = True
    """`clusterZoomLevel=1` works; without it such a listing is empty, or as if it were not asked for."""
    zoom_is_ignored: bool = False
    filter_flattens: bool = True
    refuses: str = ""
    """A tag that no edit may name."""
    stores_edits: bool = True
    """False: an edit is answered 200 and forgotten."""


@dataclass(slots=True)
class Album:
    key: int
    title: str
    parent: Album | None
    albums: dict[str, Album] = field(default_factory=dict)
    photos: list[Photo] = field(default_factory=list)


@dataclass(slots=True)
class Photo:
    """A photo, or a clip where `clip` says so. `tags` are keys of tag rows in the order they came."""

    key: int
    section: Section
    album: Album | None
    name: str
    content: Content
    size: int
    added: int
    part: int
    changed: int
    path: str
    taken: str = "2019-07-14"
    clip: bool = False
    parts: int = 1
    updated: int = 0
    tags: list[str] = field(default_factory=list)
    by_client: set[str] = field(default_factory=set)
    """Tags that came by an edit; all others are a user's."""
    locked: bool = False
    user_locked: bool = False
    autotags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.name.rsplit(".", 1)[0]

    @property
    def container(self) -> str:
        return self.name.rsplit(".", 1)[-1].lower().replace("jpg", "jpeg")

    @property
    def part_key(self) -> str:
        return f"/library/parts/{self.part}/{self.changed}/file.{self.name.rsplit('.', 1)[-1]}"

    def bytes(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content()


@dataclass(slots=True)
class Section:
    key: int
    title: str
    type: str
    location: str
    root: Album
    photos: list[Photo] = field(default_factory=list)
    """In the order they were added."""
    clips: list[Photo] = field(default_factory=list)


class PlexLibrary:
    """The state behind the stand-in: what a test arranges, and what edits change."""

    def __init__(self) -> None:
        self.machine = "m4chine"
        self.rules = Rules()
        self.sections: dict[int, Section] = {}
        self.photos: dict[int, Photo] = {}
        self.albums: dict[int, Album] = {}
        self.parts: dict[int, Photo] = {}
        self.spelling: dict[str, str] = {}
        """Tag rows by their name without case; the first spelling wins."""
        self.harm: list[str] = []
        self._lost: set[str] = set()
        """User tags that an edit took away, as `key/row`."""
        self._next = 100_000
        self._clock = 1_600_000_000

    # What a test arranges.

    def add_section(self, title: str, type: str = "photo", location: str = "") -> Section:
        key = len(self.sections) + 1
        section = Section(key, title, type, location or f"/data/{title}", Album(0, "", None))
        self.sections[key] = section
        return section

    def add_album(self, path: str, section: Section | None = None) -> Album:
        """The album at `Summer/Sea`, made where missing; '' is the root."""
        album = (section or self.section).root
        for title in path.split("/") if path else ():
            if title not in album.albums:
                parent = album if album.key else None
                made = album.albums[title] = Album(self._key(), title, parent)
                self.albums[made.key] = made
            album = album.albums[title]
        return album

    def add_photo(
        self,
        album: str,
        name: str,
        content: Content = b"",
        *,
        size: int | None = None,
        tags: Iterable[str] = (),
        locked: bool = False,
        section: Section | None = None,
        clip: bool = False,
        taken: str = "2019-07-14",
        parts: int = 1,
    ) -> int:
        """Its rating key. `tags` and `locked` are a user's; lazy content needs a `size`."""
        home = section or self.section
        folder = self.add_album(album, home)
        self._clock += 1
        path = "/".join(part for part in (home.location, album, name) if part)
        if size is None:
            size = len(content) if isinstance(content, bytes) else len(content())
        photo = Photo(
            self._key(), home, folder if folder.key else None, name, content, size, self._clock,
            self._next + 1_000_000, self._clock, path, taken, clip, parts,
        )  # fmt: skip
        photo.locked = photo.user_locked = locked
        photo.tags = [self._row(tag) for tag in tags]
        self.photos[photo.key] = self.parts[photo.part] = photo
        folder.photos.append(photo)
        (home.clips if clip else home.photos).append(photo)
        return photo.key

    def replace(self, key: int, content: bytes) -> None:
        """Other bytes under the same name, as Plex shows them after its own scan."""
        photo = self.photos[key]
        self._clock += 1
        photo.content, photo.size, photo.changed = content, len(content), self._clock

    def remove_photo(self, key: int) -> None:
        photo = self.photos.pop(key)
        del self.parts[photo.part]
        (photo.album or photo.section.root).photos.remove(photo)
        # Photos stand in the order of `added`, so a removal among many is found at once.
        row = photo.section.clips if photo.clip else photo.section.photos
        del row[bisect_left(row, photo.added, key=lambda one: one.added)]

    def user_add(self, key: int, tag: str) -> None:
        photo, row = self.photos[key], self._row(tag)
        if row not in photo.tags:
            photo.tags.append(row)
        photo.by_client.discard(row)

    def user_remove(self, key: int, tag: str) -> None:
        photo, row = self.photos[key], tag.casefold()
        if row in photo.tags:
            photo.tags.remove(row)
        photo.by_client.discard(row)

    def user_lock(self, key: int, locked: bool = True) -> None:
        self.photos[key].locked = self.photos[key].user_locked = locked

    def wipe_client_tags(self) -> None:
        """The server comes back from a copy that was made before the client wrote anything."""
        for photo in self.photos.values():
            photo.tags = [row for row in photo.tags if row not in photo.by_client]
            photo.by_client.clear()

    # What a test looks at.

    @property
    def section(self) -> Section:
        """The first photo section; made as `Photos` where there is none."""
        found = (section for section in self.sections.values() if section.type == "photo")
        return next(found, None) or self.add_section("Photos")

    def tags(self, key: int) -> list[str]:
        """As Plex shows them."""
        return [self.shown(row) for row in self.photos[key].tags]

    def user_tags(self, key: int) -> list[str]:
        photo = self.photos[key]
        return [self.shown(row) for row in photo.tags if row not in photo.by_client]

    def key_of(self, path: str) -> int:
        """The rating key of `Summer/Sea/a.jpg`."""
        return next(photo.key for photo in self.photos.values() if self.relative(photo) == path)

    def relative(self, photo: Photo) -> str:
        return photo.path.removeprefix(photo.section.location).lstrip("/")

    def damage(self) -> list[str]:
        """All that a client must never do, in the order it was done; then locks that are not as the user left
        them. Empty is the only good answer."""
        moved = [photo for photo in self.photos.values() if photo.locked != photo.user_locked]
        return self.harm + [f"lock of {one.name} {'added' if one.locked else 'removed'}" for one in moved]

    # What edits do.

    def shown(self, row: str) -> str:
        """The first letter is upper-cased on read, also behind a dot: `.hidden` → `.Hidden`."""
        name = self.spelling[row]
        at = 1 if name.startswith(".") else 0
        return name[:at] + name[at : at + 1].upper() + name[at + 1 :]

    def edit(self, section: Section, parameters: Sequence[tuple[str, str]]) -> int:
        """Carries out `PUT /library/sections/K/all`; the status to answer."""
        given = dict(parameters)
        if not _is_understood(given) or given.get("type") not in ("12", "13"):
            return 400
        if "id" not in given:
            self.harm.append("whole-section edit")
        photos = list(self._meant(section, given))
        if any(photo is None for photo in photos) and self.rules.stale_key_in_edit == "404":
            return 404
        adds = [value for name, value in parameters if name.endswith("].tag.tag")]
        # Split at commas, then decoded once more: python-plexapi issue 1101.
        removes = [unquote(part) for part in given.get("tag[].tag.tag-", "").split(",") if part]
        if self.rules.refuses in (*adds, *removes):
            return 400
        both = {name.casefold() for name in adds} & {name.casefold() for name in removes}
        if both:
            self.harm.append(f"{', '.join(sorted(both))} added and removed in one edit, in no known order")
        for photo in photos:
            if photo and self.rules.stores_edits:
                self._change(photo, adds, removes, given.get("tag.locked"))
        return 200

    def _change(self, photo: Photo, adds: Sequence[str], removes: Sequence[str], lock: str | None) -> None:
        before = (list(photo.tags), photo.locked)
        rows = [self._row(name) for name in adds]
        if rows and self.rules.adding == "replace":
            photo.tags = [row for row in photo.tags if row in rows]
        for row in rows:
            if row not in photo.tags:
                photo.tags.append(row)
                # Putting back what the user had leaves it the user's.
                if f"{photo.key}/{row}" not in self._lost:
                    photo.by_client.add(row)
        gone = {name.casefold() for name in removes}
        photo.tags = [row for row in photo.tags if row not in gone]
        self._lock(photo, lock)
        if (photo.tags, photo.locked) == before:
            self.harm.append(f"edit that changed nothing on {photo.name}")
        if self.rules.moves_updated_at:
            self._clock += 1
            photo.updated = self._clock
        for row in before[0]:
            if row not in photo.tags and row not in photo.by_client:
                self._lost.add(f"{photo.key}/{row}")
                self.harm.append(f"user tag {self.shown(row)} of {photo.name} removed")
        photo.by_client &= set(photo.tags)

    def _lock(self, photo: Photo, lock: str | None) -> None:
        if lock is None:
            photo.locked = photo.locked or self.rules.locks_itself
            return
        if (lock == "1") != photo.user_locked:
            self.harm.append(f"lock of {photo.name} set to {lock} against the user")
        photo.locked = lock == "1"

    def _meant(self, section: Section, given: Mapping[str, str]) -> Iterator[Photo | None]:
        clip = given["type"] == "12"
        if "id" not in given:
            yield from section.clips if clip else section.photos
            return
        for key in given["id"].split(","):
            photo = self.photos.get(int(key)) if key.isdigit() else None
            yield photo if photo and photo.section is section and photo.clip == clip else None

    def _row(self, name: str) -> str:
        self.spelling.setdefault(name.casefold(), name)
        return name.casefold()

    def _key(self) -> int:
        self._next += 1
        return self._next


def _is_understood(given: Mapping[str, str]) -> bool:
    """A parameter that is none of the documented ones, or a list with holes, is a client's mistake."""
    rows = [name for name in given if name.startswith("tag[") and name.endswith("].tag.tag")]
    numbered = {f"tag[{number}].tag.tag" for number in range(len(rows))}
    known = numbered | {"id", "type", "tag.locked", "tag[].tag.tag-"}
    return set(given) <= known and given.get("tag.locked") in (None, "0", "1")

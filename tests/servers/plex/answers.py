"""Which request gets which answer. No sockets here: `answer` is a function of the library and a request."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from tests.servers.plex import xml
from tests.servers.plex.library import Album, Photo, PlexLibrary, Section

Kind = Literal["connect", "listing", "download", "rendition", "read", "edit", "other"]
LARGEST_PAGE = 1000
_SORTS = ("", "addedAt", "addedAt:asc", "titleSort", "titleSort:asc", "originallyAvailableAt")
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/xml;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A request with its URL taken apart."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str]) -> Question:
        split = urlsplit(url)
        return cls(method, split.path, tuple(parse_qsl(split.query, keep_blank_values=True)), headers)

    def get(self, name: str) -> str:
        """A parameter, or the header of that name, as Plex takes either."""
        return dict(self.parameters).get(name) or self.headers.get(name) or ""

    @property
    def kind(self) -> Kind:
        for pattern, kind in _KINDS:
            if re.fullmatch(pattern, f"{self.method} {self.path}"):
                return kind
        return "other"


_KINDS: Sequence[tuple[str, Kind]] = (
    (r"GET (/|/identity|/library|/library/sections/?)", "connect"),
    (r"GET /library/(sections/\d+/all|metadata/\d+/children)", "listing"),
    (r"GET /library/parts/.*", "download"),
    (r"GET (/photo/:/transcode|/library/metadata/\d+/thumb/.*)", "rendition"),
    (r"GET /library/metadata/[\d,]+", "read"),
    (r"PUT .*", "edit"),
)


def answer(library: PlexLibrary, question: Question) -> Answer:
    """What the server says to it; edits change the library."""
    if question.method == "DELETE":
        library.harm.append(f"delete of {question.path}")
    path, method = question.path, question.method
    for pattern, handle in _ROUTES:
        if found := re.fullmatch(pattern, f"{method} {path}"):
            return handle(library, question, *found.groups())
    return Answer(404)


def _root(library: PlexLibrary, question: Question) -> Answer:
    return _xml(
        xml.container(
            friendlyName="nas", machineIdentifier=library.machine, version="1.43.4.10000", platform="Linux"
        )
    )


def _identity(library: PlexLibrary, question: Question) -> Answer:
    return _xml(xml.container(machineIdentifier=library.machine, version="1.43.4.10000", claimed=1))


def _library(library: PlexLibrary, question: Question) -> Answer:
    return _xml(xml.container(title1="Plex Library", identifier="com.plexapp.plugins.library"))


def _sections(library: PlexLibrary, question: Question) -> Answer:
    return _xml(xml.container((xml.section(one) for one in library.sections.values()), title1="Plex Library"))


def _all(library: PlexLibrary, question: Question, key: str) -> Answer:
    section = library.sections.get(int(key))
    if section is None:
        return Answer(404)
    if question.get("sort") not in _SORTS:
        return Answer(400)
    type_, flat = question.get("type"), question.get("clusterZoomLevel") == "1"
    if type_ == "14":
        return _page(question, list(section.root.albums.values()), xml.album)
    if question.get("addedAt>>") or question.get("addedAt>"):
        flat = library.rules.filter_flattens
    elif flat and library.rules.zoom_is_ignored:
        flat = False
    elif flat and not library.rules.flat_listing:
        return _page(question, [], xml.album)
    return _page(
        question,
        _listed(section, type_, flat, question.get("sort")),
        lambda one: xml.photo(library, one, details=False),
    )


def _listed(section: Section, type_: str, flat: bool, sort: str) -> list[Photo]:
    if not flat:
        loose = section.root.photos
        return [one for one in loose if type_ == "" or one.clip == (type_ == "12")]
    photos = section.clips if type_ == "12" else section.photos
    if type_ == "":
        photos = section.photos + section.clips
    # By title is the default order, so that a rename moves a photo.
    return photos if sort.startswith("addedAt") else sorted(photos, key=lambda one: one.title)


def _children(library: PlexLibrary, question: Question, key: str) -> Answer:
    album = library.albums.get(int(key))
    if album is None:
        return Answer(404)
    inside: list[Album | Photo] = [*album.albums.values(), *album.photos]
    return _page(
        question,
        inside,
        lambda one: xml.album(one) if isinstance(one, Album) else xml.photo(library, one, details=False),
    )


def _metadata(library: PlexLibrary, question: Question, keys: str) -> Answer:
    wanted = [int(key) for key in keys.split(",")]
    found: list[Album | Photo] = [library.photos[key] for key in wanted if key in library.photos]
    found += [library.albums[key] for key in wanted if key in library.albums]
    if not found:
        return Answer(404)
    many = len(wanted) > 1

    def render(one: Album | Photo) -> str:
        if isinstance(one, Album):
            return xml.album(one)
        return xml.photo(library, one, details=True, fields=not many or library.rules.fields_in_batches)

    if many:
        return _page(question, found, render)
    return _xml(xml.container([render(found[0])], librarySectionID=1))


def _page(question: Question, rows: Sequence[T], render: Callable[[T], str]) -> Answer:
    """Part of a listing. A page over 1000, or no page size at all, fails (announced in 1.28, seen 2025)."""
    size, start = question.get("X-Plex-Container-Size"), question.get("X-Plex-Container-Start") or "0"
    if not (size.isdigit() and start.isdigit()) or int(size) > LARGEST_PAGE:
        return Answer(400)
    shown = rows[int(start) : int(start) + int(size)]
    body = xml.container(map(render, shown), totalSize=len(rows), offset=start)
    totals = {"X-Plex-Container-Start": start, "X-Plex-Container-Total-Size": str(len(rows))}
    return Answer(body=body.encode(), headers=totals)


def _part(library: PlexLibrary, question: Question, part: str, stamp: str) -> Answer:
    photo = library.parts.get(int(part))
    if photo is None or str(photo.changed) != stamp:
        return Answer(404)
    content = photo.bytes()
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", question.headers.get("Range") or "")
    if not wanted:
        return Answer(200, content, f"image/{photo.container}", {"Accept-Ranges": "bytes"})
    first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
    if first >= len(content):
        return Answer(416, headers={"Content-Range": f"bytes */{len(content)}"})
    piece = content[first : last + 1]
    where = f"bytes {first}-{first + len(piece) - 1}/{len(content)}"
    return Answer(206, piece, f"image/{photo.container}", {"Content-Range": where})


def _transcode(library: PlexLibrary, question: Question) -> Answer:
    found = re.fullmatch(r"/library/metadata/(\d+)/thumb/\d+", question.get("url"))
    photo = library.photos.get(int(found[1])) if found else None
    if photo is None or not question.get("width").isdigit() or not question.get("height").isdigit():
        return Answer(404)
    box = (int(question.get("width")), int(question.get("height")))
    with Image.open(io.BytesIO(photo.bytes())) as image:
        small = image.convert("RGB")
    if question.get("upscale") == "1" or small.width > box[0] or small.height > box[1]:
        scale = (max if question.get("minSize") == "1" else min)(box[0] / small.width, box[1] / small.height)
        small = small.resize((max(1, round(small.width * scale)), max(1, round(small.height * scale))))
    file = io.BytesIO()
    small.save(file, "JPEG")
    return Answer(200, file.getvalue(), "image/jpeg")


def _thumb(library: PlexLibrary, question: Question, key: str) -> Answer:
    photo = library.photos.get(int(key))
    return Answer(200, photo.bytes(), "image/jpeg") if photo else Answer(404)


def _tag_rows(library: PlexLibrary, question: Question, *_: str) -> Answer:
    used = {row for photo in library.photos.values() for row in photo.tags}
    return _xml(xml.container(xml.tag_rows(library.shown(row) for row in sorted(used))))


def _edit(library: PlexLibrary, question: Question, key: str) -> Answer:
    section = library.sections.get(int(key))
    return Answer(404) if section is None else Answer(library.edit(section, question.parameters))


def _xml(body: str) -> Answer:
    return Answer(body=body.encode())


_ROUTES: Sequence[tuple[str, Callable[..., Answer]]] = (
    (r"GET /", _root),
    (r"GET /identity", _identity),
    (r"GET /library", _library),
    (r"GET /library/sections/?", _sections),
    (r"GET /library/sections/(\d+)/all", _all),
    (r"PUT /library/sections/(\d+)/all", _edit),
    (r"GET /library/metadata/(\d+)/children", _children),
    (r"GET /library/metadata/(\d+)/thumb/\d+", _thumb),
    (r"GET /library/metadata/(\d+(?:,\d+)*)", _metadata),
    (r"GET /library/parts/(\d+)/(\d+)/[^/]*", _part),
    (r"GET /photo/:/transcode", _transcode),
    (r"GET /library/tags", _tag_rows),
    (r"GET /library/sections/(\d+)/tag", _tag_rows),
)

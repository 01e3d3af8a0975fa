"""The XML shapes of a Plex server, from recorded answers."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from tests.servers.plex.library import Album, Photo, PlexLibrary, Section

# A listing shows two tags of an item at most; the details show all.
TAGS_IN_LISTING = 2


def container(children: Iterable[str] = (), **attributes: object) -> str:
    inside = list(children)
    shown = {"size": len(inside), **attributes}
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer{_attributes(shown)}>'
    return head + "".join(inside) + "</MediaContainer>\n"


def section(one: Section) -> str:
    head = _attributes(
        {
            "key": one.key,
            "type": one.type,
            "title": one.title,
            "agent": "com.plexapp.agents.none",
            "scanner": "Plex Photo Scanner",
            "uuid": f"0000-{one.key}",
        }
    )
    return f'<Directory{head}><Location id="{one.key}" path={quoteattr(one.location)}/></Directory>'


def album(one: Album) -> str:
    return "<Directory{}/>".format(
        _attributes(
            {
                "ratingKey": one.key,
                "key": f"/library/metadata/{one.key}/children",
                "guid": f"local://{one.key}",
                "type": "photo",
                "title": one.title,
                "summary": "",
                "index": 1,
                "addedAt": 1_500_000_000,
                "updatedAt": 1_500_000_000,
            }
        )
    )


def photo(library: PlexLibrary, one: Photo, *, details: bool, fields: bool = True) -> str:
    """A `<Photo>` or, for a clip, a `<Video>`; `details` brings all tags, and with `fields` the locks."""
    head: dict[str, object] = {"ratingKey": one.key, "key": f"/library/metadata/{one.key}"}
    if one.album:
        head |= {
            "parentRatingKey": one.album.key,
            "parentKey": f"/library/metadata/{one.album.key}",
            "parentTitle": one.album.title,
        }
        if one.album.parent:
            head["grandparentTitle"] = one.album.parent.title
    head |= {
        "guid": f"com.plexapp.agents.none://{one.key}?lang=xn",
        "type": "clip" if one.clip else "photo",
        "title": one.title,
        "librarySectionTitle": one.section.title,
        "librarySectionID": one.section.key,
        "librarySectionKey": f"/library/sections/{one.section.key}",
        "summary": "",
        "index": 1,
        "thumb": f"/library/metadata/{one.key}/thumb/{one.changed}",
        "originallyAvailableAt": one.taken,
        "addedAt": one.added,
        "updatedAt": one.updated or one.changed,
        "createdAtAccuracy": "epoch,local" if one.clip else "local",
        **({"duration": 2000} if one.clip else {}),
    }
    shown = library.tags(one.key)
    tags = shown if details else shown[:TAGS_IN_LISTING]
    inside = _media(one) + "".join(f"<Tag{_attributes(_tag(tag))}/>" for tag in tags)
    inside += "".join(f'<Autotag id="9" tag={quoteattr(tag)} confidence="0.8"/>' for tag in one.autotags)
    if details and fields and one.locked:
        inside += '<Field locked="1" name="tag"/>'
    element = "Video" if one.clip else "Photo"
    return f"<{element}{_attributes(head)}>{inside}</{element}>\n"


def tag_rows(names: Iterable[str]) -> Iterable[str]:
    return (f"<Directory{_attributes(_tag(name))}/>" for name in names)


def _tag(name: str) -> dict[str, object]:
    number = sum(name.encode()) % 9999
    return {"id": number, "filter": f"tag={number}", "tag": name}


def _media(one: Photo) -> str:
    """Its files; a second one is the same picture in another format, no part at all a file Plex has lost."""
    media = []
    for number in range(one.parts):
        part = {
            "id": one.part + number * 5_000_000,
            "key": one.part_key,
            "file": one.path if number == 0 else f"{one.path}.dng",
            "size": one.size,
            "container": one.container if number == 0 else "raw",
            "orientation": 1,
        }
        media.append(
            f'<Media id="{one.part}" width="32" height="24" container="{one.container}">'
            f"<Part{_attributes(part)}/></Media>"
        )
    return "".join(media)


def _attributes(values: dict[str, object]) -> str:
    return "".join(f" {name}={_quoted(value)}" for name, value in values.items())


def _quoted(value: object) -> str:
    text = str(value)
    # An attribute's line ends become spaces for every reader unless they are written as references.
    return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})

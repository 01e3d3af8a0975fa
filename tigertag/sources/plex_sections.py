"""Which sections of a Plex server are meant. Pure."""

from __future__ import annotations

import difflib

from tigertag.errors import ConfigError
from tigertag.plexserver import PlexSection


def chosen(sections: tuple[PlexSection, ...], names: tuple[str, ...], url: str) -> tuple[PlexSection, ...]:
    """The photo sections meant by titles or keys, each once; all of them where none is named.

    Raises ConfigError naming each that is missing or holds no photos, with those there are.
    """
    photos = {section.key: section for section in sections if section.type == "photo"}
    if not photos:
        raise ConfigError(
            f"Plex at {url} shows no photo section to this token. Make one in Plex, or use another."
        )
    chosen: dict[str, PlexSection] = {} if names else dict(photos)
    faults = []
    for name in names:
        meant = [one for one in sections if name == one.key or name.casefold() == one.title.casefold()]
        good = {one.key: one for one in meant if one.key in photos}
        chosen |= good
        if not good:
            faults.append(_not_chosen(name, meant, tuple(photos.values())))
    if faults:
        raise ConfigError(*faults)
    return tuple(chosen.values())


def _not_chosen(name: str, meant: list[PlexSection], photos: tuple[PlexSection, ...]) -> str:
    there = ", ".join(f'"{one.title}" (key {one.key})' for one in photos)
    if meant:
        return f'Plex section "{name}" holds no photos (its type is {meant[0].type}). Photo sections: {there}.'
    near = difflib.get_close_matches(name, [one.title for one in photos], n=1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    return f'Plex has no section "{name}"{hint}. Photo sections: {there}.'

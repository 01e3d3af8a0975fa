"""The names of countries in some 200 languages, from the Unicode CLDR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from tigertag.atlas.packed import packed, unpacked

_FILE = "countries.bin"


def has_language(language: str) -> bool:
    """Whether there are names in it: `de`, `pt-BR`, `zh-Hant`; case does not count. Raises PluginDown."""
    return bool(_known(language))


def country_name(code: str, language: str = "en") -> str:
    """The name of a country in a language, else in English, else its code. Raises PluginDown."""
    return _names(language).get(code) or _names("en").get(code) or code


@cache
def _names(language: str) -> Mapping[str, str]:
    """The most general form first, so that a regional one has the last word."""
    found: dict[str, str] = {}
    for one in reversed(_known(language)):
        start, stop = _spans()[one]
        found.update(json.loads(unpacked(_FILE, packed(_FILE)[start:stop])))
    return found


def _known(language: str) -> tuple[str, ...]:
    """`pt-BR` → `pt-BR`, `pt`, as far as they are there."""
    parts = language.replace("_", "-").casefold().split("-")
    known = {name.casefold(): name for name in _spans()}
    asked = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return tuple(known[one] for one in asked if one in known)


@cache
def _spans() -> Mapping[str, tuple[int, int]]:
    """Where in the file each language is: it begins with a table of their lengths."""
    content = packed(_FILE)
    at = 4 + int.from_bytes(content[:4], "little")
    spans = {}
    for language, length in json.loads(unpacked(_FILE, content[4:at])).items():
        spans[language] = (at, at + length)
        at += length
    return spans

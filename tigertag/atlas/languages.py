"""Files of names in many languages, each packed by itself, so that one can be had without the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tigertag.atlas.packed import packed, unpacked
from tigertag.errors import PluginDown

_SAME = {"nb": "no", "nn": "no", "zh-cn": "zh", "zh-tw": "zh-hant", "zh-hk": "zh-hant"}
"""Languages under the code that the data may have them by."""


@dataclass
class Languages:
    """The languages of a file: a table of the lengths, then each language's JSON. Raises PluginDown."""

    file: str

    def known(self, language: str) -> tuple[str, ...]:
        """`pt-BR` → `pt-BR`, `pt`, as far as they are there; case does not count."""
        parts = language.replace("_", "-").casefold().split("-")
        asked = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
        asked += [_SAME[one] for one in asked if one in _SAME and _SAME[one] not in asked]
        known = {name.casefold(): name for name in self._spans if name}
        return tuple(known[one] for one in asked if one in known)

    def names(self, language: str) -> Mapping[str, str]:
        """The most general form first, so that a regional one has the last word."""
        found: dict[str, str] = {}
        for one in reversed(self.known(language)):
            found.update(json.loads(self._text(one)))
        return found

    @cached_property
    def keys(self) -> Sequence[str]:
        """What the numbers mean that names have for keys, in a file where they have."""
        return tuple(json.loads(self._text("")))

    def _text(self, name: str) -> bytes:
        start, stop = self._spans[name]
        return unpacked(self.file, self._content[start:stop])

    @cached_property
    def _content(self) -> bytes:
        return packed(self.file)

    @cached_property
    def _spans(self) -> Mapping[str, tuple[int, int]]:
        at = 4 + int.from_bytes(self._content[:4], "little")
        spans = {}
        for language, length in json.loads(unpacked(self.file, self._content[4:at])).items():
            spans[language] = (at, at + length)
            at += length
        if at > len(self._content):
            raise PluginDown(f"the atlas file {self.file} is cut short: install TigerTag anew")
        return spans

"""Files of names in many languages, each packed by itself, so that one can be had without the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tigertag.atlas.packed import packed, unpacked
from tigertag.errors import PluginDown

_SAME = {"zh-tw": "zh-hant", "zh-hk": "zh-hant-hk", "zh-mo": "zh-hant"}
"""What people write, and what the data calls it."""
_MORE = {"nb": "no", "nn": "no"}
"""Languages that have some of their names under another one's code."""


@dataclass
class Languages:
    """The languages of a file: a table of the lengths, then each language's JSON. Raises PluginDown."""

    file: str
    scripts_apart: bool = False
    """Whether a language in another script (`zh-Hant`) stands by itself, as it does in the CLDR."""

    def known(self, language: str) -> tuple[str, ...]:
        """`pt-BR` → `pt-BR`, `pt`, as far as they are there; case does not count."""
        known = {name.casefold(): name for name in self._spans if name}
        low = language.replace("_", "-").casefold()
        parts = _SAME.get(low, low).split("-")
        asked = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
        asked += [_MORE[one] for one in asked if one in _MORE]
        if self.scripts_apart:
            scripts = [place for place, one in enumerate(asked) if len(one.rpartition("-")[2]) == 4]
            asked = asked[: scripts[0] + 1] if scripts else asked
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

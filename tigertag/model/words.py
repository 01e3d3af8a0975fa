"""How names and settings are compared, and what a setting may hold."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


LONGEST_NAME = 500
"""Characters a tag may have; a longer one is refused by name, never cut."""


CAPTION = "caption"
"""The name of an annotation of kind `text` that says in a sentence what the photo shows."""


@lru_cache(maxsize=1 << 14)
def fold(name: str) -> str:
    """The form under which two names are the same tag: strip, NFC, casefold, NFC again.

    Casefolding can undo the normal form, so it is restored. Computed here only, never by a database.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def fingerprint(value: JSON) -> str:
    """SHA-256, in hex, of the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

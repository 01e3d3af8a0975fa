"""Options of engines whose vectors become tags by words."""

from __future__ import annotations

from pydantic import Field

from tigertag.options import CommaList, EngineOptions

GENERAL, OWN = "general", "vocabulary"
"""Words that ship with TigerTag, and the tags of the owner's vocabulary; all others are files."""


class WordOptions(EngineOptions):
    """Options of every engine that understands words."""

    words: CommaList = Field(
        (GENERAL, OWN),
        description="What is looked for: general (everyday words), vocabulary (your tags), YAML files.",
    )

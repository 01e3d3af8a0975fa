"""The rules that decide about a tag, each by its name."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """Why something that an engine said becomes a tag, or does not. The first that applies is named."""

    WRITTEN = "written"
    LANGUAGE = "language"
    """The photo has names in a language that the engine's settings prefer."""
    ENGINE_CONFIDENCE = "engine confidence"
    """Below the engine's MIN_CONFIDENCE."""
    TAG_CONFIDENCE = "tag confidence"
    """Below the `min_confidence` of the tag."""
    DENIED = "denied"
    NOT_ALLOWED = "not allowed"
    """There is an `allow` list, and it is not in it."""
    CATEGORY = "category"
    """It only holds other tags."""
    REPEATED = "repeated"
    """The engine says the same tag more surely under another name."""
    AGREEMENT = "agreement"
    """Too few engines say it, or engines that are trusted too little."""
    ENGINE_LIMIT = "engine limit"
    """Over the engine's MAX_TAGS."""
    PHOTO_LIMIT = "photo limit"
    """Over the vocabulary's `max_tags`."""

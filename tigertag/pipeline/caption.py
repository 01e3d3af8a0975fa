"""Which caption a photo gets, and whether it is written. Pure.

A caption has no ledger: it is written where there is none or one of ours, and comes and goes with tags of ours,
so that an undo leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tigertag.model import CAPTION, Annotation, Kind, Shown
from tigertag.pipeline.plan import Plan

_LONGEST = 2000
"""Characters; a model that goes on and on says nothing more."""


def caption_of(said: Mapping[str, Iterable[Annotation]]) -> str:
    """That of the first engine, as configured, that gave one; on one line, empty where none did."""
    texts = (
        _plain(each.value)
        for answer in said.values()
        for each in answer
        if each.kind is Kind.TEXT and each.name == CAPTION and isinstance(each.value, str)
    )
    return next((text for text in texts if text), "")


def _plain(text: str) -> str:
    visible = (sign if sign.isprintable() or sign == "\u200d" else " " for sign in text[:_LONGEST])
    return " ".join("".join(visible).split())


def to_write(caption: str, seen: Shown, decided: Plan) -> str | None:
    """The caption that is to be written, None where what stands there stays."""
    if not caption or seen.caption in (None, caption):
        return None
    is_ours_there = bool(decided.add) or any(entry.ours for entry in decided.kept)
    return caption if is_ours_there else None

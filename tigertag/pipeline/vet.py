"""What of an engine's answer can be stored: a third party's engine may say anything (RELIABILITY E8). Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from tigertag.meaning.packing import bytes_of
from tigertag.model import JSON, LONGEST_NAME, Analysis, Annotation, Box, Kind

MOST_ANNOTATIONS = 1000
"""Of one answer; the surest are kept."""

_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORED = re.compile(r"[\x00\ud800-\udfff]")
_LONGEST_LANGUAGE = 40
_LONGEST_RAW = 64 * 1024
_NAMED = (Kind.TAG, Kind.PERSON, Kind.MEASURE)


def vetted(answer: Analysis) -> Analysis:
    """The answer without annotations that are no good; `dropped` counts them. Names are stripped."""
    good = [_stripped(each) for each in answer.annotations if _is_sound(each)]
    kept = _surest(good)
    dropped = answer.dropped + len(answer.annotations) - len(kept)
    raw = storable(answer.raw)[:_LONGEST_RAW]
    return replace(answer, annotations=tuple(kept), dropped=dropped, raw=raw)


def storable(text: str) -> str:
    """A reason or a raw answer as every database takes it: no NUL, and no half of a surrogate pair."""
    return _UNSTORED.sub("�", text)


def _stripped(each: Annotation) -> Annotation:
    name = each.name.strip()
    return each if name == each.name else replace(each, name=name)


def _surest(good: Sequence[Annotation]) -> list[Annotation]:
    """At most `MOST_ANNOTATIONS`, in the engine's order."""
    if len(good) <= MOST_ANNOTATIONS:
        return list(good)
    order = sorted(range(len(good)), key=lambda place: -good[place].confidence)[:MOST_ANNOTATIONS]
    return [good[place] for place in sorted(order)]


def _is_sound(each: Annotation) -> bool:
    name = each.name.strip()
    return (
        math.isfinite(each.confidence)
        and 0 <= each.confidence <= 1
        and len(name) <= LONGEST_NAME
        and _is_text(name)
        and _is_text(each.language)
        and len(each.language) <= _LONGEST_LANGUAGE
        and (bool(name) or each.kind not in _NAMED)
        and (each.box is None or _is_inside(each.box))
        and (each.kind is not Kind.EMBEDDING or each.box is not None or _is_vector(each.value))
    )


def _is_text(text: str) -> bool:
    """No control characters and no half of a surrogate pair: a database refuses them, a terminal obeys them."""
    return _NO_TEXT.search(text) is None


def _is_vector(value: JSON) -> bool:
    try:
        return bool(bytes_of(value))
    except ValueError:
        return False


def _is_inside(box: Box) -> bool:
    sides = (box.x, box.y, box.width, box.height)
    return all(math.isfinite(side) and 0 <= side <= 1 for side in sides)

"""Reads Imagga's answers. Pure: JSON in, nouns out. Nothing in an answer is taken on trust."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tigertag.engines.imagga.options import FALLBACK
from tigertag.http import BadReply
from tigertag.model import JSON, LONGEST_NAME, Annotation, Kind, fold

MOST = 1000
"""Annotations that are kept of one answer."""
_HIGHEST = 100.01  # single-precision hundreds come a little high


@dataclass(frozen=True, slots=True)
class Usage:
    """What the account may do: requests processed and allowed this billing period, and side by side."""

    processed: int
    limit: int
    until: str = ""
    """The end of the billing period in Imagga's words ("18 of Oct, 2018")."""
    at_once: int = 1


def usage_of(answer: JSON) -> Usage:
    """The answer of `GET /usage?concurrency=1`. Raises BadReply where it does not say what is left."""
    result = _at(answer, "result")
    processed, limit = (_count(_at(result, f"monthly_{name}")) for name in ("processed", "limit"))
    if processed is None or limit is None:
        raise BadReply("Imagga's usage could not be read (no monthly_limit and monthly_processed)")
    until = _at(result, "billing_period_end")
    return Usage(
        processed=processed,
        limit=limit,
        until=one_line(until, 60) if isinstance(until, str) else "",
        at_once=max(1, _count(_at(_at(result, "concurrency"), "max")) or 1),
    )


def refusal_of(answer: JSON) -> str | None:
    """What an answer whose status is "error" says, in one line; None where it is no such answer."""
    status = _at(answer, "status")
    if _at(status, "type") != "error":
        return None
    text = _at(status, "text")
    return one_line(text, 200) if isinstance(text, str) else ""


def tags_of(answer: JSON, languages: Sequence[str]) -> tuple[tuple[Annotation, ...], int]:
    """The tags of an answer by falling confidence, and how many were left out because they were no good.

    One annotation for each name and language asked for. Raises BadReply where there is no list of tags.
    """
    tags = _at(_at(answer, "result"), "tags")
    if not isinstance(tags, Sequence) or isinstance(tags, str):
        raise BadReply("Imagga's answer could not be read (no list of tags)")
    read = [one for tag in tags for one in _annotations(tag, languages)]
    good = sorted((one for one in read if one is not None), key=lambda one: -one.confidence)
    kept = {(one.language, fold(one.name)): one for one in reversed(good)}  # of two alike the surer one
    ordered = tuple(one for one in good if kept[one.language, fold(one.name)] is one)[:MOST]
    return ordered, len(read) - len(ordered)


def one_line(text: str, longest: int) -> str:
    """A service's words as part of a sentence of ours."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable())[:longest]


def _annotations(tag: JSON, languages: Sequence[str]) -> Iterator[Annotation | None]:
    """What one entry says, None for each part of it that is no good."""
    confidence, names = _number(_at(tag, "confidence")), _at(tag, "tag")
    if confidence is None or confidence > _HIGHEST or not isinstance(names, Mapping) or not names:
        yield None
        return
    for language in _spoken(names, languages):
        yield _annotation(names[language], min(confidence / 100, 1.0), language)


def _spoken(names: Mapping[str, JSON], languages: Sequence[str]) -> Sequence[str]:
    """The languages to take of those it has a name in: those asked for, else English, else the first."""
    named = [language for language, name in names.items() if isinstance(name, str) and name.strip()]
    asked = [language for language in languages if language in named]
    return asked or ([FALLBACK] if FALLBACK in named else named[:1] or list(names)[:1])


def _annotation(name: JSON, confidence: float, language: str) -> Annotation | None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_-]{0,40}", language):
        return None
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        return None
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        return None
    return Annotation(Kind.TAG, name.strip(), confidence, language=language)


def _at(value: JSON, key: str) -> JSON:
    return value.get(key) if isinstance(value, Mapping) else None


def _number(value: JSON) -> float | None:
    """A number from 0 on that is not absurd; neither NaN nor a truth value is one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    return float(value)


def _count(value: JSON) -> int | None:
    """A whole number from 0 on; Imagga writes some as floats."""
    number = _number(value)
    return None if number is None else int(number)

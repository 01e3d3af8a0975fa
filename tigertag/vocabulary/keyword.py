"""A list of keywords as other programs exchange it: a tree, with other names for some."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tigertag.model import LONGEST_NAME, fold

TOP: Final[tuple[str, ...]] = ()
"""The place of what has nothing above it."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A name at its place in a tree."""

    name: str
    path: tuple[str, ...] = ()
    """The names above it, outermost first."""
    synonyms: tuple[str, ...] = ()
    is_category: bool = False
    """It only holds others: it is not put on photos."""
    line: int = 0
    """Where it stands in the list; 0 for one that was not read."""


@dataclass(slots=True)
class Listed:
    """What was read from a list, and what could not be."""

    keywords: list[Keyword]
    faults: list[str]
    """A sentence each, with the line."""


def trouble_with(name: str) -> str:
    """Why a name cannot be a tag, empty where it can."""
    if not name.isprintable():
        return "has signs that cannot be printed"
    return f"is longer than {LONGEST_NAME} signs" if len(name) > LONGEST_NAME else ""


def children(keywords: Iterable[Keyword]) -> Mapping[tuple[str, ...], Sequence[Keyword]]:
    """The keywords right below each folded place, in the order they are given."""
    found: dict[tuple[str, ...], list[Keyword]] = {}
    for each in keywords:
        found.setdefault(folded(each.path), []).append(each)
    return found


def folded(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(fold, path))


def lines_of(text: str) -> list[str]:
    """The lines of a text, however they end, without the mark that some programs put before UTF-8."""
    return re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))

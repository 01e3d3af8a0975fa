"""Keyword lists as Lightroom Classic imports and exports them; darktable, Bridge and others read them too.

A keyword a line, indented by a tab for each keyword above it. In `[brackets]`: not put into files, it only
holds others. In `{braces}`, one tab deeper: a synonym of the keyword above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tigertag.vocabulary.keyword import TOP, Keyword, Listed, children, folded, lines_of, trouble_with


def read(text: str) -> Listed:
    """The keywords of a list, in its order. A line that cannot be understood is named and passed over."""
    found = Listed([], [])
    above: list[int] = []  # the keyword that is open at each depth
    for number, line in enumerate(lines_of(text), 1):
        name = line.strip()
        depth = len(line) - len(line.lstrip("\t"))
        if not name:
            continue
        if line[depth].isspace():
            found.faults.append(f"line {number}: `{name}` is indented by blanks: use a tab for each step")
        elif depth > len(above):
            found.faults.append(f"line {number}: `{name}` is more than one tab deeper than the line above")
        elif reason := trouble_with(name):
            found.faults.append(f"line {number}: the name {reason}")
        elif _is_in(name, "{}"):
            _add_synonym(found, above[depth - 1] if depth else None, name[1:-1].strip(), number)
        else:
            del above[depth:]
            above.append(len(found.keywords))
            found.keywords.append(_keyword(name, above[:-1], found.keywords, number))
    return found


def _keyword(name: str, above: list[int], keywords: list[Keyword], line: int) -> Keyword:
    is_category = _is_in(name, "[]")
    plain = name[1:-1].strip() if is_category else name
    return Keyword(plain, tuple(keywords[at].name for at in above), is_category=is_category, line=line)


def _add_synonym(found: Listed, at: int | None, name: str, line: int) -> None:
    if at is None:
        found.faults.append(f"line {line}: the synonym `{name}` stands below no keyword")
        return
    keyword = found.keywords[at]
    found.keywords[at] = replace(keyword, synonyms=(*keyword.synonyms, name))


def _is_in(name: str, signs: str) -> bool:
    return len(name) > 2 and name[0] == signs[0] and name[-1] == signs[1]


def trouble_with_name(name: str) -> str:
    """Why a name cannot stand in a list, empty where it can."""
    return "begins with a bracket, which means something else in a Lightroom list" if name[0] in "[{" else ""


def write(keywords: Iterable[Keyword]) -> list[str]:
    """The lines of a list that `read` reads the same: the keywords below each in the order they are given."""
    by_place = children(keywords)
    lines: list[str] = []
    waiting = [*reversed(by_place.get(TOP, ()))]
    while waiting:
        keyword = waiting.pop()
        tabs = "\t" * len(keyword.path)
        lines.append(f"{tabs}[{keyword.name}]" if keyword.is_category else tabs + keyword.name)
        lines += [f"{tabs}\t{{{synonym}}}" for synonym in keyword.synonyms]
        waiting += reversed(by_place.get(folded((*keyword.path, keyword.name)), ()))
    return lines

"""Tag trees as in digiKam's `TagsList`: a path a line, its names joined by `/`, outermost first."""

from __future__ import annotations

from collections.abc import Iterable

from tigertag.vocabulary.keyword import Keyword, Listed, lines_of, trouble_with


def read(text: str) -> Listed:
    """The tags of a list; those that only stand in the paths of others come before them."""
    found = Listed([], [])
    known: set[tuple[str, ...]] = set()
    for number, line in enumerate(lines_of(text), 1):
        path = tuple(part.strip() for part in line.strip().strip("/").split("/"))
        if path == ("",):
            continue
        if "" in path:
            found.faults.append(f"line {number}: `{line.strip()}` has a name of no signs between two `/`")
            continue
        if reasons := [reason for part in path if (reason := trouble_with(part))]:
            found.faults.append(f"line {number}: a name {reasons[0]}")
            continue
        for depth in range(1, len(path) + 1):
            if path[:depth] not in known:
                known.add(path[:depth])
                found.keywords.append(Keyword(path[depth - 1], path[: depth - 1], line=number))
    return found


def trouble_with_name(name: str) -> str:
    """Why a name cannot stand in a list, empty where it can."""
    return "has a `/`, which digiKam takes for a step down" if "/" in name else ""


def write(keywords: Iterable[Keyword]) -> list[str]:
    """The lines of a list that `read` reads the same, but for synonyms and categories: digiKam has none."""
    return ["/".join((*keyword.path, keyword.name)) for keyword in keywords]

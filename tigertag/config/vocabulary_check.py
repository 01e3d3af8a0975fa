"""Whether the parts of a vocabulary fit together: clashes of names, and parents that go round in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tigertag.config.vocabulary_nodes import Reading
from tigertag.config.vocabulary_said import Entry, Said
from tigertag.model import Vocabulary, fold
from tigertag.plugins import did_you_mean
from tigertag.vocabulary.base import base_parents
from tigertag.vocabulary.lexicon import Lexicon

_MOST_NAMED = 12
"""Tags of a circle that a sentence names."""


def check(said: Said, reading: Reading) -> None:
    """Names every clash between two names, with the lines of both."""
    _lists(said, reading)
    _renames(said, reading)
    synonyms = _synonyms(said, reading)
    _renamed_tags(said, synonyms, reading)
    _foreign_names(said, reading)
    _languages(said, reading)


def _lists(said: Said, reading: Reading) -> None:
    allow = said.allow or {}
    for name in said.deny.keys() & allow.keys():
        reading.fault(said.deny[name], f"`{name}` is denied here and allowed in line {allow[name]}")


def _renames(said: Said, reading: Reading) -> None:
    for name, (shown, line) in said.rename.items():
        then = said.rename.get(fold(shown))
        if fold(shown) == name or then is None:
            continue
        if fold(then[0]) == name:
            if (line, name) > (then[1], fold(shown)):  # named once; both may stand in one line
                reading.fault(line, f"`{name}` and `{shown}` (line {then[1]}) are each renamed to the other")
        else:
            reading.fault(
                line, f"`{name}` becomes `{shown}`, which line {then[1]} renames again: name the last"
            )


def _synonyms(said: Said, reading: Reading) -> dict[str, tuple[Entry, int]]:
    """Each folded synonym with the tag that it means."""
    found: dict[str, tuple[Entry, int]] = {}
    for key, entry in said.tags.items():
        for synonym, line in entry.synonyms:
            own = said.tags.get(fold(synonym))
            if fold(synonym) == key:
                continue
            if own is not None:
                reading.fault(
                    line, f"`{synonym}` is a tag of its own in line {own.line}, so no synonym of `{entry.name}`"
                )
            before, first = found.setdefault(fold(synonym), (entry, line))
            if before is not entry:
                reading.fault(line, f"`{synonym}` is a synonym of `{before.name}` in line {first} already")
    return found


def _renamed_tags(said: Said, synonyms: dict[str, tuple[Entry, int]], reading: Reading) -> None:
    """A name that is renamed is nothing else, and what it becomes is no synonym."""
    for old, (new, line) in said.rename.items():
        key = fold(new)
        if old in said.tags and key != old:
            own = said.tags[old]
            reading.fault(line, f"`{old}` becomes `{new}` here and is a tag of its own in line {own.line}")
        if old in synonyms and synonyms[old][0] is not said.tags.get(key):
            entry, at = synonyms[old]
            reading.fault(line, f"`{old}` becomes `{new}` here and is a synonym of `{entry.name}` in line {at}")
        if key in synonyms and key not in said.tags:
            entry, at = synonyms[key]
            reading.fault(line, f"`{old}` becomes `{new}`, a synonym of `{entry.name}` in line {at}: name that")


def _foreign_names(said: Said, reading: Reading) -> None:
    """In one language a name means one tag."""
    found: dict[tuple[str, str], tuple[Entry, int]] = {}
    for entry in said.tags.values():
        for language, (name, line) in entry.names.items():
            before, first = found.setdefault((language, fold(name)), (entry, line))
            if before is not entry:
                reading.fault(
                    line, f"`{name}` is what `{before.name}` is called in `{language}` in line {first} already"
                )
            new, at = said.rename.get(fold(name), ("", 0))
            if new and fold(new) != fold(entry.name):
                reading.fault(
                    line, f"`{name}` is what `{entry.name}` is called in `{language}`, and line {at} renames it"
                )


def _languages(said: Said, reading: Reading) -> None:
    known = {language for entry in said.tags.values() for language in entry.names}
    if said.languages and known.isdisjoint(said.languages):
        wanted = said.languages[0]
        hint = did_you_mean(wanted, known)
        reading.fault(said.language_line, f"no tag has a name in `{wanted}`{hint}: see `names` of `tags`")


def doubts(words: Vocabulary, engines: Mapping[str, bool]) -> list[str]:
    """What looks like a mistake beside the engines that are declared, by ID, and whether each is enabled."""
    found = [
        f"The vocabulary trusts `{engine}`, and no engine has this ID{did_you_mean(engine, engines)}"
        for engine in words.trust
        if engine not in engines
    ]
    there = sum(words.trust.get(engine, 1) for engine, is_enabled in engines.items() if is_enabled)
    if words.agree > there > 0:
        found.append(
            f"The vocabulary's `agree` asks for {words.agree:g}, and all enabled engines together come to "
            f"{there:g}: no tag would be written"
        )
    return found


# ── what lies above what ──────────────────────────────────────────────────────────────────────────────────


def parents_of(vocabulary: Vocabulary, said: Said, reading: Reading) -> Vocabulary:
    """The vocabulary with its parents: the owner's, and below them those of the hierarchy that was asked for.

    A circle in the owner's is a fault. Where the hierarchy would close one, it yields.
    """
    lexicon = Lexicon(vocabulary)
    parents = {
        fold(lexicon.canonical(entry.name)): lexicon.canonical(entry.parent[0])
        for entry in said.tags.values()
        if entry.parent and entry.parent[0]
    }
    for circle in _circles(parents):
        _name_circle(circle, said, parents, reading)
        for key in circle:
            del parents[key]
    if said.hierarchy == "base":
        at_the_top = {key for key, entry in said.tags.items() if entry.parent is not None}
        for name, parent in base_parents().items():
            child, above = lexicon.canonical(name), lexicon.canonical(parent)
            if fold(child) not in at_the_top and not _leads_to(fold(above), fold(child), parents):
                parents.setdefault(fold(child), above)
    return replace(vocabulary, parents=parents)


def _circles(parents: dict[str, str]) -> list[list[str]]:
    """The folded names of each circle."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        name = start
        while name in parents and name not in done and name not in way:
            way[name] = None
            name = fold(parents[name])
        if name in way:
            listed = [*way]
            found.append(listed[listed.index(name) :])
        done.update(way)
    return found


def _name_circle(circle: list[str], said: Said, parents: dict[str, str], reading: Reading) -> None:
    first = min(circle, key=lambda key: said.tags[key].line)
    at = circle.index(first)
    around = [said.tags[key].name for key in (*circle[at:], *circle[:at], first)]
    ways = [f"`{name}`" for name in around]
    if len(ways) > _MOST_NAMED:
        ways[_MOST_NAMED - 2 : -1] = [f"… {len(ways) - _MOST_NAMED + 1:,} more …"]
    sentence = (
        f"`{around[0]}` is its own parent"
        if len(circle) == 1
        else "the parents go round in a circle: " + " → ".join(ways)
    )
    reading.fault(said.tags[first].line, sentence)


def _leads_to(name: str, end: str, parents: dict[str, str]) -> bool:
    """Whether `end` is `name`, or lies above it."""
    while name != end and name in parents:
        name = fold(parents[name])
    return name == end

"""Reads `vocabulary.yaml`: the tags a person wants, and how they are called.

allow: [dog, beach]        # only these
deny: [indoors]            # never these
rename: {doggy: dog}       # under another name
tags:                      # all about one tag
  gown: {parent: dress, synonyms: [ball gown], names: {de: Ballkleid}, min_confidence: 60}
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tigertag.config.vocabulary_check import check, parents_of
from tigertag.config.vocabulary_nodes import (
    Mapping,
    Node,
    Reading,
    Scalar,
    Sequence,
    document,
    is_empty,
    name,
    names,
    number,
    pairs,
    switch,
    whole,
)
from tigertag.config.vocabulary_said import Entry, Said
from tigertag.model import Vocabulary, fold
from tigertag.plugins import did_you_mean
from tigertag.vocabulary.lexicon import wider

HIERARCHIES: Final = ("base", "none")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
"""`de`, `pt-BR`, `zh_Hans`."""
_MOST_TRUST = 100


def read_vocabulary(path: Path, label: str, faults: list[str]) -> Vocabulary:
    """The vocabulary of a file; every fault is named with the file, its line and what is expected."""
    reading = Reading(label, faults)
    with _no_garbage():
        said = read_said(document(path, reading), reading)
        check(said, reading)
        return parents_of(said.vocabulary(), said, reading)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing that is made here goes round in circles, and looking for some takes as long as the reading."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def read_said(root: Node | None, reading: Reading) -> Said:
    """What a document says, each name with its line; nothing that concerns two names is judged yet."""
    said = Said()
    if isinstance(root, Mapping):
        for key, value in pairs(root, reading):
            _section(key, value, said, reading)
    elif root is not None and not is_empty(root):
        reading.fault(root.line, "lines such as `deny:`, `rename:` or `tags:` are expected")
    return said


def _section(key: Node, value: Node, said: Said, reading: Reading) -> None:
    read = SECTIONS.get(key.value) if isinstance(key, Scalar) else None
    if read is None:
        word = key.value if isinstance(key, Scalar) else "this"
        reading.fault(key.line, f"unknown key `{word}`{did_you_mean(word, SECTIONS)}")
    elif not is_empty(value):
        read(value, said, reading)


def _read_allow(value: Node, said: Said, reading: Reading) -> None:
    found = names(value, "`allow`", reading)
    if isinstance(value, Sequence):
        said.allow = _by_line(found)
        if not value.items:
            reading.fault(value.line, "`allow` is empty, which allows no tag at all: leave it out to allow all")


def _read_deny(value: Node, said: Said, reading: Reading) -> None:
    said.deny = _by_line(names(value, "`deny`", reading))


def _by_line(found: list[tuple[str, int]]) -> dict[str, int]:
    """Folded names, each with the first line that holds it."""
    return {fold(each): line for each, line in reversed(found)}


def _read_rename(value: Node, said: Said, reading: Reading) -> None:
    if not isinstance(value, Mapping):
        reading.fault(value.line, "`rename` must be lines of `old name: new name`")
        return
    for key, node in pairs(value, reading):
        old, new = name(key, reading), name(node, reading)
        if not old or not new:
            continue
        before = said.rename.setdefault(fold(old), (new, key.line))
        if before[0] != new:
            reading.fault(key.line, f"`{old}` has another new name in line {before[1]} already")


def _read_trust(value: Node, said: Said, reading: Reading) -> None:
    if not isinstance(value, Mapping):
        reading.fault(value.line, "`trust` must be lines of `engine: number`")
        return
    for key, node in pairs(value, reading):
        engine = name(key, reading).casefold()
        trusted = number(node, f"the trust of `{engine}`", 0, _MOST_TRUST, reading)
        if engine and trusted is not None:
            said.trust[engine] = trusted


def _read_agree(value: Node, said: Said, reading: Reading) -> None:
    said.agree = number(value, "`agree`", 0, _MOST_TRUST, reading)


def _read_max_tags(value: Node, said: Said, reading: Reading) -> None:
    said.max_tags = whole(value, "`max_tags`", 1, 100_000, reading)


def _read_write_parents(value: Node, said: Said, reading: Reading) -> None:
    said.writes_parents = switch(value, "`write_parents`", reading)


def _read_hierarchy(value: Node, said: Said, reading: Reading) -> None:
    word = value.value if isinstance(value, Scalar) else "this"
    if word not in HIERARCHIES:
        known = " or ".join(f"`{each}`" for each in HIERARCHIES)
        reading.fault(value.line, f"`hierarchy` must be {known}, not `{word}`{did_you_mean(word, HIERARCHIES)}")
    said.hierarchy = word


def _read_language(value: Node, said: Said, reading: Reading) -> None:
    listed = [value] if isinstance(value, Scalar) else value.items if not isinstance(value, Mapping) else []
    found = [_language(node, reading) for node in listed]
    if not found:
        reading.fault(value.line, "`language` must be a language such as `de`, or a list of some")
    said.languages = tuple(dict.fromkeys(each for one in found for each in wider(one)))
    said.language_line = value.line


def _language(node: Node, reading: Reading) -> str:
    """A language as vocabularies name it, empty where it is none."""
    if isinstance(node, Scalar) and LANGUAGE.fullmatch(node.value):
        return wider(node.value)[0]
    word = node.value if isinstance(node, Scalar) else "this"
    reading.fault(node.line, f"`{word}` is no language: write it as in `de` or `pt-BR`")
    return ""


# ── tags ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_tags(value: Node, said: Said, reading: Reading) -> None:
    if not isinstance(value, Mapping):
        reading.fault(value.line, "`tags` must be lines of `name:`, each with what there is to say about it")
        return
    for key, node in pairs(value, reading):
        found = name(key, reading)
        if not found:
            continue
        entry = Entry(found, key.line)
        before = said.tags.setdefault(fold(found), entry)
        if before is not entry:
            reading.fault(key.line, f"`{found}` is given in line {before.line} already")
        _read_entry(node, entry, reading)


def _read_entry(node: Node, entry: Entry, reading: Reading) -> None:
    if is_empty(node):
        return
    if not isinstance(node, Mapping):
        reading.fault(node.line, f"`{entry.name}` must be followed by lines such as `parent:` or `synonyms:`")
        return
    for key, value in pairs(node, reading):
        read = ABOUT_A_TAG.get(key.value) if isinstance(key, Scalar) else None
        if read is None:
            word = key.value if isinstance(key, Scalar) else "this"
            hint = did_you_mean(word, ABOUT_A_TAG)
            reading.fault(key.line, f"unknown key `{word}` of `{entry.name}`{hint}")
        elif not is_empty(value) or read is _read_parent:
            read(value, entry, reading)


def _read_parent(value: Node, entry: Entry, reading: Reading) -> None:
    entry.parent = ("" if is_empty(value) else name(value, reading), value.line)


def _read_synonyms(value: Node, entry: Entry, reading: Reading) -> None:
    entry.synonyms = names(value, f"`synonyms` of `{entry.name}`", reading)


def _read_names(value: Node, entry: Entry, reading: Reading) -> None:
    if not isinstance(value, Mapping):
        reading.fault(value.line, f"`names` of `{entry.name}` must be lines of `language: name`")
        return
    for key, node in pairs(value, reading):
        language, found = _language(key, reading), name(node, reading)
        if language and found:
            entry.names[language] = (found, node.line)


def _read_min_confidence(value: Node, entry: Entry, reading: Reading) -> None:
    percent = number(value, f"`min_confidence` of `{entry.name}`", 0, 100, reading)
    entry.min_confidence = None if percent is None else percent / 100


def _read_its_agree(value: Node, entry: Entry, reading: Reading) -> None:
    entry.agree = number(value, f"`agree` of `{entry.name}`", 0, _MOST_TRUST, reading)


def _read_category(value: Node, entry: Entry, reading: Reading) -> None:
    entry.is_category = switch(value, f"`category` of `{entry.name}`", reading)


def _read_prompts(value: Node, entry: Entry, reading: Reading) -> None:
    what = f"`prompts` of `{entry.name}`"
    found = [(name(value, reading), value.line)] if isinstance(value, Scalar) else names(value, what, reading)
    entry.prompts = tuple(dict.fromkeys(prompt for prompt, _ in found if prompt))


def _read_group(value: Node, entry: Entry, reading: Reading) -> None:
    entry.group = name(value, reading)


SECTIONS: Final[dict[str, Callable[[Node, Said, Reading], None]]] = {
    "allow": _read_allow,
    "deny": _read_deny,
    "rename": _read_rename,
    "tags": _read_tags,
    "hierarchy": _read_hierarchy,
    "write_parents": _read_write_parents,
    "language": _read_language,
    "max_tags": _read_max_tags,
    "agree": _read_agree,
    "trust": _read_trust,
}
ABOUT_A_TAG: Final[dict[str, Callable[[Node, Entry, Reading], None]]] = {
    "parent": _read_parent,
    "synonyms": _read_synonyms,
    "names": _read_names,
    "min_confidence": _read_min_confidence,
    "agree": _read_its_agree,
    "category": _read_category,
    "prompts": _read_prompts,
    "group": _read_group,
}

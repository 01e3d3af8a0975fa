"""Adds entries to the text of a `vocabulary.yaml`, and leaves every other line as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from tigertag.config.vocabulary_nodes import Mapping, Reading, Scalar, is_empty, pairs, parse
from tigertag.errors import ConfigError
from tigertag.model import Term

_RESERVED = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_PLAIN = re.compile(r"[^\W\d_](?:[\w'-]| (?! ))*[\w'-]|[^\W\d_]")


def with_terms(text: str, terms: Sequence[Term], label: str) -> str:
    """The text of a vocabulary with more entries in `tags`, at its beginning.

    Raises ConfigError where there is no room for them: `tags` is written in braces.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    place = _place(text, label)
    if place is None:
        before = text if not text or text.endswith("\n") else text + ending
        gap = ending if before.strip() else ""
        return before + gap + f"tags:{ending}" + "".join(line + ending for line in lines(terms, "  "))
    at, indent = place
    kept = text.splitlines(keepends=True)
    if not kept[at - 1].endswith("\n"):
        kept[at - 1] += ending
    return "".join([*kept[:at], *(line + ending for line in lines(terms, indent)), *kept[at:]])


def _place(text: str, label: str) -> tuple[int, str] | None:
    """Behind how many lines the entries of `tags` begin, and their indent; None: there is no `tags`."""
    root = parse(text, Reading(label, []))
    found = pairs(root, Reading(label, [])) if isinstance(root, Mapping) else ()
    for key, value in found:
        if isinstance(key, Scalar) and key.value == "tags":
            if is_empty(value):
                return key.line, "  "
            first = value.items[0] if isinstance(value, Mapping) and value.items else None
            if first is None or first.line == key.line:
                break
            line = text.splitlines()[first.line - 1]
            return key.line, line[: len(line) - len(line.lstrip(" "))]
    else:
        return None
    raise ConfigError(f"{label}: `tags` is written in braces: give each tag a line of its own first")


def lines(terms: Iterable[Term], indent: str) -> list[str]:
    """The entries as lines of YAML."""
    return [line for term in terms for line in _entry(term, indent)]


def _entry(term: Term, indent: str) -> list[str]:
    found = [f"{indent}{_scalar(term.name)}:"]
    if term.is_category:
        found.append(f"{indent}  category: true")
    if term.parent is not None:
        found.append(f"{indent}  parent: {_scalar(term.parent)}")
    if term.synonyms:
        found.append(f"{indent}  synonyms: {listed(term.synonyms)}")
    return found + [f"{indent}  {key}: {value}" for key, value in about(term)]


def about(term: Term) -> list[tuple[str, str]]:
    """What words are looked for by: keys, and their values as YAML."""
    found = [("prompts", listed(term.prompts))] if term.prompts else []
    if term.group:
        found.append(("group", _scalar(term.group)))
    if term.min_confidence is not None:
        found.append(("min_confidence", f"{round(term.min_confidence * 100, 6):g}"))
    return found


def listed(names: Iterable[str]) -> str:
    """`[a, "b: c"]`."""
    return f"[{', '.join(map(_scalar, names))}]"


def _scalar(name: str) -> str:
    """A name so that every reader of YAML takes it for a text."""
    if _PLAIN.fullmatch(name) and name.casefold() not in _RESERVED:
        return name
    return json.dumps(name, ensure_ascii=False)

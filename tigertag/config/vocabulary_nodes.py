"""YAML as nodes that know their lines, and leave `no` and `2021` the words they are.

Built from the parser's events: a vocabulary of 20,000 tags is read in two seconds, and one that is nested
without end is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from tigertag.model import LONGEST_NAME

_DEEPEST = 20
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True, slots=True)
class Scalar:
    value: str
    line: int
    is_empty: bool
    """Nothing, or what YAML takes for it."""


@dataclass(frozen=True, slots=True)
class Sequence:
    items: list[Node]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    items: list[Node]
    """Keys and values in turn."""
    line: int


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Reading:
    """What is wrong with a file, so far."""

    label: str
    faults: list[str]

    def fault(self, line: int, sentence: str) -> None:
        self.faults.append(f"{self.label} line {line}: {sentence}")


def is_empty(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.is_empty)


# ── the document ──────────────────────────────────────────────────────────────────────────────────────────


class _TooDeep(Exception):
    """Lists in lists without end."""


@dataclass(slots=True)
class _Building:
    """The node that is being filled, and those around it."""

    open: list[Sequence | Mapping] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    root: Node | None = None
    more: int = 0
    """The line in which another document begins."""

    def put(self, node: Node) -> None:
        if self.open:
            self.open[-1].items.append(node)
        elif self.root is None:
            self.root = node
        else:
            self.more = self.more or node.line

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.AliasEvent):
            self.put(self.anchors.get(event.anchor or "", Scalar("", _line(event), True)))
        elif isinstance(event, yaml.NodeEvent):
            self._begin(event, _node(event))

    def _begin(self, event: yaml.NodeEvent, node: Node) -> None:
        self.put(node)
        if event.anchor:
            self.anchors[event.anchor] = node
        if not isinstance(node, Scalar):
            self.open.append(node)
            if len(self.open) > _DEEPEST:
                raise _TooDeep


def _node(event: yaml.NodeEvent) -> Node:
    if isinstance(event, yaml.SequenceStartEvent):
        return Sequence([], _line(event))
    if isinstance(event, yaml.MappingStartEvent):
        return Mapping([], _line(event))
    assert isinstance(event, yaml.ScalarEvent)
    return Scalar(event.value, _line(event), bool(event.implicit[0]) and event.value in _NULL)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def document(path: Path, reading: Reading) -> Node | None:
    """The file's first document; None where there is nothing in it, or it is no YAML text, which is a fault."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reading.faults.append(f"{reading.label} cannot be read: {error.strerror or error}")
        return None
    except UnicodeDecodeError as error:
        reading.fault(
            error.object.count(b"\n", 0, error.start) + 1, "this is not UTF-8: save the file as UTF-8"
        )
        return None
    return parse(text, reading)


def parse(text: str, reading: Reading) -> Node | None:
    """The first document of a text; a fault and None where it is no YAML."""
    try:
        return _parsed(text, _FAST, reading)
    except (yaml.YAMLError, _TooDeep):
        return _parsed_with_reason(text, reading)


def _parsed_with_reason(text: str, reading: Reading) -> Node | None:
    """Again with the parser that words its reasons the same on every machine."""
    try:
        return _parsed(text, yaml.SafeLoader, reading)
    except _TooDeep:
        reading.faults.append(f"{reading.label} has lists in lists in lists without end")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.fault(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}")
    except yaml.YAMLError:
        reading.faults.append(f"{reading.label} is not YAML")
    return None


def _parsed(text: str, loader: type[yaml.SafeLoader], reading: Reading) -> Node | None:
    building = _Building()
    for event in yaml.parse(text, Loader=loader):
        building.take(event)
    if building.more:
        reading.fault(building.more, "another document begins here: a vocabulary is one, without `---`")
    return building.root


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────


def pairs(node: Mapping, reading: Reading) -> Iterator[tuple[Node, Node]]:
    """The pairs of a mapping. YAML forbids a key twice, its readers take the last in silence."""
    lines: dict[str, int] = {}
    both = iter(node.items)
    for key, value in zip(both, both, strict=True):
        if isinstance(key, Scalar) and key.value in lines:
            reading.fault(key.line, f"`{key.value}` is given in line {lines[key.value]} already")
            continue
        if isinstance(key, Scalar):
            lines[key.value] = key.line
        yield key, value


def name(node: Node, reading: Reading) -> str:
    """The name that a node holds, empty where it is none."""
    if not isinstance(node, Scalar) or not node.value.strip():
        reading.fault(node.line, "a name is expected")
        return ""
    found = node.value.strip()
    if len(found) > LONGEST_NAME or not found.isprintable():
        reading.fault(node.line, f"a name has at most {LONGEST_NAME} signs, all of them printable")
        return ""
    return found


def names(node: Node, what: str, reading: Reading) -> list[tuple[str, int]]:
    """The names of a list, each with its line."""
    if not isinstance(node, Sequence):
        reading.fault(node.line, f"{what} must be a list of names")
        return []
    return [(found, each.line) for each in node.items if (found := name(each, reading))]


def number(node: Node, what: str, least: float, most: float, reading: Reading) -> float | None:
    """A number from `least` to `most`; None where it is none."""
    found = math.nan
    if isinstance(node, Scalar) and re.fullmatch(r"\d+(\.\d*)?|\.\d+", node.value):
        found = float(node.value)
    if least <= found <= most:
        return found
    reading.fault(node.line, f"{what} must be a number from {least:g} to {most:g}")
    return None


def whole(node: Node, what: str, least: int, most: int, reading: Reading) -> int | None:
    """A whole number from `least` to `most`; None where it is none."""
    if isinstance(node, Scalar) and re.fullmatch(r"\d{1,9}", node.value) and least <= int(node.value) <= most:
        return int(node.value)
    reading.fault(node.line, f"{what} must be a whole number from {least} to {most:,}")
    return None


def switch(node: Node, what: str, reading: Reading) -> bool:
    """Yes or no; no where it is neither."""
    said = node.value.casefold() if isinstance(node, Scalar) else ""
    if said not in (*_TRUE, *_FALSE):
        reading.fault(node.line, f"{what} must be `true` or `false`")
    return said in _TRUE

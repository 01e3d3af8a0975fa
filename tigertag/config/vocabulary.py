"""Reads `vocabulary.yaml`: the tags a person wants, and how they are called.

allow: [dog, beach]        # only these
deny: [indoors]            # never these
rename: {doggy: dog}       # under another name
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tigertag.model import LONGEST_NAME, Vocabulary, fold
from tigertag.plugins import did_you_mean

_KEYS = ("allow", "deny", "rename")


@dataclass(slots=True)
class _Reading:
    """What has been read so far: each folded name with the line that holds it."""

    label: str
    faults: list[str]
    lists: dict[str, dict[str, int]] = field(default_factory=dict)
    rename: dict[str, tuple[str, int]] = field(default_factory=dict)

    def fault(self, line: int, sentence: str) -> None:
        self.faults.append(f"{self.label} line {line}: {sentence}")


def read_vocabulary(path: Path, label: str, faults: list[str]) -> Vocabulary:
    """The vocabulary of a file; every fault is named with the file, its line and what is expected."""
    reading = _Reading(label, faults)
    root = _document(path, reading)
    if isinstance(root, yaml.MappingNode):
        for key, value in _pairs(root, reading):
            _section(key, value, reading)
    elif root is not None and not _is_empty(root):
        reading.fault(_line(root), "`allow:`, `deny:` or `rename:` is expected")
    _name_clashes(reading)
    allow = reading.lists.get("allow")
    return Vocabulary(
        frozenset(allow) if allow is not None else None,
        frozenset(reading.lists.get("deny", ())),
        {name: shown for name, (shown, _) in reading.rename.items()},
    )


def _document(path: Path, reading: _Reading) -> yaml.Node | None:
    """The file as nodes, which know their lines and leave `no` and `2021` the words they are."""
    try:
        return yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        reading.faults.append(f"{reading.label} cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        reading.faults.append(f"{reading.label} is not UTF-8 text: save the file as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.fault(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, RecursionError):
        reading.faults.append(f"{reading.label} is not YAML")
    return None


def _section(key: yaml.Node, value: yaml.Node, reading: _Reading) -> None:
    if not isinstance(key, yaml.ScalarNode) or key.value not in _KEYS:
        said = str(key.value) if isinstance(key, yaml.ScalarNode) else "this"
        reading.fault(_line(key), f"unknown key `{said}`{did_you_mean(said, _KEYS)}")
    elif _is_empty(value):
        return
    elif key.value == "rename":
        _read_renames(value, reading)
    else:
        _read_list(key.value, value, reading)


def _read_list(key: str, value: yaml.Node, reading: _Reading) -> None:
    if not isinstance(value, yaml.SequenceNode):
        reading.fault(_line(value), f"`{key}` must be a list of names")
        return
    if key == "allow" and not value.value:
        reading.fault(_line(value), "`allow` is empty, which allows no tag at all: leave it out to allow all")
    names = reading.lists.setdefault(key, {})
    for node in value.value:
        name = _name(node, reading)
        if name:
            names.setdefault(fold(name), _line(node))


def _read_renames(value: yaml.Node, reading: _Reading) -> None:
    if not isinstance(value, yaml.MappingNode):
        reading.fault(_line(value), "`rename` must be lines of `old name: new name`")
        return
    for key, node in _pairs(value, reading):
        old, new = _name(key, reading), _name(node, reading)
        if not old or not new:
            continue
        before = reading.rename.setdefault(fold(old), (new, _line(key)))
        if before[0] != new:
            reading.fault(_line(key), f"`{old}` has another new name in line {before[1]} already")


def _pairs(node: yaml.MappingNode, reading: _Reading) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The pairs of a mapping. YAML forbids a key twice, its readers take the last in silence."""
    lines: dict[str, int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and lines.setdefault(key.value, _line(key)) != _line(key):
            reading.fault(_line(key), f"`{key.value}` is given in line {lines[key.value]} already")
            continue
        yield key, value


def _name(node: yaml.Node, reading: _Reading) -> str:
    """The name that a node holds, empty where it is none."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        reading.fault(_line(node), "a name is expected")
        return ""
    name = str(node.value).strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        reading.fault(_line(node), f"a name has at most {LONGEST_NAME} signs, all of them printable")
        return ""
    return name


def _name_clashes(reading: _Reading) -> None:
    allow, deny = reading.lists.get("allow", {}), reading.lists.get("deny", {})
    for name in allow.keys() & deny.keys():
        reading.fault(deny[name], f"`{name}` is denied here and allowed in line {allow[name]}")
    for name, (shown, line) in reading.rename.items():
        then = reading.rename.get(fold(shown))
        if fold(shown) == name or then is None:
            continue
        if fold(then[0]) == name:
            if line > then[1]:
                reading.fault(line, f"`{name}` and `{shown}` (line {then[1]}) are each renamed to the other")
        else:
            reading.fault(
                line, f"`{name}` becomes `{shown}`, which line {then[1]} renames again: name the last"
            )


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

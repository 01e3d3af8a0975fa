"""Reads `faces.yaml`: `faces: [{tag, images: [{name}]}]`."""

from __future__ import annotations

from pathlib import Path

import yaml

from tigertag.errors import ConfigError


def printable(text: str) -> str:
    """A name as it may stand in a message or a database."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in text)


def read_yaml(path: Path) -> list[tuple[str, list[str]]]:
    """(tag, names of images), in the order of the file. Raises ConfigError with every fault and its line."""
    reading = _Reading(path)
    people = reading.people(_document(path))
    if reading.faults:
        raise ConfigError(*reading.faults)
    return people


def _document(path: Path) -> yaml.Node | None:
    """The file as nodes, which know their lines and leave `no` and `2021` the words they are."""
    try:
        return yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Is FACES_CONFIG right?") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path} line {line}: this is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML") from error


class _Reading:
    """Takes `faces: [{tag, images: [{name}]}]` out of the nodes, noting what is otherwise."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.faults: list[str] = []

    def people(self, root: yaml.Node | None) -> list[tuple[str, list[str]]]:
        if root is None:
            self.faults.append(f"{self._path} line 1: it is empty; `faces:` with a list is expected")
            return []
        entries = self._list(self._value(root, "faces"), root, "`faces:` with a list is expected")
        return [person for entry in entries if (person := self._person(entry)) is not None]

    def _person(self, entry: yaml.Node) -> tuple[str, list[str]] | None:
        tag = self._value(entry, "tag")
        if not isinstance(tag, yaml.ScalarNode):
            self._fault(tag or entry, "`tag:` with the person's name is expected")
            return None
        images = self._list(
            self._value(entry, "images"), entry, f"`images:` of {printable(tag.value)} is expected"
        )
        return tag.value, [name for image in images if (name := self._name(image))]

    def _name(self, image: yaml.Node) -> str:
        name = self._value(image, "name") if isinstance(image, yaml.MappingNode) else image
        if isinstance(name, yaml.ScalarNode) and name.value.strip():
            return str(name.value)
        self._fault(name or image, "`name:` with a file is expected")
        return ""

    def _value(self, node: yaml.Node, key: str) -> yaml.Node | None:
        if not isinstance(node, yaml.MappingNode):
            return None
        return next((value for name, value in node.value if name.value == key), None)

    def _list(self, node: yaml.Node | None, around: yaml.Node, expected: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self._fault(node or around, expected)
        return []

    def _fault(self, node: yaml.Node, sentence: str) -> None:
        self.faults.append(f"{self._path} line {node.start_mark.line + 1}: {sentence}")

"""Changes what the text of a `vocabulary.yaml` says about one tag, and leaves every other sign as it is."""

from __future__ import annotations

import yaml

from tigertag.config.vocabulary_edit import about, listed, with_terms
from tigertag.errors import ConfigError
from tigertag.model import Term, fold

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def with_tag(text: str, term: Term, label: str) -> str:
    """The text with what `term` says of prompts, group and confidence; its other fields are not looked at.

    Prompts are added to those that are there, group and confidence stand in place of theirs. Raises ConfigError
    where the text leaves no room for it.
    """
    found = _entry(text, fold(term.name))
    if found is None:
        return with_terms(text, [term], label)
    key, value = found
    if isinstance(value, yaml.MappingNode):
        return _in_mapping(text, key, value, term)
    # Nothing, or a `null` or `~` that stands for it.
    start, end = value.start_mark.index, value.end_mark.index
    bare = text[:start] + text[end:] if end > start else text
    return _below(bare, key, key.start_mark.column + 2, about(term))


def _entry(text: str, folded: str) -> tuple[yaml.ScalarNode, yaml.Node] | None:
    """Key and value of a tag, with their places in the text."""
    root = yaml.compose(text, Loader=_LOADER)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "tags" and isinstance(value, yaml.MappingNode):
            return next((pair for pair in value.value if fold(str(pair[0].value)) == folded), None)
    return None


def _in_mapping(text: str, key: yaml.ScalarNode, value: yaml.MappingNode, term: Term) -> str:
    there = {name.value: node for name, node in value.value}
    known = _texts(there.get("prompts"))
    more = [each for each in term.prompts if each not in known]
    changes: list[tuple[int, int, str]] = []
    new: list[tuple[str, str]] = []
    for name, said in about(term):
        node = there.get(name)
        if node is None:
            new.append((name, said))
        elif name == "prompts":
            changes += [(*_span(text, node), listed([*known, *more]))] if more else []
        elif text[slice(*_span(text, node))] != said:
            changes.append((*_span(text, node), said))
    for start, end, said in sorted(changes, reverse=True):
        text = text[:start] + said + text[end:]
    if not new:
        return text
    if changes:  # the places have moved
        return with_tag(text, term, "")
    if value.flow_style:
        return _in_braces(text, value, new)
    return _below(text, key, value.value[0][0].start_mark.column, new)


def _texts(node: yaml.Node | None) -> list[str]:
    if isinstance(node, yaml.SequenceNode):
        return [str(each.value) for each in node.value]
    return [str(node.value)] if isinstance(node, yaml.ScalarNode) and node.value else []


def _span(text: str, node: yaml.Node) -> tuple[int, int]:
    """Where a value stands; of a list in lines of its own without what follows its last entry."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        if "#" in text[start:end]:
            raise ConfigError(
                f"line {node.start_mark.line + 1}: these prompts have comments between them: add yours there"
            )
        end = node.value[-1].end_mark.index
    return start, end


def _in_braces(text: str, value: yaml.MappingNode, new: list[tuple[str, str]]) -> str:
    end = value.end_mark.index - 1
    before = text[:end].rstrip()
    gap = "" if before.endswith("{") else " " if before.endswith(",") else ", "
    return before + gap + ", ".join(f"{name}: {said}" for name, said in new) + text[end:]


def _below(text: str, key: yaml.ScalarNode, column: int, new: list[tuple[str, str]]) -> str:
    """In lines of their own below the key's."""
    ending = "\r\n" if "\r\n" in text else "\n"
    end = text.find("\n", key.end_mark.index)
    head, tail = (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
    if not head.endswith("\n"):
        head += ending
    return head + "".join(f"{' ' * column}{name}: {said}{ending}" for name, said in new) + tail

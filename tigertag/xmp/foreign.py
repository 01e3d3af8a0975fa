"""What others keep in a packet, so that two packets can be compared. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias
from xml.etree.ElementTree import Element

from tigertag.xmp.fields import NAMESPACE
from tigertag.xmp.names import CAPTION, NAMES, RDF
from tigertag.xmp.reading import is_default

_DESCRIPTION, _ITEM = f"{{{RDF}}}Description", f"{{{RDF}}}li"
_CAPTION = f"{{{CAPTION.namespace}}}{CAPTION.local}"
_LISTS = frozenset(f"{{{space}}}{name.local}" for name in NAMES.values() for space in name.namespaces)

Value: TypeAlias = "tuple[str, tuple[tuple[str, str], ...], str, str, tuple[Value, ...]]"
"""An element: its name, attributes, text, the text behind it, and what is in it."""


def foreign(root: Element | None) -> Counter[tuple[str, str] | Value]:
    """All properties of an `rdf:RDF` that are not ours to write, attributes and elements, in whatever order."""
    found: Counter[tuple[str, str] | Value] = Counter()
    for description in root.iter(_DESCRIPTION) if root is not None else ():
        named = ((name, value) for name, value in description.items() if not name.startswith(f"{{{RDF}}}"))
        found.update((name, value) for name, value in named if not _is_ours(name))
        for node in description:
            if node.tag == _CAPTION:
                found.update(_value(item) for item in node.iter(_ITEM) if not is_default(item))
            elif not _is_ours(node.tag):
                found[_value(node)] += 1
    return found


def _is_ours(name: str) -> bool:
    return name in _LISTS or name == _CAPTION or name.startswith(f"{{{NAMESPACE}}}")


def _value(node: Element) -> Value:
    text, tail = ((each or "").strip() for each in (node.text, node.tail))
    return node.tag, tuple(sorted(node.items())), text, tail, tuple(_value(each) for each in node)

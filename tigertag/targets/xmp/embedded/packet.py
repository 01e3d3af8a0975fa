"""A packet of XMP as bytes: the rest of it kept to the byte, and compared by value."""

from __future__ import annotations

import re
from typing import TypeAlias
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from tigertag.xmp.fields import NAMESPACE
from tigertag.xmp.packet import NAMES

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_CAPTION = "{http://purl.org/dc/elements/1.1/}description"
_OURS = frozenset(f"{{{space}}}{name.local}" for name in NAMES.values() for space in name.namespaces)

_FIRST_TAG = re.compile(rb"<[A-Za-z_]")
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*>\s*")
_END_MARK = b"<?xpacket end"


def spliced(old: bytes, new: bytes) -> bytes:
    """The element that `new` holds with what stands around it in `old`: marks, and room for more.

    In UTF-8 without saying so, as every packet should be: exiftool takes no other.
    """
    new = _DECLARATION.sub(b"", new)
    before, after = _element(old), _element(new)
    if before is None or after is None:
        return new
    head, tail = old[: before[0]], old[before[1] :]
    if _DECLARATION.match(head) or not _is_utf8(head + tail):
        return new
    return head + new[after[0] : after[1]] + tail


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _element(packet: bytes) -> tuple[int, int] | None:
    """Where the outermost element begins and ends; None where that is not plain to see."""
    first = _FIRST_TAG.search(packet)
    mark = packet.rfind(_END_MARK)
    last = packet.rfind(b">", 0, mark if mark >= 0 else len(packet))
    return (first.start(), last + 1) if first and last > first.start() else None


Value: TypeAlias = "tuple[str, tuple[tuple[str, str], ...], str, str, tuple[Value, ...]]"
"""An element: its name, attributes, text, the text behind it, and what is in it."""


def others(packet: bytes) -> list[tuple[str, str] | Value]:
    """All properties that are not ours to write, attributes and elements, whatever their order."""
    if not packet:
        return []
    found: list[tuple[str, str] | Value] = []
    for description in fromstring(packet, forbid_dtd=True).iter(f"{_RDF}Description"):
        named = ((name, value) for name, value in description.attrib.items() if not name.startswith(_RDF))
        found += [(name, value) for name, value in named if not _is_ours(name)]
        for node in description:
            if node.tag == _CAPTION:
                found += [_value(item) for item in node.iter(f"{_RDF}li") if not _is_default(item)]
            elif not _is_ours(node.tag):
                found.append(_value(node))
    return sorted(found, key=repr)


def _is_ours(name: str) -> bool:
    return name in _OURS or name == _CAPTION or name.startswith(f"{{{NAMESPACE}}}")


def _is_default(item: Element) -> bool:
    return item.attrib.get(_LANGUAGE, "").casefold() in ("", "x-default")


def _value(node: Element) -> Value:
    text, tail = ((each or "").strip() for each in (node.text, node.tail))
    return node.tag, tuple(sorted(node.attrib.items())), text, tail, tuple(_value(each) for each in node)

"""Extensible metadata (XMP) as a tree, and the values of its properties."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_LONGEST_PACKET = 4 << 20

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def packet(source: bytes | str) -> Element | None:
    """An XMP packet as a tree; None where it is broken or wants more of a parser than it may have.

    No document type, no entities: they are how a file makes a reader open others or run out of memory.
    """
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    start, end = text.find("<x:xmpmeta"), text.rfind(">")
    if len(text) > _LONGEST_PACKET or end < 0:
        return None
    try:
        tree: Element = fromstring(text[max(start, 0) : end + 1].strip("\ufeff\0 \r\n\t"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return tree


def values(tree: Element | None, name: str) -> Iterator[str]:
    """The values of a property, `{namespace}name`: an attribute, an element's text, or the list inside it."""
    if tree is None:
        return
    for node in tree.iter():
        if name in node.attrib:
            yield node.attrib[name]
        if node.tag == name:
            items = [next(item.iter(f"{_RDF}value"), item).text or "" for item in node.iter(f"{_RDF}li")]
            yield from items or [node.text or ""]

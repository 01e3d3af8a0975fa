"""XML as a tree that can be edited in one place and written as it was elsewhere: prefixes, order, comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.dom.minidom import (
    CDATASection,
    Comment,
    Document,
    Element,
    Node,
    ProcessingInstruction,
    Text,
)
from xml.parsers.expat import ExpatError

from defusedxml.minidom import parseString

from tigertag.xmp.verbatim import Verbatim

LONGEST = 16 << 20
"""Bytes of a packet."""
DEEPEST = 100
"""Elements inside each other."""
_XMLNS = "http://www.w3.org/2000/xmlns/"


class BadPacket(ValueError):
    """What should be XMP is not, or wants more of a parser than it may have. Says why."""


def parse(source: bytes) -> Document:
    """What `reading.tree` has found to be a packet, to be edited. Raises BadPacket."""
    try:
        document: Document = parseString(source, forbid_dtd=True)  # type: ignore[arg-type]  # the stub knows texts only
    except (ExpatError, LookupError, ValueError) as error:
        raise BadPacket(f"it is no well-formed XML: {error}") from error
    return document


def elements(top: Element | None) -> Iterator[Element]:
    """`top` and all elements below it."""
    waiting = [top] if top is not None else []
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(children(node))


def children(node: Element) -> list[Element]:
    return [child for child in node.childNodes if isinstance(child, Element)]


def is_named(node: Node, namespace: str, local: str) -> bool:
    return node.namespaceURI == namespace and node.localName == local


def text_of(node: Element) -> str:
    """The text directly inside an element."""
    return "".join(child.data for child in node.childNodes if isinstance(child, Text))


def append(parent: Element, child: Element, indent: str) -> None:
    """Adds a last child on a line of its own, indented as its siblings; `indent` is for the first."""
    last = next((each for each in reversed(parent.childNodes) if isinstance(each, Element)), None)
    before = last.previousSibling if last else None
    space = before.data if isinstance(before, Text) and not before.data.strip() else f"\n{indent}"
    document = _document(parent)
    if last is None:
        for blank in [each for each in parent.childNodes if isinstance(each, Text)]:
            parent.removeChild(blank)
        parent.appendChild(document.createTextNode(f"\n{indent[:-1]}"))
    tail = parent.lastChild
    end = tail if isinstance(tail, Text) and not tail.data.strip() else None
    parent.insertBefore(document.createTextNode(space), end)
    parent.insertBefore(child, end)


def remove(child: Element) -> None:
    """Takes an element out with the blanks before it; a parent that is left with blanks only is empty."""
    parent = child.parentNode
    assert isinstance(parent, Element)
    before = child.previousSibling
    if isinstance(before, Text) and not before.data.strip():
        parent.removeChild(before)
    parent.removeChild(child)
    if all(isinstance(each, Text) and not each.data.strip() for each in parent.childNodes):
        for blank in list(parent.childNodes):
            parent.removeChild(blank)


def create(parent: Element, namespace: str, prefix: str, local: str) -> Element:
    """An element to be put below `parent`, by the prefix that is in force there; else it declares its own."""
    return next(create_all(parent, namespace, prefix, local, [""]))


def create_all(
    parent: Element, namespace: str, prefix: str, local: str, texts: Iterable[str]
) -> Iterator[Element]:
    """As `create`, one for each text; an empty text makes an empty element."""
    document = _document(parent)
    known = _prefix_in_force(parent, namespace)
    for text in texts:
        node = document.createElementNS(namespace, f"{known or prefix}:{local}")
        if known is None:
            node.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
        if text:
            node.appendChild(document.createTextNode(text))
        yield node


def _document(node: Element) -> Document:
    document = node.ownerDocument
    assert document is not None
    return document


def _prefix_in_force(node: Element, namespace: str) -> str | None:
    hidden: set[str] = set()
    at: Node | None = node
    while isinstance(at, Element):
        for name, value in at.attributes.items():
            prefix = name.removeprefix("xmlns:")
            if name.startswith("xmlns:") and prefix not in hidden:
                if value == namespace:
                    return prefix
                hidden.add(prefix)
        at = at.parentNode
    return None


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────


def to_bytes(document: Document, as_read: Verbatim | None = None) -> bytes:
    """UTF-8. What was read and not changed is written as it was, to the byte where `as_read` knows it."""
    if as_read is not None:
        parts = [as_read.before]
        assert document.documentElement is not None
        _write(document.documentElement, parts, as_read)
        return "".join([*parts, as_read.after]).encode("utf-8")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>'] if document.version else []
    for node in document.childNodes:
        parts = []
        _write(node, parts, Verbatim())
        lines.append("".join(parts))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _write(node: Node, parts: list[str], as_read: Verbatim) -> None:
    if isinstance(node, Element):
        _write_element(node, parts, as_read)
    elif (text := as_read.text(node)) is not None:
        parts.append(text)
    elif isinstance(node, CDATASection):
        parts.append(f"<![CDATA[{node.data}]]>")
    elif isinstance(node, Text):
        parts.append(_escaped(node.data, {"\r": "&#13;"}))
    elif isinstance(node, Comment):
        parts.append(f"<!--{node.data}-->")
    elif isinstance(node, ProcessingInstruction):
        parts.append(f"<?{node.target} {node.data}?>" if node.data else f"<?{node.target}?>")


_IN_ATTRIBUTE = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def _write_element(node: Element, parts: list[str], as_read: Verbatim) -> None:
    first, last = as_read.tags(node) or _tags(node)
    parts.append(first)
    for child in node.childNodes:
        _write(child, parts, as_read)
    parts.append(last)


def _tags(node: Element) -> tuple[str, str]:
    attributes = (f' {name}="{_escaped(value, _IN_ATTRIBUTE)}"' for name, value in node.attributes.items())
    inside = f"{node.tagName}{''.join(attributes)}"
    return (f"<{inside}>", f"</{node.tagName}>") if node.childNodes else (f"<{inside}/>", "")


def _escaped(text: str, more: dict[str, str]) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign, reference in more.items():
        text = text.replace(sign, reference)
    return text

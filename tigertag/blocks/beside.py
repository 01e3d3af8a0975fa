"""What other programs wrote into a sidecar: all but what TigerTag put there, which is no evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tigertag.model import fold
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import NAMESPACE
from tigertag.xmp.names import NAMES
from tigertag.xmp.provenance import CAPTION, PUT
from tigertag.xmp.reading import tree

_MOST_TAGS = 400_000
"""Each of them takes a hundred bytes of memory; a sidecar with a long history of edits has a few thousand."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_OURS = f"{{{NAMESPACE}}}"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
_NAMES = {f"{{{space}}}{name.local}": field for field, name in NAMES.items() for space in name.namespaces}


def theirs(content: bytes) -> Element | None:
    """The properties that others wrote, below one element; None where there are none. Raises BadPacket."""
    if content.count(b"<") > _MOST_TAGS:
        raise BadPacket(f"it holds too much (over {_MOST_TAGS:,} elements)")
    rdf = tree(content)
    put = _put(rdf)
    left = Element(rdf.tag)
    for each in rdf.iterfind(f"{_RDF}Description"):
        left.extend(_without(each, put))
    return left if len(left) else None


def digest(content: bytes) -> str:
    """SHA-256, in hex, of what others wrote, however it is set out; empty for nothing. Raises BadPacket."""
    left = theirs(content)
    if left is None:
        return ""
    sha = hashlib.sha256()
    for line in sorted("\0".join(_spelled(each)) for each in left):
        sha.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return sha.hexdigest()


# ── ours and theirs ───────────────────────────────────────────────────────────────────────────────────────


def _put(rdf: Element) -> set[str]:
    """What TigerTag noted that it put there: `dc:subject=dog`, folded; the caption as `dc:description=…`."""
    said = (("", PUT), (f"{_DESCRIPTION}=", CAPTION))
    return {fold(f"{before}{value}") for before, name in said for value in _values(rdf, _OURS + name)}


def _values(rdf: Element, name: str) -> Iterator[str]:
    """Those of a property, whichever of the ways to write it was chosen."""
    for each in rdf.iterfind(f"{_RDF}Description"):
        yield from filter(None, [each.get(name)])
        for node in each.iterfind(name):
            items = [*node.iter(f"{_RDF}li")]
            yield from (_text(item).strip() for item in items or [node])


def _without(description: Element, put: set[str]) -> Iterator[Element]:
    """The properties of a description, attributes as elements, less what is ours."""
    for name, value in description.attrib.items():
        if not name.startswith((_OURS, _RDF)) and not _is_put(name, value, put):
            node = Element(name)
            node.text = value
            yield node
    for node in description:
        if node.tag.startswith(_OURS):
            continue
        kept = _without_items(node, put) if node.tag in _NAMES or node.tag == _DESCRIPTION else node
        if kept is not None:
            yield kept


def _without_items(node: Element, put: set[str]) -> Element | None:
    """A list without our items; None where it held no others."""
    items = [(holder, item) for holder in node for item in holder.iterfind(f"{_RDF}li")]
    if not items:
        return None if not _text(node).strip() or _is_put(node.tag, _text(node), put) else node
    for holder, item in items:
        if _is_put(node.tag, _text(item), put):
            holder.remove(item)
    return node if any(True for _ in node.iter(f"{_RDF}li")) else None


def _is_put(name: str, value: str, put: set[str]) -> bool:
    field = _NAMES.get(name)
    return fold(f"{name if field is None else field.value}={value.strip()}") in put


def _text(item: Element) -> str:
    """An item's text, also where it is qualified."""
    inner = item.find(f"{_RDF}value") if len(item) else None
    return (item if inner is None else inner).text or ""


def _spelled(node: Element) -> Iterator[str]:
    """All that an element says, without the blanks between its parts."""
    waiting: list[Element | str] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
            continue
        yield from (f"<{each.tag}", *(f"{name}={value}" for name, value in sorted(each.attrib.items())))
        yield (each.text or "") if not len(each) else (each.text or "").strip()
        waiting.append(">")
        waiting.extend(reversed(each))

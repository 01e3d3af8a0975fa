"""A packet's fields, read from its tree. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tigertag.xmp.dom import DEEPEST, LONGEST, BadPacket
from tigertag.xmp.fields import Fields
from tigertag.xmp.names import CAPTION, KNOWN, NAMES, OURS, RDF, XML, Name
from tigertag.xmp.provenance import from_properties

_ROOT, _DESCRIPTION, _ITEM, _VALUE = (f"{{{RDF}}}{local}" for local in ("RDF", "Description", "li", "value"))
_LANGUAGE = f"{{{XML}}}lang"
_KNOWN = {f"{{{space}}}{local}": name for (space, local), name in KNOWN.items()}


def tree(source: bytes) -> Element:
    """The element `rdf:RDF` of a packet.

    No document type, no entities: they are how a file makes a reader open others or run out of memory.

    Raises BadPacket.
    """
    if len(source) > LONGEST:
        raise BadPacket(f"it is larger than {LONGEST >> 20} MiB")
    try:
        top = fromstring(source, forbid_dtd=True)
    except DefusedXmlException as error:
        raise BadPacket("it declares a document type or entities") from error
    except (ParseError, LookupError, ValueError) as error:
        raise BadPacket(f"it is no well-formed XML: {error}") from error
    if _is_too_deep(top):
        raise BadPacket("it is nested too deeply")
    root = next(top.iter(_ROOT), None)
    if root is None:
        raise BadPacket("it holds no rdf:RDF")
    return root


def _is_too_deep(top: Element) -> bool:
    level = [top]
    for _ in range(DEEPEST + 1):
        level = [child for node in level for child in node]
    return bool(level)


def fields(root: Element) -> Fields:
    """What stands in the properties of all descriptions, whether as a list, a text or an attribute."""
    kept: dict[Name, list[str]] = {}
    for each in root.iterfind(_DESCRIPTION):
        for tag, value in each.items():
            if name := _KNOWN.get(tag):
                kept.setdefault(name, []).extend(_if_any(value))
        for node in each:
            if name := _KNOWN.get(node.tag):
                values = [_value(item) for item in node.iterfind(f"*/{_ITEM}")] or [_text(node)]
                kept.setdefault(name, []).extend(value for one in values for value in _if_any(one))
    return Fields(
        {each: tuple(kept[name]) for each, name in NAMES.items() if kept.get(name)},
        _caption(root) or next(iter(kept.get(CAPTION, ())), ""),
        from_properties({local: kept.get(name, ()) for local, name in OURS.items()}),
    )


def _caption(root: Element) -> str:
    """That of the default language, else the first."""
    for node in root.iterfind(f"{_DESCRIPTION}/{{{CAPTION.namespace}}}{CAPTION.local}"):
        items = node.findall(f"*/{_ITEM}")
        best = next((item for item in items if is_default(item)), items[0] if items else node)
        if found := _value(best).strip():
            return found
    return ""


def is_default(item: Element) -> bool:
    """Whether an item of a list of languages is for those who speak none of them."""
    return item.get(_LANGUAGE, "").casefold() in ("", "x-default")


def _value(item: Element) -> str:
    """An item's text, also where it is qualified."""
    inner = next(item.iter(_VALUE), None) if len(item) else None
    return _text(item if inner is None else inner)


def _text(node: Element) -> str:
    """The text directly inside an element."""
    return "".join((node.text or "", *(child.tail or "" for child in node)))


def _if_any(value: str) -> Iterator[str]:
    if value.strip():
        yield value.strip()

"""Keywords that a file holds already: XMP, IPTC and Windows' own field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tigertag.model import LONGEST_NAME, fold

MOST_KEYWORDS = 200
"""More than this no person has given to one photo."""
_LONGEST_PACKET = 4 << 20

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
_HIERARCHY = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
_TAGS_LIST = "{http://www.digikam.org/ns/1.0/}TagsList"
_INTERNAL = "_Digikam_Internal_Tags_"

UTF8_MARK = b"\x1b%G"
"""IPTC 1:90, CodedCharacterSet, where the texts are UTF-8."""


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
            items = [item.text or "" for item in node.iter(f"{_RDF}li")]
            yield from items or [node.text or ""]


def of_xmp(tree: Element | None) -> Iterator[str]:
    """dc:subject, then the leaves of Lightroom's and digiKam's trees."""
    yield from values(tree, _SUBJECT)
    for path in values(tree, _HIERARCHY):
        yield path.rpartition("|")[2]
    for path in values(tree, _TAGS_LIST):
        if not path.startswith(_INTERNAL):
            yield path.rpartition("/")[2]


def of_iptc(texts: Iterable[bytes], is_utf8: bool) -> Iterator[str]:
    """IPTC 2:25. Without a character set it may be anything: UTF-8 where it fits, else Latin 1."""
    for text in texts:
        try:
            yield text.decode("utf-8")
        except UnicodeDecodeError:
            yield text.decode("utf-8", "replace") if is_utf8 else text.decode("latin-1")


def of_windows(field: object) -> Iterator[str]:
    """XPKeywords: UTF-16, little end first, parted by semicolons."""
    if isinstance(field, tuple) and all(isinstance(part, int) and 0 <= part < 256 for part in field):
        field = bytes(field)
    if isinstance(field, bytes):
        yield from field.decode("utf-16-le", "ignore").split(";")


_BLANKS = re.compile(r"[\s\0]+")


def clean(names: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """Names as tags, each once in its first spelling, and how many of them are no good and left out."""
    kept: dict[str, str] = {}
    dropped = 0
    for name in names:
        plain = _BLANKS.sub(" ", name).strip()
        if not plain:
            continue
        is_one_too_many = fold(plain) not in kept and len(kept) >= MOST_KEYWORDS
        if is_one_too_many or len(plain) > LONGEST_NAME or not _is_text(plain):
            dropped += 1
        else:
            kept.setdefault(fold(plain), plain)
    return tuple(kept.values()), dropped


def _is_text(name: str) -> bool:
    return not any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 or 0xD800 <= ord(sign) < 0xE000 for sign in name)

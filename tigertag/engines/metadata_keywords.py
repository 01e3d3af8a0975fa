"""Keywords that a file holds already: XMP, IPTC and Windows' own field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from tigertag.blocks.xmp import values
from tigertag.model import LONGEST_NAME, fold
from tigertag.xmp.fields import NAMESPACE, Field, leaf
from tigertag.xmp.names import NAMES
from tigertag.xmp.provenance import PUT

MOST_KEYWORDS = 200
"""More than this no person has given to one photo."""

UTF8_MARK = b"\x1b%G"
"""IPTC 1:90, CodedCharacterSet, where the texts are UTF-8."""


def of_xmp(tree: Element | None) -> Iterator[str]:
    """dc:subject, then the last names of digiKam's, Lightroom's, Windows' and Media Pro's paths."""
    for field, name in NAMES.items():
        for namespace in name.namespaces:
            kept = values(tree, f"{{{namespace}}}{name.local}")
            yield from (leaf(field, value) for value in of_others(tree, field, kept))


def of_others(tree: Element | None, field: Field, kept: Iterable[str]) -> Iterator[str]:
    """Less those that TigerTag put there: what it wrote itself is no evidence of anything."""
    put = {fold(value) for value in values(tree, f"{{{NAMESPACE}}}{PUT}")}
    yield from (value for value in kept if fold(f"{field.value}={value.strip()}") not in put)


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
        if is_one_too_many or not is_name(plain):
            dropped += 1
        else:
            kept.setdefault(fold(plain), plain)
    return tuple(kept.values()), dropped


def is_name(name: str) -> bool:
    """Whether a tag may be called so."""
    return len(name) <= LONGEST_NAME and _is_text(name)


def _is_text(name: str) -> bool:
    return not any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 or 0xD800 <= ord(sign) < 0xE000 for sign in name)

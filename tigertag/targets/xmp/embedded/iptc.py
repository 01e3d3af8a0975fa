"""IPTC (IIM 4) as JPEG and TIFF files keep it: inside Photoshop's resources, or in a block of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tigertag.exiftool import assignment

_KEYWORDS = (2, 25)
_CHARACTER_SET = (1, 90)
_VERSIONS = frozenset({(1, 0), (2, 0)})  # which every block begins with
_UTF8 = b"\x1b%G"

RESOURCE_IPTC, RESOURCE_DIGEST = 0x0404, 0x0425
_SIGNATURES = frozenset({b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"})


class BadIptc(Exception):
    """Why a block cannot be understood, as a clause of its own."""


@dataclass(frozen=True, slots=True)
class Iptc:
    """A file's block of IPTC."""

    is_there: bool = False
    keywords: tuple[str, ...] = ()
    others: tuple[tuple[tuple[int, int], str], ...] = field(default=())
    """Record, data set and text of all the rest."""
    is_latin: bool = False
    """Some text is not UTF-8, and nothing says that it should be."""
    digest_fits: bool = False
    """Photoshop's digest says that XMP and IPTC were last written together."""


NO_IPTC = Iptc()


def parse(block: bytes, digest: bytes) -> Iptc:
    """Raises BadIptc."""
    if not block.strip(b"\0"):
        return NO_IPTC
    sets = list(_sets(block))
    says_utf8 = (_CHARACTER_SET, _UTF8) in sets
    is_utf8 = says_utf8 or all(_is_utf8(value) for _, value in sets)
    texts = [(key, value.decode("utf-8" if is_utf8 else "latin-1", "replace")) for key, value in sets]
    return Iptc(
        True,
        tuple(text for key, text in texts if key == _KEYWORDS),
        tuple((key, text) for key, text in texts if key not in {_KEYWORDS, _CHARACTER_SET, *_VERSIONS}),
        not is_utf8,
        digest == hashlib.md5(block, usedforsecurity=False).digest(),
    )


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _sets(block: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record, number and value of each data set (IIM 4.2, chapter 1)."""
    at = 0
    while at + 5 <= len(block) and block[at] == 0x1C:
        key, length = (block[at + 1], block[at + 2]), int.from_bytes(block[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:  # the length of the length
            width = length & 0x7FFF
            if width > 4:
                raise BadIptc("its IPTC is damaged")
            length = int.from_bytes(block[at : at + width], "big")
            at += width
        if at + length > len(block):
            raise BadIptc("its IPTC ends early")
        yield key, block[at : at + length]
        at += length
    if block[at:].strip(b"\0"):
        raise BadIptc("its IPTC is damaged")


def resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each of Photoshop's resources. Raises BadIptc."""
    at = 0
    while block[at:].strip(b"\0"):
        if block[at : at + 4] not in _SIGNATURES or at + 12 > len(block):
            raise BadIptc("its Photoshop resources are damaged")
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        at += 6
        at += 1 + block[at] + (1 + block[at]) % 2  # a name, padded to an even length
        length = int.from_bytes(block[at : at + 4], "big")
        at += 4
        if at + length > len(block):
            raise BadIptc("its Photoshop resources end early")
        yield number, block[at : at + length]
        at += length + length % 2


def changes(now: Iptc, wanted: Sequence[str]) -> list[str]:
    """exiftool's arguments that give a file these keywords, in UTF-8; none where it has them.

    A block of which nothing would be left goes, and the digest with it.
    """
    if now.keywords == tuple(wanted):
        return []
    if not wanted and not now.others:
        gone = [assignment("Photoshop:IPTCDigest", "")] if now.digest_fits else []
        return [assignment("IPTC:all", ""), *gone]
    # What is in Latin 1 is read and written again, now as UTF-8.
    again = (
        ["-charset", "iptc=Latin", "-tagsFromFile", "@", "-IPTC:all", "--IPTC:Keywords"] if now.is_latin else []
    )
    keywords = [assignment("IPTC:Keywords", name) for name in wanted] or [assignment("IPTC:Keywords", "")]
    in_step = [assignment("Photoshop:IPTCDigest", "new")] if now.digest_fits or not now.is_there else []
    return [*again, *keywords, assignment("IPTC:CodedCharacterSet", "UTF8"), *in_step]

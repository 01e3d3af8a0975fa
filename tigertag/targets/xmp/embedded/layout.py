"""What a picture file consists of, to one who writes keywords into it: what may change, and what may not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tigertag.targets.xmp.embedded.iptc import NO_IPTC, Iptc

Part: TypeAlias = tuple[str, tuple[bytes | memoryview, ...]]
"""What a person calls a part of a file, and its bytes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A file taken apart."""

    kept: tuple[Part, ...]
    """Everything but XMP, the keywords of IPTC, and what follows from them (offsets, lengths)."""
    xmp: bytes = b""
    """The packet as it lies there; empty where there is none."""
    iptc: Iptc = NO_IPTC
    extended: tuple[bytes, ...] = ()
    """A JPEG's further segments of XMP, markers included, for what did not fit into the first."""


def part(label: str, *pieces: bytes | memoryview) -> Part:
    return label, pieces


def first_difference(before: Iterable[Part], after: Iterable[Part]) -> str:
    """The label of a part that is not as it was; empty where all are."""
    old, new = list(map(_digest, before)), list(map(_digest, after))
    if old == new:
        return ""
    differing = [each for each in old if each not in new] + [each for each in new if each not in old]
    return differing[0][0] if differing else "the order of its parts"


def _digest(kept: Part) -> tuple[str, str]:
    sha = hashlib.sha256()
    for piece in kept[1]:
        sha.update(piece)
    return kept[0], sha.hexdigest()


def only(packets: Iterable[bytes]) -> bytes:
    """The one packet of XMP that a file may have. Raises Odd where there are more."""
    found = list(packets)
    if len(found) > 1:
        raise Odd(f"it holds {len(found)} packets of XMP")
    return found[0].rstrip(b"\0") if found else b""


class Odd(Exception):
    """Why a file is not written to, as a clause of its own: it is damaged, or unlike what is known."""

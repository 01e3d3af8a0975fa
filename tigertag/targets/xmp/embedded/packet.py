"""A packet of XMP as bytes, of which what surrounds it is kept."""

from __future__ import annotations

import re

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

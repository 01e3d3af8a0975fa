"""PNG and WebP, taken apart by their chunks (W3C PNG, third edition; RFC 9649)."""

from __future__ import annotations

import zlib

from tigertag.targets.xmp.embedded.layout import Layout, Odd, Part, only, part

_XMP = b"XML:com.adobe.xmp\0"
_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt", b"eXIf", b"tIME"})
_MOST_TEXT = 16 << 20


def png(data: bytes) -> Layout:
    """Texts may move before the picture; everything else stays in its order. Raises Odd."""
    at, name = 8, b""
    ordered: list[Part] = []
    texts: list[Part] = []
    view = memoryview(data)
    packets = []
    while name != b"IEND":
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        stop = at + 12 + length
        if stop > len(data):
            raise Odd("it ends early")
        head = data[at + 8 : min(stop - 4, at + 40)]
        if name == b"iTXt" and head.startswith(_XMP):
            packets.append(_text(data[at + 8 + len(_XMP) : stop - 4]))
        elif head.startswith((b"Raw profile type xmp\0", b"Raw profile type APP1\0")):
            raise Odd("it keeps its XMP in ImageMagick's way")
        else:
            (texts if name in _TEXTS else ordered).append(part(f"chunk {name!r}", view[at:stop]))
        at = stop
    ordered.append(part("what follows the picture", data[at:]))
    return Layout((*ordered, *sorted(texts, key=_bytes)), only(packets))


def _bytes(kept: Part) -> tuple[str, bytes]:
    return kept[0], b"".join(kept[1])


def _text(rest: bytes) -> bytes:
    """The text of an iTXt chunk behind its keyword: flag, method, language, translated keyword."""
    is_packed, rest = rest[:1] == b"\x01", rest[2:]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]
    if not is_packed:
        return text
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(text, _MOST_TEXT)
    except zlib.error as error:
        raise Odd("its XMP is damaged") from error
    if unpacking.unconsumed_tail:
        raise Odd("its XMP is too large")
    return text


_HAS_XMP = 0x04
_HAS_ALPHA = 0x10


def webp(data: bytes) -> Layout:
    """The header of the extended format says whether there is XMP, and comes with it. Raises Odd."""
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    kept, packets = [], []
    while at < min(end, len(data)):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start, stop = at + 8, at + 8 + length
        if stop > len(data):
            raise Odd("it ends early")
        if name == b"XMP ":
            packets.append(data[start:stop])
        elif name == b"VP8X":
            flags = data[start] & ~(_HAS_XMP | _HAS_ALPHA)
            if flags:
                kept.append(part("the header", bytes([flags]), data[start + 1 : stop]))
        else:
            kept.append(part(f"chunk {name!r}", memoryview(data)[start:stop]))
        at = stop + length % 2
    kept.append(part("what follows the picture", data[at:]))
    return Layout(tuple(kept), only(packets))

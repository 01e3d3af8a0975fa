"""JPEG, taken apart by its segments (ITU-T T.81, annex B; XMP specification, part 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tigertag.targets.xmp.embedded.index import moved, pictures
from tigertag.targets.xmp.embedded.iptc import RESOURCE_DIGEST, RESOURCE_IPTC, BadIptc, parse, resources
from tigertag.targets.xmp.embedded.layout import Layout, Odd, Part, only, part

LARGEST_PACKET = 65_502
"""Bytes of XMP in one segment."""

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_HEAD = len(_EXTENDED) + 40  # then a GUID, the whole length and the offset of this piece
_PHOTOSHOP = b"Photoshop 3.0\0"
_MPF = b"MPF\0"
_MAY_CHANGE = re.compile(rb"""(<\?xpacket end=['"])r""")
_SOS, _APP1, _APP2, _APP13 = 0xDA, 0xE1, 0xE2, 0xED


def layout(data: bytes) -> Layout:
    """From the first scan on everything is kept, other pictures and trailers included. Raises Odd."""
    kept: list[Part] = []
    packets: list[bytes] = []
    extended: list[bytes] = []
    photoshop = b""
    segments = list(_segments(data))
    scan = segments[-1][1] if segments else 2
    for marker, start, stop in segments[:-1]:
        payload = data[start + 4 : stop]
        if marker == _APP1 and payload.startswith(_XMP):
            packets.append(payload[len(_XMP) :])
        elif marker == _APP1 and payload.startswith(_EXTENDED):
            extended.append(data[start:stop])
        elif marker == _APP13 and payload.startswith(_PHOTOSHOP):
            photoshop += payload[len(_PHOTOSHOP) :]
        elif marker == _APP2 and payload.startswith(_MPF):
            kept.append(part("the index of further pictures", *pictures(payload[4:], start + 8 - scan)))
        else:
            kept.append(part(f"segment FF{marker:02X}", payload))
    kept.append(part("the picture or what follows it", memoryview(data)[scan:]))
    try:
        every = list(resources(photoshop))
        blocks = [block for number, block in every if number == RESOURCE_IPTC]
        digest = next((block for number, block in every if number == RESOURCE_DIGEST), b"")
        if len(blocks) > 1:
            raise Odd("it holds several blocks of IPTC")
        iptc = parse(b"".join(blocks), digest)
    except BadIptc as error:
        raise Odd(str(error)) from error
    kept += [
        part(f"Photoshop's resource {number:#06x}", block)
        for number, block in every
        if number not in (RESOURCE_IPTC, RESOURCE_DIGEST)
    ]
    kept += [part(f"IPTC {record}:{number}", text.encode()) for (record, number), text in iptc.others]
    return Layout(tuple(kept), only(packets), iptc, extended=tuple(extended))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each, fill bytes left out; the last is the first scan's, without its data."""
    at = 2
    while True:
        if data[at : at + 1] != b"\xff":
            raise Odd("it holds bytes between its segments" if at < len(data) else "it ends early")
        while data[at + 1 : at + 2] == b"\xff":
            at += 1
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        stop = at + 2 + length
        if length < 2 or stop > len(data):
            raise Odd("it ends early")
        yield data[at + 1], at, stop
        if data[at + 1] == _SOS:
            return
        at = stop


def extension(segments: tuple[bytes, ...]) -> bytes:
    """The XMP that did not fit into the first segment, put together."""
    return b"".join(each[4 + _EXTENDED_HEAD :] for each in segments)


def mended(made: bytes, original: bytes, packet: bytes, extended: tuple[bytes, ...]) -> bytes:
    """What exiftool made, with what it changes, leaves out or leaves behind.

    It gives every packet the marks of one that may be changed; where it is given the first segment of XMP, it
    drops the further ones; and an index that lies before the XMP still says where the further pictures were.
    Raises Odd.
    """
    if packet:
        made = _with_packet(made, packet, extended)
    old, new = _index(original), _index(made)
    if old is None or new is None:
        return made
    start, stop = new[0], new[1]
    by = (new[2] - new[0]) - (old[2] - old[0])
    return made[:start] + moved(made[start:stop], by) + made[stop:]


def _with_packet(data: bytes, packet: bytes, extended: tuple[bytes, ...]) -> bytes:
    for marker, start, stop in _segments(data):
        if marker == _APP1 and data[start + 4 : stop].startswith(_XMP):
            there = start + 4 + len(_XMP)
            is_same = _MAY_CHANGE.sub(rb"\1w", packet) in data[there:stop]
            said = packet if is_same else data[there:stop]
            length = (2 + len(_XMP) + len(said)).to_bytes(2, "big")
            return b"".join((data[: start + 2], length, _XMP, said, *extended, data[stop:]))
    raise Odd("it has lost its XMP")


def _index(data: bytes) -> tuple[int, int, int] | None:
    """Where the index of further pictures begins and ends, and where the first scan begins."""
    segments = list(_segments(data))
    for marker, start, stop in segments:
        if marker == _APP2 and data[start + 4 : stop].startswith(_MPF):
            return start + 4 + len(_MPF), stop, segments[-1][1]
    return None

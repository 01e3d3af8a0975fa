"""The anatomy of a JPEG file (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tigertag.media.anatomy import ENDS_EARLY, Anatomy, Bytes, Form, Part, Unfit, orientation

_SOI, _EOI, _SOS, _DHT, _DQT, _DRI, _DAC, _DNL = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xCC, 0xDC
_APP1, _APP2, _APP13, _APP14, _COM = 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_PICTURE = _FRAMES | {_DHT, _DQT, _DRI, _DAC, _DNL, _APP14}
_METADATA = frozenset({_APP1, _APP13, _COM})

# Within coded data 0xFF is followed by a stuffed zero or a restart mark. Any other pair that no encoder writes
# there is damage that decoders step over, not the start of a segment.
_AFTER_SCAN = re.compile(rb"\xff+[\xc4\xcc\xda\xdb\xdc\xdd\xe0-\xef\xfe\xd9]")


@dataclass(slots=True)
class _Found:
    picture: list[Part] = field(default_factory=list)
    metadata: list[Part] = field(default_factory=list)
    orientation: int | None = None
    scans: int = 0
    frame: int | None = None


def jpeg(data: Bytes) -> Anatomy:
    """Picture: SOFn, DQT, DHT, DAC, DRI, SOS with its coded data to the first EOI, APP14, APP2 with a profile.

    DNL, which holds the height where SOFn does not, counts as coded data. Raises Unfit.
    """
    found = _Found()
    at = 2
    while True:
        marker, at = _marker(data, at)
        if marker == _EOI:
            break
        if marker in _BARE:
            continue
        start, stop = at, at + int.from_bytes(data[at : at + 2], "big")
        if stop < start + 2 or stop > len(data):
            raise Unfit(ENDS_EARLY if stop > len(data) else "is damaged (a segment without length)")
        if marker == _SOS:
            stop = _end_of_scan(data, stop)
            found.scans += 1
            found.picture.append(Part(bytes([marker]), ((start, stop),)))
        else:
            _take(found, data, marker, start, stop)
        at = stop
    if found.frame is None or not found.scans:
        raise Unfit("is damaged (a JPEG without a picture)")
    return Anatomy(
        Form.JPEG,
        "jpeg1",
        tuple(found.picture),
        tuple(found.metadata),
        found.orientation or 1,
        found.scans,
        found.frame in _PROGRESSIVE,
    )


def _marker(data: Bytes, at: int) -> tuple[int, int]:
    """The next marker and where it ends; decoders step over bytes between segments, so this does too."""
    at = data.find(b"\xff", at)
    while 0 <= at < len(data) and data[at] == 0xFF:
        at += 1
    if at < 0 or at >= len(data):
        raise Unfit(ENDS_EARLY)
    return data[at], at + 1


def _end_of_scan(data: Bytes, at: int) -> int:
    end = _AFTER_SCAN.search(data, at)
    if end is None:
        raise Unfit(ENDS_EARLY)
    return end.start()


def _take(found: _Found, data: Bytes, marker: int, start: int, stop: int) -> None:
    part = Part(bytes([marker]), ((start, stop),))
    if marker in _FRAMES:
        found.frame = marker
    if marker in _PICTURE or (marker == _APP2 and data[start + 2 : start + 14] == b"ICC_PROFILE\0"):
        found.picture.append(part)
    elif marker in _METADATA:
        found.metadata.append(part)
        if found.orientation is None and marker == _APP1 and data[start + 2 : start + 8] == b"Exif\0\0":
            found.orientation = orientation(data[start + 2 : stop])

"""The anatomy of a JPEG file (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tigertag.media.anatomy import (
    ENDS_EARLY,
    IN_CRUMBS,
    MOST_PARTS,
    Anatomy,
    Bytes,
    Form,
    Part,
    Unfit,
    orientation,
)

_SOI, _EOI, _SOS, _DHT, _DQT, _DRI, _DAC, _DNL = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xCC, 0xDC
_APP1, _APP2, _APP13, _APP14, _COM = 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_PICTURE = _FRAMES | {_DHT, _DQT, _DRI, _DAC, _DNL, _APP14}
_METADATA = frozenset({_APP1, _APP13, _COM})

# Within coded data 0xFF is followed by a stuffed zero or a restart mark. Any other pair that no encoder writes
# there is damage that decoders step over, not the start of a segment.
# Without a repeat of the 0xFF, which fill bytes ask for: a pattern that begins with one letter is found faster.
_AFTER_SCAN = re.compile(rb"\xff[\xc4\xcc\xda\xdb\xdc\xdd\xe0-\xef\xfe\xd9]")
_MARKER = re.compile(rb"\xff[^\xff]", re.DOTALL)
_MOST_EXIF = 4 << 20
_FILL = 1 << 16  # fill bytes that are looked at together: a file may hold millions


@dataclass(slots=True)
class _Found:
    picture: list[Part] = field(default_factory=list)
    metadata: list[Part] = field(default_factory=list)
    orientation: int | None = None
    scans: int = 0
    frame: int | None = None
    size: tuple[int, int] | None = None
    exif: int = 0
    """Bytes in segments of EXIF."""


def jpeg(data: Bytes) -> Anatomy:
    """Picture: SOFn, DQT, DHT, DAC, DRI, SOS with its coded data to the first EOI, APP14, APP2 with a profile.

    DNL, which holds the height where SOFn does not, counts as coded data. Raises Unfit.
    """
    found = _Found()
    at = 2
    for _ in range(MOST_PARTS):
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
    else:
        raise Unfit(IN_CRUMBS)
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
        found.size,
    )


def _marker(data: Bytes, at: int) -> tuple[int, int]:
    """The next marker and where it ends; decoders step over bytes between segments, so this does too."""
    found = _MARKER.search(data, at)
    if found is None:
        raise Unfit(ENDS_EARLY)
    return data[found.end() - 1], found.end()


def _end_of_scan(data: Bytes, at: int) -> int:
    end = _AFTER_SCAN.search(data, at)
    if end is None:
        raise Unfit(ENDS_EARLY)
    start = end.start()
    while data[start - 1] == 0xFF:
        filled = bytes(data[max(0, start - _FILL) : start])
        start -= len(filled) - len(filled.rstrip(b"\xff"))
    return start


def _take(found: _Found, data: Bytes, marker: int, start: int, stop: int) -> None:
    part = Part(bytes([marker]), ((start, stop),))
    if marker in _FRAMES:
        found.frame = marker
        found.size = _size(data, start, stop)
    if marker in _PICTURE or (marker == _APP2 and data[start + 2 : start + 14] == b"ICC_PROFILE\0"):
        found.picture.append(part)
    elif marker in _METADATA:
        found.metadata.append(part)
        if marker == _APP1 and data[start + 2 : start + 8] == b"Exif\0\0":
            _take_exif(found, data, start + 2, stop)


def _take_exif(found: _Found, data: Bytes, start: int, stop: int) -> None:
    """Raises Unfit where there is more of it than can be meant."""
    if found.orientation is None:
        found.orientation = orientation(data[start:stop])
    found.exif += stop - start
    # One segment is what the standard allows. Readers put many together, in time that grows with their square.
    if found.exif > _MOST_EXIF:
        raise Unfit(f"is damaged (over {_MOST_EXIF >> 20} MiB of EXIF)")


def _size(data: Bytes, start: int, stop: int) -> tuple[int, int] | None:
    """What a frame header says; None where it says nothing that makes sense, or leaves the height for later."""
    if stop < start + 8:
        return None
    height, width = (int.from_bytes(data[at : at + 2], "big") for at in (start + 3, start + 5))
    return (width, height) if width and height else None

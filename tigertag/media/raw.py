"""Camera raw files: known by what is in them, and seen through the preview that the camera put there.

A preview is what the photographer saw, and decoding it takes a hundredth of the time. Only a file without a
good one is developed, which `tigertag[raw]` is for. Sources: TIFF 6.0, DNG 1.7; for the rest ExifTool's tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tigertag.media import tiff
from tigertag.media.anatomy import ENDS_EARLY, Anatomy, Bytes, Form, Span, Unfit, orientation
from tigertag.media.jpeg import jpeg
from tigertag.media.tiff import Directory, Read, first

LEAST_SIDE = 640
"""Pixels of a preview's long side; a smaller one is a thumbnail, and engines would see too little."""

_FUJIFILM = b"FUJIFILMCCD-RAW"
MAGIC = (
    b"II*\0\x10\0\0\0CR",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    _FUJIFILM,
    b"II\x1a\0\0\0HEAPCCDR",
    b"FOVb",
    b"\0MRM",
)
_TIFF_HEADS = (b"II*\0", b"MM\0*")

_SENSOR = frozenset({32803, 34892})  # photometric: colour filter array, linear raw
_RAW_PACKING = frozenset({32767, 32769, 32770, 34713, 65000, 65535})  # Sony, Nikon, Samsung, Kodak, Pentax
_PANASONIC = (0x2E, 0x127)  # JpgFromRaw, JpgFromRaw2
_DECODABLE = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive; sensor data is packed as 0xC3

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS = 0xDA
_START = b"\xff\xd8\xff"
_LONGEST = 64 << 20
_LONGEST_HEAD = 4 << 20  # bytes of metadata before a preview's picture
_MOST_TRIES = 64
_CANON = 1 << 16  # within so many bytes CR3 has its block of metadata


def is_raw(directories: Sequence[Directory]) -> bool:
    """Whether a TIFF file holds what a sensor saw, rather than a picture."""
    return any(
        tiff.DNG_VERSION in each
        or first(each, tiff.PHOTOMETRIC) in _SENSOR
        or first(each, tiff.COMPRESSION) in _RAW_PACKING
        for each in directories
    )


def reading(data: Bytes) -> Read:
    """Reads from a whole file."""
    return lambda at, length: bytes(data[at : at + length])


def raw(data: Bytes) -> Anatomy:
    """Of a raw file: that of its preview where it has a good one. Raises Unfit where the file is cut.

    The whole file is the picture: what a camera writes there changes with the sensor's data only.
    """
    directories = list(tiff.directories(reading(data)))
    told = [span for each in directories for span in _data(each)]
    if any(stop > len(data) for _, stop in [*told, *_fujifilms(data)]):
        raise Unfit(ENDS_EARLY)
    turned = _orientation(data, directories)
    found = sorted(_previews(data, directories), key=lambda each: _area(each[1]))
    if not found or max(found[-1][1].size or (0,)) < LEAST_SIDE:
        return Anatomy(Form.RAW, "file1", (), (), turned)
    span, shown = found[-1]
    # A preview that says how it is to be turned knows; else it lies as the sensor does.
    turned = shown.orientation if shown.orientation != 1 else turned
    return Anatomy(Form.JPEG, "file1", (), (), turned, shown.scans, shown.progressive, shown.size, within=span)


def upright_size(directories: Sequence[Directory]) -> tuple[int, int]:
    """Width and height of the largest picture that the directories tell of; 1 × 1 where they tell of none."""
    sizes = [(first(each, tiff.WIDTH), first(each, tiff.LENGTH)) for each in directories]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(1, 1))
    turned = first(directories[0], tiff.ORIENTATION, 1) if directories else 1
    return (height or 1, width or 1) if turned in range(5, 9) else (width or 1, height or 1)


def _orientation(data: Bytes, directories: Sequence[Directory]) -> int:
    if data[4:12] == b"ftypcrx ":
        at = data[:_CANON].find(b"CMT1")
        return orientation(bytes(data[at + 4 : at + 4 + _CANON])) if at >= 0 else 1
    turned = first(directories[0], tiff.ORIENTATION, 1) if directories else 1
    return turned if 1 <= turned <= 8 else 1


def _area(anatomy: Anatomy) -> int:
    width, height = anatomy.size or (0, 0)
    return width * height


def _data(directory: Directory) -> Iterator[Span]:
    """Where the directory says that pictures lie."""
    for starts, lengths in (
        (tiff.STRIPS, tiff.STRIP_LENGTHS),
        (tiff.TILES, tiff.TILE_LENGTHS),
        (tiff.JPEG_START, tiff.JPEG_LENGTH),
    ):
        if starts in directory and lengths in directory:
            pairs = zip(directory[starts].numbers, directory[lengths].numbers, strict=False)
            yield from ((start, start + length) for start, length in pairs)


def _fujifilms(data: Bytes) -> Iterator[Span]:
    """Preview, header and sensor data of a RAF file: its head tells where they lie, and how long they are."""
    if data[:15] == _FUJIFILM:
        for at in (84, 92, 100):
            start, length = (int.from_bytes(data[each : each + 4], "big") for each in (at, at + 4))
            yield start, start + length


def _previews(data: Bytes, directories: Sequence[Directory]) -> Iterator[tuple[Span, Anatomy]]:
    """The JPEGs that can be decoded."""
    for each in directories:
        for span in _candidates(each):
            if shown := _decodable(data, span):
                yield span, shown
    if not data[:4].startswith(_TIFF_HEADS):
        yield from _scattered(data)


def _candidates(directory: Directory) -> Iterator[Span]:
    is_sensors = first(directory, tiff.PHOTOMETRIC) in _SENSOR
    places = [] if is_sensors else list(_data(directory))
    if len(places) == 1:  # a picture in many strips or tiles is no JPEG file
        yield places[0]
    elif tiff.JPEG_START in directory and tiff.JPEG_LENGTH in directory:
        start = first(directory, tiff.JPEG_START)
        yield start, start + first(directory, tiff.JPEG_LENGTH)
    for tag in _PANASONIC:
        if tag in directory and directory[tag].length > 4:
            yield directory[tag].start, directory[tag].start + directory[tag].length


def _scattered(data: Bytes) -> Iterator[tuple[Span, Anatomy]]:
    """JPEGs wherever they lie, for containers that have no directories or hide them in a maker's note."""
    at = 0
    for _ in range(_MOST_TRIES):
        at = data.find(_START, at)
        if at < 0:
            return
        shown = _decodable(data, (at, at + _LONGEST))
        if shown is None:
            at += len(_START)
            continue
        stop = at + shown.picture[-1].spans[-1][1] + 2
        yield (at, stop), shown
        at = stop


def _decodable(data: Bytes, span: Span) -> Anatomy | None:
    start, stop = span
    if not _begins(bytes(data[start : min(stop, start + _LONGEST_HEAD)])):
        return None
    piece = bytes(data[start : min(stop, start + _LONGEST)])
    try:
        shown = jpeg(piece)
    except Unfit:  # it only looked like one
        return None
    return shown if shown.size else None


def _begins(head: bytes) -> bool:
    """Whether segments follow each other from the first byte to the picture, as every camera writes them.

    What a sensor saw looks like the beginning of a JPEG every few megabytes, and `jpeg` steps over much.
    """
    at, is_framed = 2, False
    while head[:3] == _START and at + 4 <= len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if marker == _SOS:
            return is_framed
        if marker in _FRAMES:
            precision, parts = head[at + 4 : at + 5], int.from_bytes(head[at + 9 : at + 10], "big")
            if marker not in _DECODABLE or precision != b"\x08" or length != 8 + 3 * parts:
                return False
            is_framed = True
        at += 2 + length
    return False

"""What a file is, by its first bytes; and the cheap checks for formats that are hashed whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tigertag.media.anatomy import ENDS_EARLY, IN_CRUMBS, MOST_PARTS, Anatomy, Bytes, Form, Unfit
from tigertag.media.chunks import png, webp
from tigertag.media.jpeg import jpeg
from tigertag.media.raw import MAGIC, is_raw, raw, reading
from tigertag.media.tiff import directories

_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

# Matroska, AVI, MPEG program and video streams, Flash, Ogg, Windows Media, MPEG transport streams.
_VIDEO = re.compile(
    rb"\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01[\xba\xb3]|FLV\x01|OggS|0&\xb2u\x8ef\xcf\x11"
    rb"|(G.{187}){2}G|.{4}(G.{191}){2}G",
    re.DOTALL,
)

# What else lies in photo folders under a picture's name.
_OTHERS = (
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06|7z\xbc\xaf|Rar!|\x1f\x8b"), "an archive"),
    (re.compile(rb"(?i)\s*(<!doctype html|<html)"), "an HTML page"),
    (re.compile(rb"(?i)\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg", re.DOTALL), "an SVG drawing"),
    (re.compile(rb"\0\0\0\x05\0\0\0\0|\0*\Z"), "only zeros"),
    (re.compile(rb"\0\x05\x16\x07"), "a macOS resource file"),
    (re.compile(rb"(\xef\xbb\xbf)?[\t\n\r\x20-\x7e\x80-\xff]+\Z"), "text"),
)


def anatomy(data: Bytes) -> Anatomy:
    """What `data` consists of. Raises Unfit where it is no picture, or one that ends early."""
    form = form_of(bytes(data[:512]))
    match form:
        case Form.JPEG:
            return jpeg(data)
        case Form.PNG:
            return png(data)
        case Form.WEBP:
            return webp(data)
        case Form.GIF:
            _check_gif(data)
        case Form.HEIF | Form.AVIF:
            _check_boxes(data)
        case Form.VIDEO:
            _check_film(data)
        case Form.RAW:
            if data[4:8] == b"ftyp":
                _check_boxes(data)
            return raw(data)
        case Form.TIFF if is_raw(list(directories(reading(data)))):
            return raw(data)
        case Form.TIFF | Form.BMP:
            pass  # their headers do not tell the length; the decoder does
    return Anatomy(form, "file1", (), ())


def form_of(head: bytes) -> Form:
    """The kind of picture whose first 512 bytes these are. Raises Unfit where it is none.

    Many raw files begin as any TIFF does, and count as that until their directories are read.
    """
    if not head:
        raise Unfit("is empty")
    if head.startswith(MAGIC) or head[4:12] == b"ftypcrx ":
        return Form.RAW
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head.startswith(b"\xff\xd8\xff"):
        return Form.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Form.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Form.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Form.GIF
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return Form.TIFF
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return Form.BMP
    if _VIDEO.match(head):
        return Form.VIDEO
    raise Unfit(f"is not a picture ({_other(head)})")


def _brand(head: bytes) -> Form:
    """The kind of an ISO base media file (ISO/IEC 14496-12, 4.3) by its major, then its other brands."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[at : at + 4] for at in (8, *range(16, size - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return Form.AVIF
    if any(brand in _HEIF_BRANDS for brand in brands):
        return Form.HEIF
    return Form.VIDEO


def _other(head: bytes) -> str:
    known = (name for pattern, name in _OTHERS if pattern.match(head))
    return next(known, "of no kind that TigerTag knows")


_MOST_BLOCKS = 4_000_000
"""Blocks of a GIF, of up to 255 bytes each: twice as many as the largest file that is read."""


def _check_gif(data: Bytes) -> None:
    """Walks the blocks to the trailer (GIF89a, 17 to 27)."""
    if len(data) < 13:
        raise Unfit(ENDS_EARLY)
    at, blocks = 13 + _colours(data[10]), 0
    while blocks < _MOST_BLOCKS:
        if at >= len(data):
            raise Unfit(ENDS_EARLY)
        if data[at] == 0x3B:
            return
        if data[at] == 0x21:
            at, blocks = _after_blocks(data, at + 2, blocks)
        elif data[at] == 0x2C and at + 10 <= len(data):
            at, blocks = _after_blocks(data, at + 11 + _colours(data[at + 9]), blocks)
        else:
            raise Unfit("is damaged (an unknown block in a GIF)")
    raise Unfit(f"is damaged (over {_MOST_BLOCKS:,} pieces)")


def _colours(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(data: Bytes, at: int, blocks: int) -> tuple[int, int]:
    """Where the blocks end that begin at `at`, and how many there were up to there; the end is one, too."""
    while at < len(data) and data[at] and blocks < _MOST_BLOCKS:
        at += 1 + data[at]
        blocks += 1
    return at + 1, blocks + 1


def _check_boxes(data: Bytes) -> None:
    """The outermost boxes must end where the file does."""
    for number, (name, stop) in enumerate(_boxes(data)):
        if number >= MOST_PARTS:
            raise Unfit(IN_CRUMBS)
        if stop > len(data) or not name:
            raise Unfit(ENDS_EARLY)


def _check_film(data: Bytes) -> None:
    """Containers that say how long they are; streams do not."""
    if data[4:8] == b"ftyp":
        _check_boxes(data)
    elif data[:4] == b"\x1aE\xdf\xa3":
        _check_segment(data)
    elif data[:4] == b"RIFF" and 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise Unfit(ENDS_EARLY)


def _check_segment(data: Bytes) -> None:
    """Matroska and WebM: the segment behind the head must end where the file does (RFC 8794, 4 to 6)."""
    head, at = _ebml_size(data, 4)
    at += head or 0
    if head is None or data[at : at + 4] != b"\x18S\x80g":
        return  # FFmpeg says what is wrong
    size, at = _ebml_size(data, at + 4)
    if size is not None and at + size > len(data):
        raise Unfit(ENDS_EARLY)


def _ebml_size(data: Bytes, at: int) -> tuple[int | None, int]:
    """A size and where it ends; None where it is unknown, as of a broadcast that was recorded."""
    first = int.from_bytes(data[at : at + 1], "big")
    length = 9 - first.bit_length()
    if length > 8:
        return None, at + 1
    size = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (None if size == (1 << 7 * length) - 1 else size), at + length


def _boxes(data: Bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        stop = len(data) if size == 0 else at + size
        if stop < at + 8:
            return  # bytes after the last box that are no box: a trailer of a phone
        yield name, stop
        at = stop


def is_picture(head: bytes) -> bool:
    """Whether a file that starts like this is one of the pictures that can be opened; a video is none."""
    try:
        return form_of(head) is not Form.VIDEO
    except Unfit:
        return False

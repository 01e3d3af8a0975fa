"""What a file is, by its first bytes; and the cheap checks for formats that are hashed whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tigertag.media.anatomy import ENDS_EARLY, Anatomy, Bytes, Form, Unfit
from tigertag.media.chunks import png, webp
from tigertag.media.jpeg import jpeg

_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_RAW = (b"II*\0\x10\0\0\0CR", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM")

# What else lies in photo folders under a picture's name.
_OTHERS = (
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06|7z\xbc\xaf|Rar!|\x1f\x8b"), "an archive"),
    (re.compile(rb"\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01\xba|\0\0\x01\xb3|FLV\x01|OggS", re.DOTALL), "a video"),
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
        case Form.TIFF | Form.BMP:
            pass  # their headers do not tell the length; the decoder does
    return Anatomy(form, "file1", (), ())


def form_of(head: bytes) -> Form:
    """The kind of picture whose first 512 bytes these are. Raises Unfit where it is none."""
    if not head:
        raise Unfit("is empty")
    if head.startswith(_RAW) or head[4:12] == b"ftypcrx ":
        raise Unfit("is a camera raw file, which TigerTag cannot read yet")
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
    raise Unfit(f"is not a picture ({_other(head)})")


def _brand(head: bytes) -> Form:
    """The kind of an ISO base media file (ISO/IEC 14496-12, 4.3) by its major, then its other brands."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[at : at + 4] for at in (8, *range(16, size - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return Form.AVIF
    if any(brand in _HEIF_BRANDS for brand in brands):
        return Form.HEIF
    raise Unfit("is not a picture (a video)")


def _other(head: bytes) -> str:
    known = (name for pattern, name in _OTHERS if pattern.match(head))
    return next(known, "of no kind that TigerTag knows")


def _check_gif(data: Bytes) -> None:
    """Walks the blocks to the trailer (GIF89a, 17 to 27)."""
    if len(data) < 13:
        raise Unfit(ENDS_EARLY)
    at = 13 + _colours(data[10])
    while True:
        if at >= len(data):
            raise Unfit(ENDS_EARLY)
        if data[at] == 0x3B:
            return
        if data[at] == 0x21:
            at = _after_blocks(data, at + 2)
        elif data[at] == 0x2C and at + 10 <= len(data):
            at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
        else:
            raise Unfit("is damaged (an unknown block in a GIF)")


def _colours(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(data: Bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _check_boxes(data: Bytes) -> None:
    """The outermost boxes must end where the file does."""
    for name, stop in _boxes(data):
        if stop > len(data) or not name:
            raise Unfit(ENDS_EARLY)


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
    """Whether a file that starts like this is one of the pictures that can be opened."""
    try:
        form_of(head)
    except Unfit:
        return False
    return True

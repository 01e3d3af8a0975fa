"""The anatomy of the formats made of chunks: PNG (W3C PNG, third edition) and WebP (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from tigertag.media.anatomy import (
    ENDS_EARLY,
    IN_CRUMBS,
    MOST_PARTS,
    Anatomy,
    Bytes,
    Form,
    Part,
    Span,
    Unfit,
    orientation,
)

_PNG_PICTURE = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"acTL", b"fcTL", b"fdAT"}
)
_PNG_METADATA = frozenset({b"eXIf", b"iTXt", b"tEXt", b"zTXt", b"tIME"})
_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_METADATA = frozenset({b"EXIF", b"XMP "})


def png(data: Bytes) -> Anatomy:
    """Picture: the chunks of DESIGN.md's list. Raises Unfit where IEND is not reached.

    IDAT chunks are one stream cut anywhere, so where they are cut makes no difference.
    """
    coded: list[Span] = []
    picture: list[Part] = []
    metadata: list[Part] = []
    turned = 1
    size: tuple[int, int] | None = None
    for name, span in _png_chunks(data):
        if name == b"IHDR":
            size = _png_size(data, *span)
        if name == b"IDAT":
            coded.append(span)
        elif name in _PNG_PICTURE:
            picture.append(Part(name, (span,)))
        elif name in _PNG_METADATA:
            metadata.append(Part(name, (span,)))
        if name == b"eXIf":
            turned = orientation(data[slice(*span)])
    if not coded:
        raise Unfit("is damaged (a PNG without a picture)")
    picture.append(Part(b"IDAT", tuple(coded)))
    return Anatomy(Form.PNG, "png1", tuple(picture), tuple(metadata), turned, size=size)


def _png_size(data: Bytes, start: int, stop: int) -> tuple[int, int] | None:
    """What the header says; None where that makes no sense."""
    if stop < start + 8:
        return None
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (start, start + 4))
    return (width, height) if width and height else None


def _png_chunks(data: Bytes) -> Iterator[tuple[bytes, Span]]:
    at = 8
    for _ in range(MOST_PARTS):
        length, name = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        start, stop = at + 8, at + 8 + length
        if stop + 4 > len(data):
            raise Unfit(ENDS_EARLY)
        if name == b"IEND":
            return
        yield name, (start, stop)
        at = stop + 4
    raise Unfit(IN_CRUMBS)


def webp(data: Bytes) -> Anatomy:
    """Picture: the payloads of VP8, VP8L, ALPH, ANIM, ANMF, ICCP. Raises Unfit where the file is cut.

    VP8X is left out: it tells whether there is metadata.
    """
    picture: list[Part] = []
    metadata: list[Part] = []
    turned = 1
    for name, span in _webp_chunks(data):
        if name in _WEBP_PICTURE:
            picture.append(Part(name, (span,)))
        elif name in _WEBP_METADATA:
            metadata.append(Part(name, (span,)))
        if name == b"EXIF":
            turned = orientation(data[slice(*span)])
    if not picture:
        raise Unfit("is damaged (a WebP without a picture)")
    return Anatomy(Form.WEBP, "webp1", tuple(picture), tuple(metadata), turned)


def _webp_chunks(data: Bytes) -> Iterator[tuple[bytes, Span]]:
    end = 8 + int.from_bytes(data[4:8], "little")
    at = 12
    for _ in range(MOST_PARTS):
        if at + 8 > end:
            return
        name, length = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "little")
        start, stop = at + 8, at + 8 + length
        if stop > len(data) or at + 8 > len(data):
            raise Unfit(ENDS_EARLY)
        yield name, (start, stop)
        at = stop + length % 2
    raise Unfit(IN_CRUMBS)

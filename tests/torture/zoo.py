"""Bad pictures of every kind, each with what must become of it. All are drawn here."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.pictures import draw
from tests.torture.zoo_broken import crumbs, flipped, metadata, truncated
from tests.torture.zoo_draw import SMALL, Beast, Fate, chunk, nothing_much, riff, saved, with_chunks

# ── bombs ─────────────────────────────────────────────────────────────────────────────────────────────────


def bombs() -> Iterator[Beast]:
    """Headers that lie about pixels, and little data that becomes much."""
    big = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    nearly = struct.pack(">IIBBBBB", 9_990, 9_990, 8, 6, 0, 0, 0)
    little = chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    png = b"\x89PNG\r\n\x1a\n"
    large = r"is too large"
    yield Beast("pixel bomb", "bomb.png", png + chunk(b"IHDR", big) + little, Fate.NAMED, large)
    yield Beast("pixel bomb", "nearly.png", png + chunk(b"IHDR", nearly) + little, Fate.NAMED)
    gif = saved("GIF")
    yield Beast("pixel bomb", "bomb.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:], Fate.NAMED, large)
    yield Beast("pixel bomb", "bomb.bmp", _resized_bmp(60_000, 60_000), Fate.NAMED, large)
    yield Beast("pixel bomb", "nearly.bmp", _resized_bmp(9_000, 9_000), Fate.NAMED)
    yield Beast("pixel bomb", "bomb.tif", _resized_tiff(60_000), Fate.NAMED, large)
    yield Beast("pixel bomb", "bomb.webp", _resized_webp(), Fate.NAMED)
    yield Beast("pixel bomb", "bomb.jpg", resized_jpeg(65_500, 65_500), Fate.NAMED, large)
    yield Beast(
        "pixel bomb", "progressive.jpg", resized_jpeg(14_000, 14_000, progressive=True), Fate.NAMED, large
    )
    yield Beast("pixel bomb", "nearly.jpg", resized_jpeg(14_000, 14_000), Fate.EITHER)
    yield Beast("pixel bomb", "flat.png", _flat_png(9_900), Fate.TAGGED)
    nothing = nothing_much()
    plain, plainer, plainest = (saved("PNG", seed=seed) for seed in (11, 12, 13))
    yield Beast("zlib bomb", "ztxt.png", with_chunks(plain, chunk(b"zTXt", b"a\0\0" + nothing)), Fate.EITHER)
    itxt = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + nothing)
    yield Beast("zlib bomb", "itxt.png", with_chunks(plainer, itxt), Fate.EITHER)
    yield Beast("zlib bomb", "iccp.png", with_chunks(plain, chunk(b"iCCP", b"a\0\0" + nothing)), Fate.EITHER)
    some = zlib.compress(bytes(1 << 20), 9)
    many = [chunk(b"zTXt", b"%d\0\0" % number + some) for number in range(300)]
    yield Beast("zlib bomb", "many.png", with_chunks(plainest, *many), Fate.EITHER)
    yield Beast("zlib bomb", "long.png", _long_png(), Fate.EITHER)
    yield Beast("scans", "thousands.jpg", many_scans(3_000), Fate.NAMED, "passes")
    yield Beast("scans", "hundreds.jpg", many_scans(300), Fate.TAGGED)


def resized_jpeg(width: int, height: int, **options: object) -> bytes:
    """A JPEG whose header says another size."""
    plain = bytearray(saved("JPEG", **options))
    at = next(plain.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in plain)
    plain[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(plain)


def many_scans(number: int, size: tuple[int, int] = SMALL) -> bytes:
    plain = saved("JPEG", size=size, progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:last] + plain[last:-2] * number + plain[-2:]


def _resized_bmp(width: int, height: int) -> bytes:
    plain = saved("BMP")
    return plain[:18] + struct.pack("<ii", width, height) + plain[26:]


def _resized_tiff(side: int) -> bytes:
    plain = bytearray(saved("TIFF", compression="tiff_lzw"))
    start = int.from_bytes(plain[4:8], "little")
    for at in range(start + 2, start + 2 + 12 * int.from_bytes(plain[start : start + 2], "little"), 12):
        if int.from_bytes(plain[at : at + 2], "little") in (256, 257):
            plain[at : at + 12] = plain[at : at + 2] + struct.pack("<HII", 4, 1, side)
    return bytes(plain)


def _resized_webp() -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff\x3f\0" * 2
    return riff(canvas + saved("WEBP", lossless=True)[12:])


def _flat_png(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def _long_png() -> bytes:
    """The header tells of 60 rows, the data holds a hundred megabytes."""
    header = struct.pack(">IIBBBBB", 80, 60, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", nothing_much())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


# ── rare, and none at all ─────────────────────────────────────────────────────────────────────────────────


def rare() -> Iterator[Beast]:
    """Good pictures of kinds that few cameras write."""
    colours: dict[str, tuple[str, str]] = {
        "cmyk.jpg": ("CMYK", "JPEG"),
        "lab.tif": ("LAB", "TIFF"),
        "sixteen.png": ("I;16", "PNG"),
        "sixteen.tif": ("I;16", "TIFF"),
        "fractions.tif": ("F", "TIFF"),
        "bits.png": ("1", "PNG"),
        "bits.tif": ("1", "TIFF"),
        "grey.jpg": ("L", "JPEG"),
        "clear.png": ("LA", "PNG"),
        "clear.webp": ("RGBA", "WEBP"),
    }
    for name, (mode, form) in colours.items():
        yield Beast("rare colours", name, _in_mode(mode, form), Fate.TAGGED)
    for name in ("palette.png", "palette.gif"):
        file = io.BytesIO()
        draw(6, SMALL).quantize(16).save(file, name[-3:].upper(), transparency=3)
        yield Beast("rare colours", name, file.getvalue(), Fate.TAGGED)
    file = io.BytesIO()
    draw(7, SMALL).save(file, "MPO", save_all=True, append_images=[draw(8, SMALL)])
    mpo = file.getvalue()
    yield Beast("several pictures", "two.mpo", mpo, Fate.TAGGED)
    yield Beast("several pictures", "cut.mpo", mpo[: len(mpo) * 2 // 3], Fate.EITHER)
    lying = mpo.replace(b"\2\xb0\7\0\x20\0\0\0", b"\2\xb0\7\0\xff\xff\xff\xff").replace(
        b"\xb0\2\0\7\0\0\0\x20", b"\xb0\2\0\7\xff\xff\xff\xff"
    )
    yield Beast("several pictures", "lying.mpo", lying, Fate.EITHER)
    yield Beast("trailer", "trailer.jpg", saved("JPEG", seed=9) + bytes(range(256)) * 400, Fate.TAGGED)
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(50_000)
    yield Beast("trailer", "motion.jpg", saved("JPEG", seed=10) + film, Fate.TAGGED)


def _in_mode(mode: str, form: str) -> bytes:
    picture, file = draw(6, SMALL), io.BytesIO()
    if mode == "I;16":
        turned = picture.convert("I").point(lambda value: value * 256).convert("I;16")
    elif mode == "LAB":
        turned = Image.merge("LAB", picture.split())
    else:
        turned = picture.convert(mode)
    turned.save(file, form)
    return file.getvalue()


def strangers() -> Iterator[Beast]:
    """What is no picture, under the name of one."""
    contents = {
        "is empty": b"",
        "only zeros": bytes(5_000),
        "text": b"Dear diary,\nno picture today.\n" * 50,
        "an HTML page": b"<!DOCTYPE html><html><body>503</body></html>",
        "a PDF document": b"%PDF-1.7\n1 0 obj\n",
        "an archive": b"PK\3\4" + bytes(400),
        "a video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(3_000),
        "an SVG drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "of no kind": random.Random(9).randbytes(900),
    }
    for number, (words, content) in enumerate(contents.items()):
        yield Beast("no picture", f"stranger-{number}.jpg", content, Fate.NAMED, words)
    yield Beast("no picture", "end.jpg", b"\xff\xd8\xff\xd9", Fate.NAMED, "is damaged")


NAMES = {
    "newline": b"new\nline.jpg",
    "escape sequence": b"red\x1b[2J\x1b[31m.jpg",
    "bell and tab": b"\a\t\r.jpg",
    "right to left": "\u202egpj.exe.jpg".encode(),
    "invalid UTF-8": b"\xff\xfe\x80.jpg",
    "255 bytes": b"n" * 251 + b".jpg",
    "255 bytes of snakes": "🐍".encode() * 62 + b"abc.jpg",
    "leading dash": b"-rf --help.jpg",
    "quotes": b'it\'s "quoted" $HOME `id` %s {0}.jpg',
    "backslash": b"back\\slash\\x0a.jpg",
    "emoji": "🐯👨‍👩‍👧.jpg".encode(),
    "blanks": b"  two  blanks  .jpg",
    "C1 control": "\x85\x9b2J.jpg".encode(),
}


def herd(full: bool) -> Iterator[Beast]:
    """All of them, or a sample."""
    makers: list[Callable[[], Iterator[Beast]]] = [bombs, crumbs, metadata, rare, strangers]
    for make in makers:
        yield from make()
    yield from truncated(40 if full else 3)
    yield from flipped(80 if full else 4)

"""Pictures that are cut, changed, in crumbs, or whose metadata is broken."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

from tests.pictures import iptc, jpeg_bytes, segment, with_segments, xmp
from tests.torture.zoo_draw import FORMS, SMALL, Beast, Fate, chunk, riff, saved, with_chunks, with_icc
from tests.torture.zoo_exif import EXIFS, many_values


def truncated(places: int) -> Iterator[Beast]:
    """Each form, cut at so many places."""
    for form in FORMS:
        whole = saved(form, seed=2)
        for number in range(places):
            at = len(whole) * (2 * number + 1) // (2 * places)
            yield Beast("truncated", f"{form}-{at}.jpg", whole[:at], Fate.NAMED)


def flipped(times: int) -> Iterator[Beast]:
    """Each form with a few bytes of it changed, by a dice that always falls the same."""
    dice = random.Random(20_260_701)
    for form in FORMS:
        for number in range(times):
            content = bytearray(saved(form, seed=3))
            head = min(len(content), 700) if number % 2 else len(content)
            for _ in range(dice.choice((1, 2, 5, 20))):
                content[dice.randrange(head)] = dice.choice((0, 0xFF, 0x7F, 0x80, dice.randrange(256)))
            yield Beast("flipped bytes", f"{form}-{number}.jpg", bytes(content), Fate.EITHER)


def crumbs() -> Iterator[Beast]:
    """Files whose size is in their structure."""
    said = r"is damaged \(over"
    comments = with_segments(saved("JPEG"), segment(0xFE, b"") * 300_000)
    yield Beast("crumbs", "comments.jpg", comments, Fate.NAMED, said)
    texts = with_chunks(saved("PNG"), chunk(b"tEXt", b"") * 200_000)
    yield Beast("crumbs", "texts.png", texts, Fate.NAMED, said)
    yield Beast("crumbs", "chunks.webp", riff(saved("WEBP")[12:] + b"XMP \0\0\0\0" * 200_000), Fate.NAMED, said)
    fill = jpeg_bytes(1, size=SMALL)
    yield Beast("crumbs", "fill.jpg", fill[:-40] + b"\xff" * 4_000_000 + b"\0" + fill[-40:], Fate.EITHER)
    yield Beast("crumbs", "fill-2.jpg", fill[:2] + b"\xff" * 4_000_000 + fill[2:], Fate.EITHER)
    frame = saved("GIF")
    body = frame[frame.index(b",", 13 + 3 * (2 << (frame[10] & 7))) : -1]
    yield Beast("endless GIF", "frames.gif", frame[:-1] + body * 3_000 + b";", Fate.TAGGED)
    yield Beast("endless GIF", "no-end.gif", frame[:-1] + body * 3_000, Fate.NAMED, "ends early")
    blocks = frame[:-1] + b"!\xfe" + b"\1x" * 5_000_000 + b"\0;"
    yield Beast("endless GIF", "blocks.gif", blocks, Fate.NAMED, said)


def metadata() -> Iterator[Beast]:
    """EXIF, XMP and colour profiles that are broken, or bombs: as good as none."""
    for name, block in EXIFS.items():
        jpeg = with_segments(saved("JPEG", seed=4), segment(0xE1, b"Exif\0\0" + block))
        yield Beast("broken EXIF", f"{name}.jpg", jpeg, Fate.TAGGED)
        yield Beast("broken EXIF", f"{name}.png", with_chunks(saved("PNG"), chunk(b"eXIf", block)), Fate.TAGGED)
        yield Beast("broken EXIF", f"{name}.webp", saved("WEBP", exif=block), Fate.TAGGED)
        yield Beast("broken IFD", f"{name}.tif", block + saved("TIFF"), Fate.EITHER)
    yield Beast("EXIF bomb", "values.jpg", _many_segments(many_values(400_000)), Fate.TAGGED)
    yield Beast("EXIF bomb", "segments.jpg", _many_segments(many_values(1_000_000)), Fate.NAMED, "MiB of EXIF")
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    bomb += b"]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a9;</x:xmpmeta>"
    deep = b"<a>" * 20_000 + b"</a>" * 20_000
    for name, packet in {
        "laughs": bomb,
        "deep": deep,
        "cut": xmp(["dog"])[:200],
        "zeros": bytes(60_000),
    }.items():
        content = with_segments(
            saved("JPEG", seed=5), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet[:65_000])
        )
        yield Beast("XMP bomb", f"{name}.jpg", content, Fate.TAGGED)
        with_text = with_chunks(saved("PNG"), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
        yield Beast("XMP bomb", f"{name}.png", with_text, Fate.TAGGED)
    lying = iptc(["dog"]).replace(b"\x1c\2\x19\0\3", b"\x1c\2\x19\xff\xff")
    yield Beast("broken IPTC", "lying.jpg", with_segments(saved("JPEG"), segment(0xED, lying)), Fate.TAGGED)
    dice = random.Random(7)
    noise = dice.randbytes(3_000)
    for name, profile in {"noise": noise, "zeros": bytes(500), "empty": b"", "cut": _profile()[:100]}.items():
        yield Beast("ICC garbage", f"{name}.jpg", with_icc(profile), Fate.TAGGED)
        packed = chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))
        yield Beast("ICC garbage", f"{name}.png", with_chunks(saved("PNG"), packed), Fate.TAGGED)
    damaged = bytearray(_profile())
    for _ in range(60):
        damaged[dice.randrange(128, len(damaged))] = dice.randrange(256)
    yield Beast("ICC garbage", "damaged.jpg", with_icc(bytes(damaged)), Fate.TAGGED)


def _profile() -> bytes:
    from PIL import ImageCms

    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def _many_segments(block: bytes) -> bytes:
    """EXIF over many segments, in a JPEG without a resolution of its own, which is looked for in there."""
    plain = saved("JPEG")
    bare = plain[:2] + plain[4 + int.from_bytes(plain[4:6], "big") :]
    parts = [block[at : at + 65_000] for at in range(0, len(block), 65_000)]
    return bare[:2] + b"".join(segment(0xE1, b"Exif\0\0" + part) for part in parts) + bare[2:]

"""Pictures in every kind of file that TigerTag knows; raw files by a small TIFF writer of our own."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence

from PIL import Image

from tests.pictures import draw, exif, heic_bytes

Value = bytes | str | int | Sequence[int] | Sequence[tuple[int, int]]

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL = 1, 2, 3, 4, 10


def encoded(form: str, seed: int = 1, size: tuple[int, int] = (320, 240), **options: object) -> bytes:
    """The scene `seed` by one of Pillow's encoders, with the camera and the hour of a photo."""
    file = io.BytesIO()
    if form not in ("GIF", "BMP"):
        options.setdefault("exif", exif(camera=("Tiger", "T1"), taken="2021:06:05 14:03:02"))
    draw(seed, size).save(file, form, **options)
    return file.getvalue()


def pages(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A TIFF of several pages, the scenes 0, 1, …"""
    file = io.BytesIO()
    first, *others = (draw(seed, size) for seed in range(number))
    first.save(file, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")
    return file.getvalue()


def jpeg(seed: int, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    draw(seed, size).save(file, "JPEG", quality=80)
    return file.getvalue()


def every_format() -> dict[str, bytes]:
    """Name → a good file; all of different pictures."""
    return {
        "a.jpg": encoded("JPEG", 1),
        "b.png": encoded("PNG", 2),
        "c.webp": encoded("WEBP", 3),
        "d.gif": encoded("GIF", 4),
        "e.bmp": encoded("BMP", 5),
        "f.tif": encoded("TIFF", 6),
        "g.avif": encoded("AVIF", 7),
        "h.heic": heic_bytes(8),
        "i.tif": pages(3),
        "j.dng": dng(10, preview=(800, 600)),
        "k.dng": dng(11),
        "l.orf": orf(12),
        "m.raf": raf(13),
        "n.cr2": cr2(14),
    }


def every_film() -> dict[str, bytes]:
    """Name → a good video; all of different pictures, in containers of phones, cameras and the web."""
    return {
        "o.mp4": video(15),
        "p.mov": video(16, container="mov"),
        "q.mkv": video(17, container="matroska"),
        "r.webm": video(18, container="webm"),
        "s.avi": video(19, container="avi"),
        "t.mts": video(20, container="mpegts"),
    }


def video(seed: int, *, container: str = "mp4", size: tuple[int, int] = (320, 240), turned: int = 0) -> bytes:
    """Two seconds: black at both ends, the scene in the middle; `turned` as a phone tells, in degrees."""
    black = Image.new("RGB", size)
    scenes = [black, *[draw(seed, size)] * 6, black]
    return film(scenes, container=container, turned=turned)


def film(
    scenes: Sequence[Image.Image],
    *,
    container: str = "mp4",
    codec: str = "",
    turned: int = 0,
    each: int = 6,
    between: int = 6,
    said: Mapping[str, str] | None = None,
) -> bytes:
    """Each scene for so many frames, 24 of them a second; so many `between` two that stand for themselves."""
    import av
    from av.video.stream import VideoStream

    out = io.BytesIO()
    usual = {"webm": "libvpx", "mpegts": "mpeg2video"}.get(container, "mpeg4")
    # Apple keeps its own names only where it is told to.
    options = {"movflags": "use_metadata_tags"} if said and container in ("mp4", "mov") else {}
    with av.open(out, "w", format=container, options=options) as made:
        made.metadata.update(said or {})
        fast = {"deadline": "realtime", "cpu-used": "8"} if usual == "libvpx" else {}
        stream = made.add_stream(codec or usual, rate=24, options=fast)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = scenes[0].size
        stream.pix_fmt, stream.gop_size, stream.bit_rate = "yuv420p", between, 2_000_000
        if turned:
            stream.set_display_rotation(turned)
        for scene in scenes:
            for _ in range(each):
                frame = av.VideoFrame.from_image(scene)  # type: ignore[no-untyped-call]
                for packet in stream.encode(frame):
                    made.mux(packet)
        for packet in stream.encode():
            made.mux(packet)
    return out.getvalue()


# ── raw files ─────────────────────────────────────────────────────────────────────────────────────────────


def dng(
    seed: int,
    *,
    size: tuple[int, int] = (160, 120),
    preview: tuple[int, int] | None = None,
    orientation: int = 1,
) -> bytes:
    """A DNG of the scene as a sensor sees it, through red, green and blue filters; perhaps with a preview."""
    sensor = _mosaic(draw(seed, size))
    shared: dict[int, Value] = {
        271: "Tiger",
        272: "T1",
        274: orientation,
        306: "2021:06:05 14:03:02",
        50706: b"\1\4\0\0",
        50708: "Tiger T1",
        50721: [(each, 10_000) for each in (10_000, 0, 0, 0, 10_000, 0, 0, 0, 10_000)],
        50728: [(1, 1), (1, 1), (1, 1)],
        50778: 21,
    }
    if preview is None:
        return _tiff([(shared | _sensors(size), sensor)])
    shown = jpeg(seed, preview)
    first: dict[int, Value] = {254: 1, 256: preview[0], 257: preview[1], 258: (8, 8, 8), 259: 7, 262: 6, 277: 3}
    return _tiff([(shared | first, shown), (_sensors(size), sensor)], below=True)


def cr2(seed: int, size: tuple[int, int] = (800, 600)) -> bytes:
    """As Canon's: a preview in the first directory, and lossless data with the mark of a JPEG in the next."""
    shown = jpeg(seed, size)
    first: dict[int, Value] = {256: size[0], 257: size[1], 258: (8, 8, 8), 259: 6, 271: "Canon", 272: "T1"}
    lossless = shown.replace(b"\xff\xc0", b"\xff\xc3", 1) + bytes(9_000)
    made = _tiff([(first, shown), ({259: 6}, lossless)], room=8)
    return made[:8] + b"CR\2\0" + made[12:]


def orf(seed: int, size: tuple[int, int] = (800, 600)) -> bytes:
    """As Olympus's: a head of its own, and a preview that no directory tells of."""
    first: dict[int, Value] = {256: 16, 257: 16, 258: 16, 259: 1, 262: 1, 271: "OLYMPUS", 272: "T1"}
    ahead = b"OLYMPUS\0II\3\0" + jpeg(seed + 50, (160, 120)) + jpeg(seed, size)
    return b"IIRO" + _tiff([(first, bytes(9_000))], ahead=ahead)[4:]


def raf(seed: int, size: tuple[int, int] = (800, 600)) -> bytes:
    """As Fujifilm's: a head of its own, a preview with EXIF, the sensor's data."""
    shown = encoded("JPEG", seed, size)
    data = bytes(range(256)) * 8
    places = struct.pack(">6I", 148, len(shown), 148 + len(shown), 0, 148 + len(shown), len(data))
    return b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + places + bytes(40) + shown + data


def _sensors(size: tuple[int, int]) -> dict[int, Value]:
    return {
        254: 0,
        256: size[0],
        257: size[1],
        258: 16,
        259: 1,
        262: 32803,
        277: 1,
        33421: (2, 2),
        33422: b"\0\1\1\2",
    }


def _mosaic(scene: Image.Image) -> bytes:
    """RGGB, 16 bits."""
    width, height = scene.size
    parts = [band.tobytes() for band in scene.split()]
    which = ((0, 1), (1, 2))
    return b"".join(
        struct.pack("<H", parts[which[y % 2][x % 2]][y * width + x] * 257)
        for y in range(height)
        for x in range(width)
    )


_ROOM = 2048
"""Bytes before the first picture: cameras put their directories at the front, so that a cut costs pictures."""


def _tiff(
    directories: Sequence[tuple[Mapping[int, Value], bytes]],
    *,
    below: bool = False,
    room: int = 0,
    ahead: bytes = b"",
) -> bytes:
    """Directories, each with its data in one strip; the second below the first, or after it."""
    out = bytearray(b"II*\0" + bytes(_ROOM - 4))
    out += ahead
    link, at = 4, 8 + room
    for number, (fields, data) in enumerate(directories):
        full = dict(fields) | {273: len(out), 279: len(data)}
        if below and number == 0:
            full[330] = 0
        out += data + bytes(len(data) % 2)
        table = at
        at, next_link, below_link = _directory(out, table, full)
        struct.pack_into("<I", out, link, table)
        link = below_link if below and number == 0 else next_link
    return bytes(out)


def _directory(out: bytearray, at: int, fields: Mapping[int, Value]) -> tuple[int, int, int]:
    """Where it ends, where it tells of the next, and where of the one below."""
    after = at + 2 + 12 * len(fields) + 4
    link, below = after - 4, 0
    struct.pack_into("<H", out, at, len(fields))
    for number, (tag, value) in enumerate(sorted(fields.items())):
        kind, count, data = _packed(tag, value)
        entry = at + 2 + 12 * number
        struct.pack_into("<HHI", out, entry, tag, kind, count)
        if len(data) > 4:
            struct.pack_into("<I", out, entry + 8, after)
            out[after : after + len(data)] = data
            after += len(data) + len(data) % 2
        else:
            out[entry + 8 : entry + 8 + len(data)] = data
        if tag == 330:
            below = entry + 8
    assert after <= _ROOM
    return after, link, below


def _packed(tag: int, value: Value) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return _BYTE, len(value), value
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return _ASCII, len(text), text
    if isinstance(value, int):
        return (
            (_LONG, 1, struct.pack("<I", value))
            if tag in (273, 279, 330)
            else (_SHORT, 1, struct.pack("<H", value))
        )
    if isinstance(value[0], tuple):
        return _RATIONAL, len(value), b"".join(struct.pack("<ii", *each) for each in value)  # type: ignore[misc]
    return _SHORT, len(value), struct.pack(f"<{len(value)}H", *value)

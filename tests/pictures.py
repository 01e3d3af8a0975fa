"""Draws pictures: a different scene for each seed, the same bytes each time, with the metadata a camera writes.

`python -m tests.pictures FOLDER` makes a small library to try TigerTag on.
"""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image

from tigertag.contract import drawing

draw = drawing.draw


def exif(
    *,
    taken: datetime | str | None = None,
    camera: tuple[str, str] | None = None,
    lens: str = "",
    gps: tuple[float, float] | None = None,
    orientation: int | None = None,
) -> bytes:
    """A block of EXIF with its `Exif` header. `taken` is local time; a string goes in as it is."""
    block = Image.Exif()
    if camera:
        block[0x010F], block[0x0110] = camera
    if orientation is not None:
        block[0x0112] = orientation
    details = block.get_ifd(0x8769)
    if taken is not None:
        details[0x9003] = taken if isinstance(taken, str) else taken.strftime("%Y:%m:%d %H:%M:%S")
    if lens:
        details[0xA434] = lens
    if gps:
        place = block.get_ifd(0x8825)
        place[1], place[2] = "N" if gps[0] >= 0 else "S", _sexagesimal(gps[0])
        place[3], place[4] = "E" if gps[1] >= 0 else "W", _sexagesimal(gps[1])
    return block.tobytes()


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = abs(degrees) % 1 * 60
    return float(int(abs(degrees))), float(int(minutes)), round(minutes % 1 * 60, 4)


def iptc(keywords: Sequence[str], encoding: str = "utf-8") -> bytes:
    """The payload of APP13: Photoshop's resource 0x0404 with IPTC 2:25 for each keyword."""
    records = b"" if encoding != "utf-8" else b"\x1c\x01\x5a\x00\x03\x1b%G"
    for keyword in keywords:
        text = keyword.encode(encoding)
        records += struct.pack(">BBBH", 0x1C, 2, 25, len(text)) + text
    padded = records + b"\0" * (len(records) % 2)
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + padded


def xmp(
    subjects: Sequence[str] = (), *, hierarchy: Sequence[str] = (), tags: Sequence[str] = (), more: str = ""
) -> bytes:
    """An XMP packet: dc:subject, lr:hierarchicalSubject (`a|b`), digiKam:TagsList (`a/b`), more attributes."""
    fields = (
        _list("dc:subject", "Bag", subjects)
        + _list("lr:hierarchicalSubject", "Bag", hierarchy)
        + _list("digiKam:TagsList", "Seq", tags)
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
        f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" {more}>{fields}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def _list(name: str, kind: str, values: Sequence[str]) -> str:
    if not values:
        return ""
    items = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"


def segment(marker: int, payload: bytes) -> bytes:
    """One segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """`jpeg` with more segments behind its JFIF header."""
    start = 4 + struct.unpack(">H", jpeg[4:6])[0]
    return jpeg[:start] + b"".join(segments) + jpeg[start:]


def jpeg_bytes(
    seed: int,
    *,
    size: tuple[int, int] = (640, 480),
    daypart: str = "afternoon",
    taken: datetime | str | None = None,
    camera: tuple[str, str] | None = None,
    lens: str = "",
    gps: tuple[float, float] | None = None,
    orientation: int | None = None,
    keywords: Sequence[str] = (),
    quality: int = 80,
) -> bytes:
    """A JPEG of the scene `seed`, `size` being the stored one. Keywords go into XMP and IPTC."""
    plain = io.BytesIO()
    _stored(seed, size, daypart, orientation or 1).save(plain, "JPEG", quality=quality)
    segments = []
    if taken or camera or lens or gps or orientation is not None:
        block = exif(taken=taken, camera=camera, lens=lens, gps=gps, orientation=orientation)
        segments.append(segment(0xE1, block))
    if keywords:
        segments.append(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(keywords)))
        segments.append(segment(0xED, iptc(keywords)))
    return with_segments(plain.getvalue(), *segments)


# How an upright picture is turned to be stored under an orientation: the reverse of what a viewer does.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _stored(seed: int, size: tuple[int, int], daypart: str, orientation: int) -> Image.Image:
    upright = draw(seed, size if orientation < 5 else (size[1], size[0]), daypart)
    turn = _TURNS.get(orientation)
    return upright if turn is None else upright.transpose(turn)


def heic_bytes(seed: int, *, size: tuple[int, int] = (320, 240), taken: datetime | None = None) -> bytes:
    """A HEIC file of the scene `seed`; needs pillow-heif."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    file = io.BytesIO()
    draw(seed, size).save(file, "HEIF", exif=exif(taken=taken))
    return file.getvalue()


# A camera's words for itself, the lens, and the longer side of its pictures here.
_ALPHA = (("SONY", "ILCE-7M2"), "FE 24-70mm F4 ZA OSS")
_EOS = (("Canon", "Canon EOS 6D"), "EF50mm f/1.8 STM")
_PHONE = (("Apple", "iPhone 8"), "iPhone 8 back camera 3.99mm f/1.8")
_PIXEL = (("Google", "Pixel 4a"), "")


@dataclass(frozen=True)
class _Shot:
    path: str
    taken: str
    gear: tuple[tuple[str, str], str]
    gps: tuple[float, float] | None = None
    size: tuple[int, int] = (960, 640)
    orientation: int | None = None
    keywords: tuple[str, ...] = ()


_ALPS, _SEA, _CHILE, _CITY = (46.5586, 7.8934), (43.5081, 16.4402), (-50.9423, -73.4068), (52.5163, 13.3777)
_PORTRAIT = 6
_SHOTS = (
    _Shot("2018/Alps in winter/IMG_0101.jpg", "2018-01-13 09:12:40", _ALPHA, _ALPS),
    _Shot("2018/Alps in winter/IMG_0102.jpg", "2018-01-13 11:48:02", _ALPHA, _ALPS, keywords=("snow", "ski")),
    _Shot("2018/Alps in winter/IMG_0103.jpg", "2018-01-13 14:05:11", _ALPHA, _ALPS, (1600, 500)),
    _Shot("2018/Alps in winter/IMG_0104.jpg", "2018-01-13 16:40:59", _PHONE, _ALPS, orientation=_PORTRAIT),
    _Shot("2018/Alps in winter/IMG_0105.jpg", "2018-01-13 22:17:30", _PHONE, _ALPS),
    _Shot("2019/By the sea/DSC00211.jpg", "2019-07-03 07:31:09", _ALPHA, _SEA),
    _Shot("2019/By the sea/DSC00212.jpg", "2019-07-03 13:20:45", _ALPHA, _SEA, keywords=("beach", "boat")),
    _Shot("2019/By the sea/DSC00213.jpg", "2019-07-04 15:02:33", _ALPHA, _SEA, orientation=_PORTRAIT),
    _Shot("2019/By the sea/DSC00214.jpg", "2019-07-04 19:55:12", _ALPHA, _SEA),
    _Shot("2019/By the sea/DSC00215.jpg", "2019-07-05 23:08:51", _PHONE, _SEA),
    _Shot("2019/By the sea/Old town/DSC00216.jpg", "2019-07-06 10:44:27", _ALPHA, _SEA, (720, 720)),
    _Shot("2019/By the sea/Old town/DSC00217.jpg", "2019-07-06 18:13:40", _ALPHA, _SEA),
    _Shot("2020/Patagonia/IMG_3301.jpg", "2020-02-08 08:02:18", _EOS, _CHILE),
    _Shot(
        "2020/Patagonia/IMG_3302.jpg", "2020-02-08 12:36:54", _EOS, _CHILE, (1800, 560), keywords=("mountain",)
    ),
    _Shot("2020/Patagonia/IMG_3303.jpg", "2020-02-09 17:21:03", _EOS, _CHILE, orientation=_PORTRAIT),
    _Shot("2020/Patagonia/IMG_3304.jpg", "2020-02-09 20:50:22", _EOS, _CHILE),
    _Shot("2021/City/PXL_20211009_083015.jpg", "2021-10-09 08:30:15", _PIXEL, _CITY),
    _Shot("2021/City/PXL_20211009_160212.jpg", "2021-10-09 16:02:12", _PIXEL, _CITY, keywords=("bridge",)),
    _Shot("2021/City/PXL_20211010_214801.jpg", "2021-10-10 21:48:01", _PIXEL, _CITY),
    _Shot("2022/Garden/IMG_4410.jpg", "2022-04-17 10:09:37", _EOS),
    _Shot("2022/Garden/IMG_4411.jpg", "2022-04-17 15:45:00", _EOS, keywords=("flower", "Grandma's garden")),
    _Shot("2022/Garden/IMG_4412.jpg", "2022-05-21 18:30:26", _EOS, orientation=_PORTRAIT),
    _Shot("loose.jpg", "2023-09-02 12:00:00", _PHONE),
)
_COPIES = {"Best of/Sunset.jpg": "2019/By the sea/DSC00214.jpg"}


def _daypart(hour: int) -> str:
    starts = ((21, "night"), (17, "evening"), (12, "afternoon"), (5, "morning"))
    return next((name for start, name in starts if hour >= start), "night")


def library() -> dict[str, tuple[bytes, datetime]]:
    """The sample photos: path → bytes and when taken."""
    photos = {}
    for seed, shot in enumerate(_SHOTS):
        taken = datetime.fromisoformat(shot.taken)
        camera, lens = shot.gear
        content = jpeg_bytes(
            seed,
            size=shot.size,
            daypart=_daypart(taken.hour),
            taken=taken,
            camera=camera,
            lens=lens,
            gps=shot.gps,
            orientation=shot.orientation,
            keywords=shot.keywords,
        )
        photos[shot.path] = (content, taken.replace(tzinfo=UTC))
    return photos | {copy: photos[path] for copy, path in _COPIES.items()}


def make_library(folder: Path) -> int:
    """Writes the sample photos below `folder` and gives their number; those that are there stay untouched."""
    photos = library()
    for name, (content, taken) in photos.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (taken.timestamp(), taken.timestamp()))
    return len(photos)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.pictures FOLDER")
    print(f"{make_library(Path(sys.argv[1]))} sample photos in {sys.argv[1]}")

"""Where a file comes from: a camera, a screen, a scanner, a program. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tigertag.blocks import Blocks, xmp
from tigertag.blocks.fields import number, text

_MAKE, _MODEL, _SOFTWARE = 0x010F, 0x0110, 0x0131
_SHUTTER, _MAKER_NOTE, _COMMENT, _FILE_SOURCE = 0x829A, 0x927C, 0x9286, 0xA300
_EXIF_NS = "{http://ns.adobe.com/exif/1.0/}"
_TOOL = "{http://ns.adobe.com/xap/1.0/}CreatorTool"
_CAMERA_NS = "{http://ns.google.com/photos/1.0/camera/}"
_MOTION = (f"{_CAMERA_NS}MotionPhoto", f"{_CAMERA_NS}MicroVideo")

_PROGRAMS: Mapping[str, str] = {
    # What the field begins with or holds → the program's name. Longer names come before those they hold.
    r"lightroom": "Lightroom",
    r"photoshop express": "Photoshop Express",
    r"photoshop elements": "Photoshop Elements",
    r"camera raw": "Camera Raw",
    r"photoshop(?!.*album)": "Photoshop",
    r"\bgimp\b": "GIMP",
    r"\bpicasa\b": "Picasa",
    r"darktable": "darktable",
    r"rawtherapee": "RawTherapee",
    r"capture one": "Capture One",
    r"\bdxo\b": "DxO",
    r"affinity photo": "Affinity Photo",
    r"snapseed": "Snapseed",
    r"\bvsco": "VSCO",
    r"digikam|showfoto": "digiKam",
    r"acdsee": "ACDSee",
    r"paint shop pro|paintshop": "PaintShop",
    r"paint\.net": "Paint.NET",
    r"luminar": "Luminar",
    r"pixelmator": "Pixelmator",
    r"\bkrita\b": "Krita",
    r"aperture \d": "Aperture",
    r"\biphoto\b": "iPhoto",
    r"^photos \d": "Apple Photos",
    r"windows (live )?photo|microsoft (windows )?photo": "Windows Photos",
    r"digital photo professional": "Digital Photo Professional",
    r"\b(view|capture) ?nx\b|nx studio": "Nikon NX",
    r"\bhugin\b": "Hugin",
    r"\bptgui\b": "PTGui",
    r"\bon1\b": "ON1",
    r"polarr": "Polarr",
    r"xnview": "XnView",
    r"irfanview": "IrfanView",
    r"instagram": "Instagram",
}
"""Programs that change pictures. Anything else in the field is the firmware of a camera or phone."""

_SCANNERS = re.compile(
    r"\bscan(ner|snap|jet|wizard|maker)?\b|scanjet|canoscan|perfection|coolscan|opticfilm|vuescan|silverfast"
    r"|photoscan|epson (gt|es|expression)|noritsu|\bsp-(2000|2500|3000|500)\b|flextight|reflecta",
    re.IGNORECASE,
)
_FROM_SCANNER = (1, 2)
"""FileSource (EXIF 2.32): film scanner, reflection print scanner."""

_SCREENS = frozenset(
    {
        # Phones and tablets, upright, in pixels.
        *((640, 1136), (750, 1334), (1242, 2208), (1125, 2436), (828, 1792), (1242, 2688), (1170, 2532)),
        *((1284, 2778), (1080, 2340), (1179, 2556), (1290, 2796), (1206, 2622), (1320, 2868)),
        *((1536, 2048), (1620, 2160), (1640, 2360), (1668, 2224), (1668, 2388), (2048, 2732), (1488, 2266)),
        *((720, 1280), (720, 1520), (720, 1600), (1080, 1920), (1080, 2160), (1080, 2220), (1080, 2280)),
        *((1080, 2310), (1080, 2376), (1080, 2400), (1080, 2408), (1080, 2460), (1440, 2560), (1440, 2880)),
        *((1440, 2960), (1440, 3040), (1440, 3088), (1440, 3120), (1440, 3200), (1344, 2992), (1008, 2244)),
        # Desktops, turned upright as well.
        *((768, 1366), (900, 1440), (900, 1600), (1050, 1680), (1200, 1920), (1440, 3440), (2160, 3840)),
        *((1600, 2560), (1664, 2560), (1800, 2880), (1964, 3024), (2234, 3456), (1964, 3026), (2880, 5120)),
    }
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file comes from."""

    program: str = ""
    """The program that wrote it, by its common name; empty for a camera."""
    is_screenshot: bool = False
    """It says so itself."""
    is_like_screenshot: bool = False
    """A PNG of no camera: where it has the size of a screen it is taken for a screenshot."""
    is_scan: bool = False
    is_live: bool = False
    """The still of an Apple Live Photo, whose film lies in another file."""
    is_motion: bool = False
    """A film is in the file, behind the picture."""


def origin(found: Blocks) -> Origin:
    """What the blocks of a file say of where it comes from."""
    software = text(found.exif.get(_SOFTWARE))
    tool = next((value for value in xmp.values(found.xmp, _TOOL)), "")
    camera = f"{text(found.exif.get(_MAKE))} {text(found.exif.get(_MODEL))}".strip()
    return Origin(
        program=program(software) or program(tool),
        is_screenshot="screenshot" in (comment.casefold().strip() for comment in _comments(found)),
        is_like_screenshot=found.format == "PNG" and not camera and _SHUTTER not in found.details,
        is_scan=_file_source(found) in _FROM_SCANNER or any(map(_SCANNERS.search, (camera, software, tool))),
        is_live=_is_live(found.details.get(_MAKER_NOTE)),
        is_motion=any(value.strip() == "1" for name in _MOTION for value in xmp.values(found.xmp, name)),
    )


def program(written: str) -> str:
    """`Adobe Photoshop Lightroom 6.1 (Macintosh)` → `Lightroom`; empty for firmware such as `Ver.1.00`."""
    low = written.casefold()
    return next((name for pattern, name in _PROGRAMS.items() if re.search(pattern, low)), "")


def _comments(found: Blocks) -> Iterator[str]:
    """UserComment, as EXIF (with a code of 8 bytes before it) and XMP have it: phones write `Screenshot`."""
    value = found.details.get(_COMMENT)
    if isinstance(value, bytes):
        yield text(value[8:])
    yield from xmp.values(found.xmp, f"{_EXIF_NS}UserComment")


def _file_source(found: Blocks) -> float | None:
    value = found.details.get(_FILE_SOURCE)
    return float(value[0]) if isinstance(value, bytes) and value else number(value)


_APPLE = b"Apple iOS\0"
_APPLE_HEAD = 14
_CONTENT_IDENTIFIER = 0x0011
_MOST_ENTRIES = 500


def _is_live(note: object) -> bool:
    """Whether Apple's maker note holds a content identifier, which ties the still to its film.

    A directory of big-endian entries of 12 bytes at byte 14 (ExifTool's Apple.pm, tag 0x0011).
    """
    if not isinstance(note, bytes) or not note.startswith(_APPLE):
        return False
    count = int.from_bytes(note[_APPLE_HEAD : _APPLE_HEAD + 2], "big")
    starts = range(_APPLE_HEAD + 2, len(note) - 11, 12)[: min(count, _MOST_ENTRIES)]
    return any(int.from_bytes(note[at : at + 2], "big") == _CONTENT_IDENTIFIER for at in starts)


def is_screenshot(found: Origin, width: int, height: int) -> bool:
    """It says so, or it is a PNG of no camera with the size of a common screen, either way round."""
    size = (min(width, height), max(width, height))
    return found.is_screenshot or (found.is_like_screenshot and size in _SCREENS)

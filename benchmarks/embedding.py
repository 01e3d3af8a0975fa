"""Keywords written into picture files of every kind: how fast, and whether anything else has changed by it."""

from __future__ import annotations

import io
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from PIL import Image

from benchmarks.figure import Figure
from benchmarks.pictures import REAL
from tests.pictures import draw, segment, with_segments
from tests.targets.embeddable import KINDS, packet, with_extension, with_xmp
from tests.targets.embedding import differences, pixels, rest
from tigertag.errors import PhotoError
from tigertag.exiftool import ExifTool, assignment, file, output_beside
from tigertag.exiftool.arguments import UNESCAPE
from tigertag.targets.xmp.embedded import Embedded
from tigertag.targets.xmp.sidecars import Sidecars
from tigertag.xmp.fields import Tag, Way, shown
from tigertag.xmp.merging import Edit

FILES, MANY = 100, 1000
_TIMED = 47
_NAMES = ("dog", "großer Hund", 'a "b", c', "日本 😀", "שלום")
_ADDED = Edit(tuple(Tag(name, ("animal",)) for name in _NAMES))
_TAKEN = Edit(remove=_NAMES)
_OF_EXIFTOOL = {
    "XMP-digiKam:TagsList": "/",
    "XMP-lr:HierarchicalSubject": "|",
    "XMP-microsoft:LastKeywordXMP": "/",
    "XMP-mediapro:CatalogSets": "|",
}
_SMALL = (800, 800)


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """`full`: the check over 1,000 files. Nothing where there is no exiftool."""
    if shutil.which("exiftool") is None:
        print("embedding: exiftool is not installed", file=sys.stderr)
        return
    folder.mkdir(parents=True)
    with ExifTool() as tool:
        yield from _speed(folder / "speed", tool)
        yield from _care(folder / "care", tool, MANY if full else FILES)


def _speed(folder: Path, tool: ExifTool) -> Iterator[Figure]:
    way = Way()
    photos = [_put(folder, f"{number}.jpg", data) for number, data in enumerate(islice(_originals(), _TIMED))]
    tool.ask("-ver", name="")
    alone_beside, sidecars, alone, embeds = _rates(
        photos,
        lambda photo: _exiftool_beside(tool, photo),
        lambda photo: Sidecars("full", way).edit(photo, _ADDED),
        lambda photo: _exiftool_inside(tool, photo),
        lambda photo: Embedded(tool, way).edit(photo, _ADDED),
    )
    note = f"{_TIMED} photos of {sum(photo.stat().st_size for photo in photos) // _TIMED >> 10} KiB"
    note = f"{note}; compared, read back, forced to the disk"
    against = "exiftool held open, the same keywords in the same fields, unchecked, not forced to the disk"
    yield Figure("embeds", embeds, "files/s", "higher", alone, f"{against}; into a copy", note)
    yield Figure("sidecars", sidecars, "files/s", "higher", alone_beside, f"{against}; sidecars", note)


def _exiftool_inside(tool: ExifTool, photo: Path) -> None:
    said = [*_said(), *(assignment("IPTC:Keywords", name) for name in _NAMES)]
    copy = photo.with_name("copy.tmp")
    tool.ask(UNESCAPE, *said, *output_beside(copy.name), file(photo), name=photo.name)
    copy.unlink()


def _exiftool_beside(tool: ExifTool, photo: Path) -> None:
    copy = photo.with_name("copy.xmp")
    tool.ask(UNESCAPE, *_said(), "-o", str(copy), name=photo.name)
    copy.unlink()


def _said() -> Iterator[str]:
    """exiftool's arguments for the fields of the profile `all`."""
    for name in _NAMES:
        yield assignment("XMP-dc:Subject", name)
        for field, separator in _OF_EXIFTOOL.items():
            yield assignment(field, f"animal{separator}{name}")


def _rates(photos: Sequence[Path], *acts: Callable[[Path], object]) -> list[float]:
    """Photos a second for each; in turns, so that whatever slows the machine slows all."""
    seconds = [0.0 for _ in acts]
    for photo in photos:
        for number, act in enumerate(acts):
            began = time.perf_counter()
            act(photo)
            seconds[number] += time.perf_counter() - began
    return [len(photos) / each for each in seconds]


def _care(folder: Path, tool: ExifTool, count: int) -> Iterator[Figure]:
    """Every file is written to and taken back; a second program and a decoder look at it each time."""
    embedded = Embedded(tool, Way())
    faults: list[str] = []
    left: list[str] = []
    same = 0
    for name, data in islice(files(), count):
        photo = _put(folder, name, data)
        try:
            faults += _faults(embedded, photo)
        except PhotoError as error:
            left.append(str(error))
            faults += [f"{name}: refused and yet changed"] if photo.read_bytes() != data else []
        same += photo.read_bytes() == data
        photo.unlink()
    for fault in [*faults, *left]:
        print(f"embedding: {fault}", file=sys.stderr)
    note = f"{count} files, {len(left)} of them left as they were; after undo {same} the same to the byte"
    against = "what may differ"
    yield Figure("embedding_faults", len(faults), "values", "lower", 0, against, note)


def _faults(embedded: Embedded, photo: Path) -> list[str]:
    fields, before, seen = embedded.read(photo), rest(embedded.tool, photo), pixels(photo)
    faults = []
    for edit, names in ((_ADDED, {*shown(fields), *_NAMES}), (_TAKEN, set(shown(fields)))):
        if set(shown(embedded.edit(photo, edit))) != names:
            faults.append("other tags")
        faults += [f"{key} has changed" for key in differences(before, rest(embedded.tool, photo))]
        if pixels(photo) != seen:
            faults.append("other pixels")
    if embedded.read(photo) != fields:
        faults.append("other fields after undo")
    return [f"{photo.name}: {fault}" for fault in faults]


def files() -> Iterator[tuple[str, bytes]]:
    """Real photos with their metadata, as they are and as files of every other kind; odd ones between them."""
    number = 0
    while True:
        for make in KINDS.values():
            name = next(kind for kind, each in KINDS.items() if each is make)
            yield f"{number} {name}", make()
            number += 1
        for original in _originals():
            for name, data in _variants(original, number):
                yield f"{number} {name}", data
                number += 1


def _variants(original: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """One photo in a few of the ways that there are, others for the next."""
    trailer = random.Random(seed).randbytes(20_000)
    ways: tuple[tuple[str, Callable[[], bytes]], ...] = (
        ("trailer.jpg", lambda: original + trailer),
        ("small.png", lambda: _as(original, "PNG")),
        ("comment.jpg", lambda: with_segments(original, segment(0xFE, b"a comment"))),
        ("small.webp", lambda: _as(original, "WEBP")),
        ("extended.jpg", lambda: with_extension(_as(original, "JPEG", bare=True))),
        ("small.tif", lambda: _as(original, "TIFF")),
        ("second.jpg", lambda: with_xmp(_as(original, "JPEG", bare=True), packet())),
        ("small.heic", lambda: _as(original, "HEIF")),
    )
    yield "real.jpg", original
    yield from ((name, make()) for name, make in (ways[seed % 8], ways[(seed + 3) % 8], ways[(seed + 6) % 8]))


def _as(original: bytes, form: str, *, bare: bool = False) -> bytes:
    """A small copy in another format, with EXIF, profile and XMP where they have a place."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    made = io.BytesIO()
    with Image.open(io.BytesIO(original)) as picture:
        block = picture.getexif()
        for directory in (0x8769, 0x8825, 0xA005):  # what is not loaded is not saved, only where it once was
            block.get_ifd(directory)
        said = {} if bare else {"exif": block, "icc_profile": picture.info.get("icc_profile")}
        if form in ("WEBP", "HEIF") and "xmp" in picture.info and not bare:
            said["xmp"] = picture.info["xmp"]
        picture.thumbnail(_SMALL)
        picture.save(made, form, **said)
    return made.getvalue()


def _originals() -> Iterator[bytes]:
    """The real photos where they are at hand, else drawn ones."""
    for path in sorted(REAL.glob("*.jpg")):
        yield path.read_bytes()
    if not REAL.is_dir():
        for seed in range(_TIMED):
            made = io.BytesIO()
            draw(seed, (1800, 1200)).save(made, "JPEG", quality=88)
            yield made.getvalue()


def _put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path

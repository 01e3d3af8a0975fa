"""Tags to embed, and what two programs that are not ours see of the file then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from tests.targets.embeddable import KINDS
from tigertag.exiftool import ExifTool, file
from tigertag.media import open_photo
from tigertag.xmp.fields import Tag
from tigertag.xmp.merging import Edit

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

REAL = Path(__file__).parents[2].parent / "shared" / "photos"

NAMES = ("großer Hund", 'a "b", c & <d>', "日本 😀", "שלום", "2018", "True", "x" * 300)
ADDED = Edit(tuple(Tag(name, ("animal",)) for name in NAMES))
TAKEN = Edit(remove=NAMES)


MAY_CHANGE = (
    "XMP-dc:Subject",
    "XMP-dc:Description",
    "XMP-digiKam:TagsList",
    "XMP-lr:HierarchicalSubject",
    "XMP-microsoft:LastKeywordXMP",
    "XMP-mediapro:CatalogSets",
    "IPTC:Keywords",
    "IPTC:CodedCharacterSet",
    "IPTC:EnvelopeRecordVersion",
    "IPTC:ApplicationRecordVersion",
    "Photoshop:IPTCDigest",
    "File:CurrentIPTCDigest",
    "XMP-x:XMPToolkit",
    "QuickTime:MediaData",
    "ExifTool:",
    "RIFF:WebP_Flags",  # the header of the extended format, which XMP asks for
    "RIFF:Copy1:Image",
    "File:FileType",
    "SourceFile",
    "XMP-tigertag:",
)
"""How the names begin under which exiftool may find something changed: ours, and what follows from it."""


def made(folder: Path, kind: str) -> Path:
    if kind.endswith("heic"):
        pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    path = folder / kind
    path.write_bytes(KINDS[kind]())
    return path


def saved(folder: Path, data: bytes, name: str = "x.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def rest(tool: ExifTool, path: Path) -> dict[str, object]:
    """All that exiftool says of a file, but for what is ours to change."""
    said = tool.ask("-j", "-G1:4", "-a", "-struct", "-b", "-e", "--System:all", file(path), name=path.name)
    return {
        key: value
        for key, value in json.loads(said.text)[0].items()
        if not key.startswith(MAY_CHANGE) and not key.endswith(("Offset", "Offsets", "Start"))
    }


def differences(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple[object, object]]:
    return {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def pixels(path: Path) -> list[bytes]:
    with Image.open(path) as picture:
        return [page.tobytes() for page in ImageSequence.Iterator(picture)]


def identity(path: Path) -> str:
    with path.open("rb") as stream, open_photo(stream, path.name) as photo:
        return photo.content_id


def read_by_exiftool(tool: ExifTool, path: Path) -> dict[str, list[str]]:
    names = ("XMP-dc:Subject", "XMP-digiKam:TagsList", "XMP-lr:HierarchicalSubject", "IPTC:Keywords")
    found = {}
    for name in names:
        said = tool.ask("-s3", "-sep", "@@", f"-{name}", file(path), name=path.name).text.decode().strip("\n")
        found[name.partition(":")[2]] = said.split("@@") if said else []
    return found

"""What exiftool reads in a file that it puts together anew: all of it but what keywords may change."""

from __future__ import annotations

import re
from pathlib import Path

from defusedxml.ElementTree import ParseError, fromstring

from tigertag import exiftool
from tigertag.errors import PhotoError
from tigertag.exiftool import ExifTool

_WRITTEN = frozenset({"TIFF", "DNG", "HEIC", "HEIF"})
"""Kinds, in exiftool's words, that are written to: it tells a maker's raw file from a TIFF."""
_NOT_COMPARED = (
    "--System:all",
    "--XMP:all",
    "--IPTC:Keywords",
    "--IPTC:CodedCharacterSet",
    "--IPTC:EnvelopeRecordVersion",
    "--IPTC:ApplicationRecordVersion",
    "--Photoshop:IPTCDigest",
    "--File:CurrentIPTCDigest",
    "--QuickTime:MediaData",
)
_MOVES = frozenset({"RDF", "Description", "MediaDataSize", "MediaDataOffset"})
_PLACES = re.compile(r"(Offsets?|Start|Pointer)\Z")


class NoSuchKind(PhotoError):
    """Tags are never put into files of this kind."""


def values_of(tool: ExifTool, path: Path, name: str) -> str:
    """All that exiftool can read but what may change. Raises NoSuchKind, PhotoError."""
    answer = tool.ask(
        "-X",
        "-a",
        "-u",
        "-struct",
        "-b",
        "-e",
        *_NOT_COMPARED,
        exiftool.file(path.resolve()),
        name=name,
    )
    try:
        tree = fromstring(answer.text, forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise PhotoError(f"{name} stays as it is: exiftool's view of it cannot be read") from error
    found = []
    for node in tree.iter():
        local, text = node.tag.rpartition("}")[2], (node.text or "").strip()
        if local == "FileType" and text not in _WRITTEN:
            raise NoSuchKind(f"{name} stays as it is: TigerTag does not write into {text} files")
        is_remark = local == "Warning" and text.startswith("[minor]")
        if local not in _MOVES and not _PLACES.search(local) and not is_remark:
            found.append(f"{node.tag} {text}")
    return "\n".join(found)

"""How a folder's files are named, chosen and left out. Pure."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_KINDS = {
    "picture": ".jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .bmp .heic .heif .hif .avif .mpo",
    "videos": ".mp4 .m4v .mov .avi .mkv .mpg .mpeg .mts .m2ts .3gp .3g2 .wmv .webm .flv .vob .ogv .lrv .insv",
    "raw files": ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .orf .rw2 .pef .srw .x3f .rwl .3fr .iiq",
    # Their photos are what counts; nobody wants to read how many of these there are.
    "": ".xmp .aae .thm .json .pp3 .dop .on1 .cos .ini .db .txt .ctg .nfo .lnk .url .part .tmp .md",
}
_KIND_OF = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes.split()}

# Made by Synology, QNAP, Windows, macOS, ext4, Lightroom and darktable for themselves.
_SYSTEM = frozenset(
    {
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@recently_snapshot",
        "@synoeastream",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "__macosx",
        "lost+found",
        "thumbs.db",
        "desktop.ini",
        "network trash folder",
        "temporary items",
    }
)
_SYSTEM_ENDINGS = (".lrdata", "@synoeastream", "@synoresource", ".photoslibrary")


def is_hidden(name: str) -> bool:
    """A file or folder that people do not see as theirs: hidden, or made by a system for itself."""
    low = name.casefold()
    return low.startswith(".") or low in _SYSTEM or low.endswith(_SYSTEM_ENDINGS)


def kind_of(name: str) -> str | None:
    """By its ending: `picture`, what else it is (`videos`; empty: nothing); None: only its bytes tell."""
    return _KIND_OF.get(PurePosixPath(name).suffix.casefold())


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a glob fits the path below the root, the name alone, or a folder on the way to it.

    `*` stands for any characters, slashes too; case makes no difference.
    """
    low = path.casefold()
    parts = low.split("/")
    found = {low, *parts, *("/".join(parts[:end]) for end in range(1, len(parts)))}
    return any(fnmatchcase(one, glob.strip("/").casefold()) for glob in globs for one in found)


def key_of(path: str) -> str:
    """The path below the root as text that any database takes: undecodable bytes and controls as `\\xNN`.

    A backslash is doubled, so `path_of` finds the way back.
    """
    text = os.fsencode(path).decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(_escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    if sign == "\\":
        return "\\\\"
    if unicodedata.category(sign) not in ("Cc", "Cs"):
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))


_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def path_of(key: str) -> str:
    """The path that `key_of` made this key of."""

    def back(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1] else b"\\"

    return os.fsdecode(_ESCAPE.sub(back, key.encode("utf-8", "surrogateescape")))


def printable(path: str) -> str:
    """For people: wide and narrow blanks as a blank, everything that cannot be seen as an escape."""
    text = os.fsencode(path).decode("utf-8", "surrogateescape")
    return text if text.isprintable() else "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    if sign.isprintable():
        return sign
    if unicodedata.category(sign) == "Zs":
        return " "
    if unicodedata.category(sign) in ("Cc", "Cs"):
        return _escaped(sign)
    return sign.encode("unicode_escape").decode()

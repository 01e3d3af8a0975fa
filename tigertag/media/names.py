"""How files that hold photos are named, chosen and left out. Pure."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from tigertag.media.spool import MOST_BYTES

_RAW = ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .orf .rw2 .pef .srw .x3f .rwl .3fr .iiq"
KINDS = {
    "picture": f".jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .bmp .heic .heif .hif .avif .mpo {_RAW}",
    "videos": ".mp4 .m4v .mov .avi .mkv .mpg .mpeg .mts .m2ts .3gp .3g2 .wmv .webm .flv .vob .ogv .lrv .insv",
    "archives": ".zip .cbz .tar .tgz .tbz .tbz2 .txz .tar.gz .tar.bz2 .tar.xz .rar .7z",
    # Their photos are what counts; nobody wants to read how many of these there are.
    "": ".xmp .aae .thm .json .pp3 .dop .on1 .cos .ini .db .txt .ctg .nfo .lnk .url .part .tmp .md",
}
"""The kind → the endings of its files. What is no picture and has no kind, people need not read of."""
_KIND_OF = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes.split()}

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
    return low[:1] == "." or low in _SYSTEM or low.endswith(_SYSTEM_ENDINGS)


def kind_of(name: str) -> str | None:
    """By its ending: `picture`, what else it is (`videos`; empty: nothing); None: only its bytes tell."""
    before, dot, ending = name.rpartition(".")
    return _kind_of_ending(before[-4:] + dot + ending) if before else None


@lru_cache(maxsize=1 << 12)
def _kind_of_ending(ending: str) -> str | None:
    """`ending` may have up to four characters before its last dot: `.tar.gz`."""
    low = ending.casefold()
    last = low[low.rindex(".") :]
    return _KIND_OF.get(f".tar{last}" if low == f".tar{last}" else last) or _KIND_OF.get(last)


def is_raw_name(name: str) -> bool:
    """Whether a name ends as those of camera raw files do."""
    return f".{name.rpartition('.')[2].casefold()}" in _RAW.split()


def taken_as(kind: str | None, size: int, *, videos: bool) -> str | None:
    """The kind of a file of so many bytes, where videos may count as pictures; a long one cannot be opened."""
    if kind != "videos" or not videos:
        return kind
    return f"videos {why}" if (why := too_long(size)) else "picture"


def too_long(size: int) -> str:
    """Why a file of so many bytes cannot be opened: `over 512 MiB`; empty where it can."""
    return f"over {MOST_BYTES >> 20} MiB" if size > MOST_BYTES else ""


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
    if path.isascii() and path.isprintable() and "\\" not in path:
        return path
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
    if path.isascii() and path.isprintable():
        return path
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

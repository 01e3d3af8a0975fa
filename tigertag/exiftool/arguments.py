"""Arguments that mean what they hold and nothing else (RELIABILITY M15).

exiftool reads one argument from each line, cuts blanks off its start, and takes `-execute` and `-stay_open` for
orders wherever they stand alone. A value is therefore written with HTML references for everything that is not
plain, after the option `-E`; a path is absolute, so that it begins with none of `-`, `@`, `#`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

UNESCAPE = "-E"
"""The option under which values hold references."""

_TAG = re.compile(r"-[A-Za-z][A-Za-z0-9:_-]*\Z")
# What XML 1.0 cannot hold (section 2.2), so that no program could read it back.
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ODD = {sign: f"&#{sign};" for sign in (*range(0x20), 0x7F, *b'&<>"')}
_BREAKS = re.compile("[\n\r\x00]")


def assignment(tag: str, value: str, sign: str = "=") -> str:
    """The argument that gives a tag a value; several for one tag make a list. An empty value deletes the tag.

    Raises ValueError where the value holds what no metadata can: NUL and other control characters.
    """
    if not _TAG.match(f"-{tag}") or sign not in ("=", "+=", "-="):
        raise ValueError(f"`{tag}{sign}` is no assignment")
    if found := _NEVER.search(value):
        raise ValueError(f"it holds the character U+{ord(found.group()):04X}")
    text = value.translate(_ODD)
    text = f"&#32;{text[1:]}" if text.startswith(" ") else text
    text = f"{text[:-1]}&#32;" if text.endswith(" ") else text
    return f"-{tag}{sign}{text}"


def file(path: Path) -> str:
    """The argument that names a file. Raises ValueError where its name cannot be one."""
    text = os.path.abspath(path)  # noqa: PTH100 - `Path.absolute` leaves `..`, `resolve` follows links
    if _BREAKS.search(text):
        raise ValueError("its path holds a line break")
    return text


def output_beside(name: str) -> tuple[str, str]:
    """The option that puts the result beside the file under another name.

    By exiftool's own word for the folder, since signs of that language may stand in the folder's name.
    """
    if "%" in name or "/" in name or _BREAKS.search(name):
        raise ValueError(f"`{name}` is no plain name")
    return "-o", f"%d{name}"


def lines(arguments: tuple[str, ...]) -> bytes:
    """What exiftool is sent. Raises ValueError where an argument would become two."""
    for each in arguments:
        if _BREAKS.search(each) or each != each.lstrip() or not each or each.startswith("#"):
            raise ValueError("an argument of exiftool must be one line")
    return b"".join(os.fsencode(each) + b"\n" for each in arguments)

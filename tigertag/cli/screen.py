"""What a person or a program reads: results on standard output, everything else on standard error.

Both streams are looked up at each call, because a progress bar puts itself before them. Names from files and
services are shown so that they cannot steer a terminal, and never stop a run by a sign the terminal lacks.
"""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import TextIO

from tigertag.errors import DiskError

_PLAIN = {"·": "-", "…": "...", "–": "-", "×": "x", "→": "->"}
_LENIENT = "tigertag-lenient"


def visible(text: str) -> str:
    """`text` in one line: what cannot be seen is shown as its escape, every kind of blank as a blank."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _shown(sign) for sign in text)


def _shown(sign: str) -> str:
    if unicodedata.category(sign) == "Zs":
        return " "
    if sign == "\u200d":  # joins the parts of an emoji
        return sign
    return sign.encode("unicode_escape").decode("ascii")


def out(line: str = "") -> None:
    """A line of results. A reader who has gone is no fault: the rest goes nowhere."""
    _write(sys.stdout, line + "\n")


def out_json(value: object) -> None:
    """A line of JSON."""
    out(json.dumps(value, default=as_json))


def err(line: str) -> None:
    """A line that is no result, shown at once."""
    with suppress(OSError, ValueError):  # with nobody to read it there is nothing left to say
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def as_json(value: object) -> object:
    """What `json.dumps` does not know by itself: moments as ISO 8601 in UTC, rows as objects."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    return str(value)


def row(value: object, **more: object) -> dict[str, object]:
    """The fields of a dataclass with `more` before them, for JSON."""
    assert is_dataclass(value) and not isinstance(value, type)
    return {**more, **asdict(value)}


def finish() -> None:
    """Sees everything off. Raises DiskError where results could not be written."""
    _write(sys.stdout, "", flush=True)
    with suppress(OSError, ValueError):
        sys.stderr.flush()


def _write(stream: TextIO, text: str, *, flush: bool = False) -> None:
    try:
        stream.write(text)
        if flush or stream.isatty():
            stream.flush()
    except BrokenPipeError:
        _let_go(stream)
    except OSError as error:
        _let_go(stream)
        if error.errno not in (errno.EPIPE, errno.EBADF):
            raise DiskError(
                f"The results cannot be written ({error.strerror}): where is the output sent?"
            ) from error


def _let_go(stream: TextIO) -> None:
    """Sends what is still buffered nowhere, or Python would complain about it at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def prepare() -> None:
    """Makes all three streams usable, whatever the process was started with.

    A closed one is opened to nowhere, before a database file can take its number; signs that an encoding lacks
    are replaced instead of raising.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    codecs.register_error(_LENIENT, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_LENIENT)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Our own signs have plain forms; others are shown as their escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _escape(sign) for sign in part), error.end


def _escape(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")

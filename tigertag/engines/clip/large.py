"""Large files of a model, kept piece by piece: what was cut off goes on there, in the next run too.

The hub's own library begins anew in each run. Where it finds a whole file under the name that it would give it
in its cache, it takes that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3
from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined]

_PAUSE = 1.0
_WORTH = 1 << 20
"""Bytes of a try that was cut off, for which it goes on in the same run."""
_PIECE = 1 << 18
_PATIENCE = (10.0, 60.0)
"""Seconds for the connection, and between two pieces."""


@dataclass(frozen=True, slots=True)
class Large:
    """A file on the hub, and where it belongs."""

    url: str
    size: int
    """Bytes."""
    place: Path
    """In the hub's cache."""
    lock: Path


def fetch(file: Large, tell: Callable[[int], None]) -> None:
    """Raises OSError, of which every error of requests is one; what came stays."""
    file.lock.parent.mkdir(parents=True, exist_ok=True)
    file.place.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(file.lock):
        if file.place.exists():
            return
        part = file.place.with_name(f"{file.place.name}.tigertag")
        if part.exists():
            tell(part.stat().st_size)
        while not _is_whole(file, part, tell):
            time.sleep(_PAUSE)
        part.replace(file.place)


def _is_whole(file: Large, part: Path, tell: Callable[[int], None]) -> bool:
    """After another try; False where it was cut off, and had brought enough to go on at once."""
    before = part.stat().st_size if part.exists() else 0
    try:
        _go_on(file, part, tell)
    except requests.RequestException:
        if not part.exists() or part.stat().st_size - before < _WORTH:
            raise
        return False
    return True


def _go_on(file: Large, part: Path, tell: Callable[[int], None]) -> None:
    """Adds what is missing. Raises OSError where it is not whole then."""
    with part.open("ab") as stream:
        start = stream.tell()
        if start < file.size:
            headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
            if start:
                headers["Range"] = f"bytes={start}-"
            # A key is left out where the hub sends on to another host.
            with requests.get(file.url, headers=headers, stream=True, timeout=_PATIENCE) as answer:
                answer.raise_for_status()
                if start and answer.status_code != requests.codes.partial_content:
                    stream.truncate(0)
                    tell(-start)
                for piece in _pieces(answer):
                    stream.write(piece)
                    tell(len(piece))
    there = part.stat().st_size
    if there > file.size:
        part.unlink()
    if there != file.size:
        raise requests.ConnectionError(f"{there:,} bytes came of {file.size:,}")


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    """As they come: of a connection that breaks off nothing is lost."""
    try:
        while piece := answer.raw.read1(_PIECE):
            yield piece
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error

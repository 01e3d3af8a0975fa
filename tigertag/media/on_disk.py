"""What the sources on a disk say alike: why nothing can be read, why one photo cannot, whether all is well."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from tigertag.errors import PhotoError, TigerTagError, TransientError, Unreachable
from tigertag.media.names import printable
from tigertag.model import Finding, Source

log = logging.getLogger(__name__)

T = TypeVar("T")

PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.ENOTCONN})
"""Read errors that may be gone at once (a share that reconnects); each is tried again once."""
_NOT_THE_PHOTO = (PASSING - {errno.EIO}) | {errno.ENOTDIR, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Those that say nothing about the photo, so the next run tries again."""


def insist(call: Callable[[], T]) -> T:
    """What `call` gives; after an error that may be gone at once it is tried once more (K2)."""
    try:
        return call()
    except OSError as error:
        if error.errno not in PASSING:
            raise
        log.debug("tried again after: %s", error.strerror)
        return call()


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Where a source reads from, as the user set it."""

    kind: str
    """`folder`, `archive`."""
    path: Path

    @property
    def label(self) -> str:
        return f"{self.kind} {printable(str(self.path))}"

    def unreachable(self, error: OSError) -> Unreachable:
        """The error to raise where nothing can be listed."""
        if isinstance(error, FileNotFoundError):
            return Unreachable(f"The {self.label} is missing. Is the disk mounted, and the path right?")
        return Unreachable(f"The {self.label} cannot be read ({error.strerror or error}).")

    def fault(self, photo: str, error: OSError | ValueError, top: Path) -> TigerTagError:
        """Foreign to ours, of the photo at a path below `top`: the place's, the moment's or the photo's."""
        if not isinstance(error, OSError):
            return PhotoError(f"{photo} cannot be read ({error})")
        if not top.exists():
            return self.unreachable(error)
        if error.errno == errno.ENOENT:
            return TransientError(f"{photo} is no longer in {self.label}")
        if error.errno in _NOT_THE_PHOTO:
            return TransientError(f"{photo} cannot be read just now ({error.strerror})")
        return PhotoError(f"{photo} cannot be read ({error.strerror or error})")

    def check(self, source: Source) -> Iterator[Finding]:
        """Whether it is there and holds a photo that can be read."""
        try:
            first = next(iter(source.items()), None)
        except TigerTagError as error:
            advice = f"Set the source's PATH to {_a(self.kind)} that this user may read."
            yield Finding(False, str(error), advice)
            return
        if first is None:
            advice = "Is the disk mounted? Do PATH, INCLUDE and EXCLUDE fit?"
            yield Finding(False, f"{self.label} holds no photos", advice)
            return
        yield Finding(True, f"{self.label} holds photos")
        try:
            with source.open(first) as file:
                file.read(1)
        except TigerTagError as error:
            yield Finding(False, str(error), "Let the user that runs TigerTag read the photos.")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def moment_of(seconds: float) -> datetime | None:
    """The moment of a time stamp; None for one that no calendar holds."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None

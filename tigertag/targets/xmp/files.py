"""Picture files as containers, and a sidecar for each that cannot be written to without risk."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from tigertag.errors import PhotoError
from tigertag.media import open_photo
from tigertag.media.names import printable
from tigertag.model import Memory, Rendition
from tigertag.targets.xmp.embedded import Embedded, NoSuchKind
from tigertag.targets.xmp.sidecars import Sidecars
from tigertag.xmp.fields import Fields
from tigertag.xmp.merging import Edit

log = logging.getLogger(__name__)

_SMALL = Rendition(long_side=64)


class Files:
    """Reads and writes the fields inside picture files.

    A file that is odd, damaged, read-only or of a kind that is not written to gets a sidecar, and keeps it.
    All but the last are told of once (RELIABILITY M2, M3, M7, M9).
    """

    def __init__(self, embedded: Embedded, sidecars: Sidecars, memory: Memory) -> None:
        self._embedded = embedded
        self._sidecars = sidecars
        self._memory = memory

    def read(self, photo: Path) -> Fields:
        """Raises PhotoError where there is a sidecar that cannot be understood, OSError."""
        beside = self._sidecars.read(photo)
        if beside.provenance is not None:
            return beside
        try:
            return self._embedded.read(photo)
        except PhotoError as error:
            log.debug("%s", error)
            return beside

    def edit(self, photo: Path, edit: Edit) -> tuple[Fields, str]:
        """Makes the change and gives what stands there then, and why it is in a sidecar since now, if it is.

        Raises as `edit` of either container does.
        """
        if self._sidecars.read(photo).provenance is not None:
            return self._sidecars.edit(photo, edit), ""
        try:
            before, content_id = self._known(photo)
            fields = self._embedded.edit(photo, edit, lambda sha256: self._memory.set(_key(sha256), content_id))
        except PhotoError as error:
            if not edit.add:
                raise
            log.info("%s; its tags go into a sidecar", error)
            beside = self._sidecars.edit(photo, edit)
            return beside, "" if isinstance(error, NoSuchKind) else f"{error}; its tags are in a sidecar"
        if _sha256(photo) != before:
            self._memory.delete(_key(before))
        return fields, ""

    def _known(self, photo: Path) -> tuple[str, str]:
        """The file's SHA-256, and the photo's content id from before we first wrote into it.

        Raises PhotoError where the picture was damaged before that (RELIABILITY M3), OSError.
        """
        before = _sha256(photo)
        known = self.was(before)
        if known:
            return before, known
        with photo.open("rb") as stream, open_photo(stream, printable(photo.name)) as opened:
            opened.jpeg(_SMALL)  # engines that read metadata alone have not decoded it
            return before, opened.content_id

    def was(self, file_hash: str) -> str | None:
        """The content id of the photo whose file has this SHA-256 since we wrote into it."""
        found = self._memory.get(_key(file_hash))
        return found if isinstance(found, str) else None

    def is_ours(self, photo: Path) -> bool:
        """Whether the file is as we left it."""
        return self.was(_sha256(photo)) is not None


def _key(sha256: str) -> str:
    return f"file:{sha256}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

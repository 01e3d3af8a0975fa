"""Opening the items that are due, in the fetchers' threads."""

from __future__ import annotations

from dataclasses import dataclass

from tigertag.blocks.beside import digest
from tigertag.errors import PhotoError, TigerTagError, TransientError
from tigertag.media import OpenPhoto, open_photo
from tigertag.media.sidecars import MOST_BYTES
from tigertag.model import KeepsSidecars
from tigertag.pipeline.due import DueItem
from tigertag.pipeline.lane import Ended
from tigertag.pipeline.workshop import Elsewhere, Workshop


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of opening an item."""

    row_id: int
    photo: OpenPhoto | None = None
    error: TigerTagError | None = None
    trouble: str = ""
    """What is wrong with the photo's sidecar, which is left out then."""


def fetch(due: DueItem, workshop: Workshop) -> Fetched | Ended:
    """Opens an item; decoding is left to the workshop. What is no error of this item ends the run."""
    try:
        return _fetched(due, workshop)
    except BaseException as error:  # noqa: BLE001 - the coordinator raises it; without it the run would wait
        return Ended(error)


def _fetched(due: DueItem, workshop: Workshop) -> Fetched:
    item = due.item
    photo: OpenPhoto | None = None
    try:
        with due.source.source.open(item) as stream:
            photo = open_photo(
                stream, item.path, decoder=Elsewhere(workshop), by_path=workshop.workers.is_local
            )
        return Fetched(due.due.id, photo, trouble=_look_beside(due, photo))
    except Exception as error:  # noqa: BLE001 - a fault of the source: recorded as this item's, the others go on
        if photo is not None:
            photo.close()
        if not isinstance(error, TigerTagError):
            error = TransientError(f"{item.path} could not be opened ({error!r})")
        return Fetched(due.due.id, error=error)


def _look_beside(due: DueItem, photo: OpenPhoto) -> str:
    """Gives the photo its sidecar. What is wrong with that, in a sentence; it costs the photo nothing else."""
    source = due.source.source
    if not isinstance(source, KeepsSidecars):
        return ""
    try:
        sidecar = source.sidecar(due.item)
    # In the words of the target that would write to it: one trouble, named once.
    except PhotoError as error:
        return f"{due.item.path}: The sidecar {error}"
    if sidecar is None:
        return ""
    if len(sidecar.content) > MOST_BYTES:
        return f"{due.item.path}: The sidecar {sidecar.name} is larger than {MOST_BYTES >> 20} MiB"
    try:
        photo.lay_beside(sidecar, digest(sidecar.content))
    except ValueError as error:
        return f"{due.item.path}: The sidecar {sidecar.name} is left as it is: {error}"
    return ""

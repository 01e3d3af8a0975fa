"""Opening the items that are due, in the fetchers' threads."""

from __future__ import annotations

from dataclasses import dataclass

from tigertag.errors import TigerTagError, TransientError
from tigertag.media import OpenPhoto, open_photo
from tigertag.pipeline.due import DueItem
from tigertag.pipeline.lane import Ended
from tigertag.pipeline.workshop import Elsewhere, Workshop


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of opening an item."""

    row_id: int
    photo: OpenPhoto | None = None
    error: TigerTagError | None = None


def fetch(due: DueItem, workshop: Workshop) -> Fetched | Ended:
    """Opens an item; decoding is left to the workshop. What is no error of this item ends the run."""
    try:
        return _fetched(due, workshop)
    except BaseException as error:  # noqa: BLE001 - the coordinator raises it; without it the run would wait
        return Ended(error)


def _fetched(due: DueItem, workshop: Workshop) -> Fetched:
    item = due.item
    try:
        with due.source.source.open(item) as stream:
            photo = open_photo(
                stream, item.path, decoder=Elsewhere(workshop), by_path=workshop.workers.is_local
            )
            return Fetched(due.due.id, photo)
    except TigerTagError as error:
        return Fetched(due.due.id, error=error)
    except Exception as error:  # noqa: BLE001 - a fault of the source: recorded as this item's, the others go on
        return Fetched(due.due.id, error=TransientError(f"{item.path} could not be opened ({error!r})"))

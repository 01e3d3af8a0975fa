"""Opening the items that are due, in the fetchers' threads."""

from __future__ import annotations

from dataclasses import dataclass

from tigertag.errors import TigerTagError, TransientError
from tigertag.media import OpenPhoto, open_photo
from tigertag.model import Item
from tigertag.pipeline.lane import Ended
from tigertag.pipeline.work import OpenSource
from tigertag.store import items


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item to be opened or shown, and where it lies."""

    due: items.Due
    source: OpenSource


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of opening an item."""

    row_id: int
    photo: OpenPhoto | None = None
    error: TigerTagError | None = None


def fetch(due: DueItem, item: Item) -> Fetched | Ended:
    """Opens an item. What is no error of this item ends the run."""
    try:
        return _fetched(due, item)
    except BaseException as error:  # noqa: BLE001 - the coordinator raises it; without it the run would wait
        return Ended(error)


def _fetched(due: DueItem, item: Item) -> Fetched:
    try:
        with due.source.source.open(item) as stream:
            return Fetched(due.due.id, open_photo(stream, item.path))
    except TigerTagError as error:
        return Fetched(due.due.id, error=error)
    except Exception as error:  # noqa: BLE001 - a fault of the source: recorded as this item's, the others go on
        return Fetched(due.due.id, error=TransientError(f"{item.path} could not be opened ({error!r})"))

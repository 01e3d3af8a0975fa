"""The stamp of a photo that has a sidecar: what moves with the photo, `;`, what moves with the sidecar."""

from __future__ import annotations

_BESIDE = ";"


def stamped(photo: str, sidecar: str) -> str:
    """The stamp of a photo that looks so, with a sidecar that looks so; empty: it has none."""
    return f"{photo}{_BESIDE}{sidecar}" if sidecar else photo


def of_photo(stamp: str) -> str:
    """The part of a stamp that does not move with the sidecar."""
    return stamp.partition(_BESIDE)[0]


def has_moved_beside(before: str | None, now: str) -> bool:
    """Whether two stamps of an item tell of the same photo with another sidecar."""
    return before is not None and before != now and of_photo(before) == of_photo(now)

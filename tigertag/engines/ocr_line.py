"""A line of text as a reader finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
"""x and y in fractions 0..1 of the upright picture, from its left upper corner."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand in a row."""

    text: str
    confidence: float
    """0..1."""
    corners: tuple[Point, Point, Point, Point]
    """Around it, in turn."""

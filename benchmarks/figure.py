"""A figure, and how it is printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside a baseline of the same run, so that a slow machine slows both."""

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    baseline: float
    against: str
    """What the baseline is."""
    note: str
    """What was measured."""

    @property
    def ratio(self) -> float:
        """Value by baseline; 0 where there is no baseline to speak of."""
        return self.value / self.baseline if self.baseline else 0.0

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "figure": self.name,
                "value": round(self.value, 3),
                "unit": self.unit,
                "better": self.better,
                "baseline": round(self.baseline, 3),
                "ratio": round(self.ratio, 3),
                "against": self.against,
                "note": self.note,
            }
        )

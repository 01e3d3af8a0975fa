"""What sources, engines and targets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tigertag.model.words import JSON


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `tigertag check`."""

    ok: bool
    text: str
    advice: str = ""
    """What to do, where not ok."""


class Memory(Protocol):
    """What a plugin remembers outside itself: key → JSON in a scope of its own, committed at once."""

    def get(self, key: str) -> JSON: ...
    def set(self, key: str, value: JSON) -> None: ...
    def delete(self, key: str) -> None: ...
    def items(self) -> Sequence[tuple[str, JSON]]: ...

"""Which photos a run takes up, and which of them an engine may see."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tigertag.store.due import Due


class Choosy(Protocol):
    """Has globs over section/album/path."""

    @property
    def only(self) -> tuple[str, ...]: ...
    @property
    def except_(self) -> tuple[str, ...]: ...


def may_see(engine: Choosy, path: str) -> bool:
    """Whether ONLY and EXCEPT let the engine see section/album/path. `*` crosses slashes, case counts."""
    if engine.only and not any(fnmatch.fnmatchcase(path, glob) for glob in engine.only):
        return False
    return not any(fnmatch.fnmatchcase(path, glob) for glob in engine.except_)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the due items a scan takes up, and in which order."""

    limit: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Moments: `since` inclusive, `until` exclusive."""
    paths: frozenset[str] | None = None
    """Only these: paths as shown, with or without the section before them."""
    ids: frozenset[int] | None = None
    """Only these rows."""
    order: str = "newest"
    retry_failed: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return (self.limit, self.since, self.until, self.paths, self.ids) == (None,) * 5

    def takes(self, due: Due) -> bool:
        if self.ids is not None and due.id not in self.ids:
            return False
        if self.paths is not None and not {due.path, due.short} & self.paths:
            return False
        if self.since is None and self.until is None:
            return True
        moment = due.moment
        return (
            moment is not None
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment < self.until)
        )

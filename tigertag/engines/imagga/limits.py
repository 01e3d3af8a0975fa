"""What keeps several threads within an account's limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tigertag.engines.imagga.answers import Usage
from tigertag.errors import PluginDown
from tigertag.model import Quota


class Allowance:
    """Counts down from what the service said was left, so that the limit is never tried out."""

    def __init__(self, usage: Usage, reserve: int) -> None:
        self._usage = usage
        self._reserve = reserve
        self._taken = 0
        self._lock = threading.Lock()

    def quota(self) -> Quota:
        with self._lock:
            return self._quota()

    def take(self) -> None:
        """Sets one request aside. Raises PluginDown, planned, where none is left."""
        with self._lock:
            if self._quota().left == 0:
                raise used_up(self._quota(), self._reserve)
            self._taken += 1

    def give_back(self) -> None:
        """The request that was set aside was not billed."""
        with self._lock:
            self._taken = max(0, self._taken - 1)

    def renew(self, usage: Usage) -> None:
        """Counts from what the service says now: another program may have used it, too."""
        with self._lock:
            self._usage, self._taken = usage, 0

    def _quota(self) -> Quota:
        used = self._usage.processed + self._taken
        left = max(0, self._usage.limit - used - self._reserve)
        return Quota(used, self._usage.limit, left, self._usage.until)


def used_up(quota: Quota, reserve: int = 0) -> PluginDown:
    """The planned stop at the end of the quota (RELIABILITY E3)."""
    kept = f", {reserve} kept in reserve" if reserve else ""
    until = quota.until or "the next billing period"
    return PluginDown(
        f"{quota.used} of {quota.limit} used{kept}; its photos wait until {until}",
        planned=True,
        until=quota.until,
    )


class Slots:
    """How many requests may be under way. One that waits to be repeated keeps its slot."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._number = number
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0)
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def lower(self) -> None:
        """One fewer from now on, but never none."""
        with self._changed:
            if self._number > 1:
                self._number -= 1
                self._free -= 1

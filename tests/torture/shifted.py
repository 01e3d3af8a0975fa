"""A process that takes it to be another time than it is."""

from __future__ import annotations

import datetime as of_datetime
import sys
import time


class _Kind(type):
    """What is a moment for the real class is one for this one, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL)


_REAL = of_datetime.datetime


def shift(seconds: float) -> None:
    """From now on this process takes it to be so many seconds later. Timers are not moved."""
    off, real_time = of_datetime.timedelta(seconds=seconds), time.time

    class Shifted(_REAL, metaclass=_Kind):
        @classmethod
        def now(cls, tz: of_datetime.tzinfo | None = None) -> _REAL:  # type: ignore[override]
            return _REAL.now(tz) + off

    for name, module in list(sys.modules.items()):
        if name.startswith("tigertag") and vars(module).get("datetime") is _REAL:
            vars(module)["datetime"] = Shifted
    of_datetime.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: real_time() + seconds

"""The time limits of the program shortened, its waits written down instead of waited, names looked up here."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any
from unittest.mock import patch

from tigertag import plexserver
from tigertag.engines.compreface import CompreFaceEngine
from tigertag.engines.imagga import ImaggaEngine
from tigertag.engines.openai import OpenAIEngine
from tigertag.executors.threads import Threads

LONGEST_WAIT = 300
"""Seconds between two tries that a service may ask for (RELIABILITY P4, E4)."""


@dataclass
class Waits:
    """What the program would have waited between tries."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def excess(self) -> str | None:
        """What is wrong with them."""
        longest = max(self.seconds, default=0)
        if longest > LONGEST_WAIT:
            return f"waited {longest:.0f} s between two tries"
        return None


@contextmanager
def hurried(waits: Waits, limit: float) -> Iterator[None]:
    """Within it Plex and Imagga may be silent for `limit` seconds, and answer in twice that."""
    pace = partial(
        plexserver.Pace, connect=limit, read=limit, whole=2 * limit, sleep=waits, uniform=random.uniform
    )
    imagga = {"sleep": waits, "read_timeout": limit, "total_timeout": 2 * limit}
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(patch("tigertag.plexserver.connection.Pace", pace))
        enter(patch("tigertag.targets.plex.Pace", pace))
        enter(patch("tigertag.sources.plex_walk.PAGE", 4))
        # What workers do is no matter of the wire, and starting them takes longer than all the rest.
        enter(patch("tigertag.executors.open_workers", lambda _: Threads(2)))
        # Which plugins are installed does not change, and finding out takes a fourth of a small scan.
        enter(patch("tigertag.plugins.entry_points", cache(entry_points)))
        enter(patch.dict(_defaults(ImaggaEngine), imagga))
        enter(patch.dict(_defaults(CompreFaceEngine), {"sleep": waits}))
        enter(patch.dict(_defaults(OpenAIEngine), {"sleep": waits}))
        yield


def _defaults(engine: type[ImaggaEngine] | type[CompreFaceEngine] | type[OpenAIEngine]) -> dict[str, Any]:
    found = engine.__init__.__kwdefaults__
    assert found is not None
    return found


@dataclass
class Names:
    """`plex.test`, `imagga.test` and others are this machine, until they are forgotten."""

    forgotten: set[str] = field(default_factory=set)

    @contextmanager
    def known(self) -> Iterator[None]:
        real = socket.getaddrinfo

        def look_up(host: Any, *more: Any, **others: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if not isinstance(name, str) or not name.endswith(".test"):
                return real(host, *more, **others)
            if name in self.forgotten:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return real("127.0.0.1", *more, **others)

        with patch("socket.getaddrinfo", look_up):
            yield


_OURS = ("TIGERTAG", "PLEX", "ENGINE", "SOURCE_", "TARGET_", "NOTIFIER_", "SCANNER", "STASHER", "DB_URL")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@contextmanager
def clean_environment(home: str, **more: str) -> Iterator[None]:
    """No settings and no proxy from outside, and a home of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_OURS) and name.upper() not in _PROXIES and not name.startswith("XDG_")
    }
    with patch.dict(os.environ, {**kept, "HOME": home, **more}, clear=True):
        yield


class Hung(BaseException):
    """It took too long."""


@contextmanager
def watched(seconds: float) -> Iterator[Callable[[], float]]:
    """Ends what takes longer, by raising Hung in the main thread. Gives the seconds that it took so far."""
    began = time.monotonic()
    over = threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    def end(*_: object) -> None:
        raise Hung(f"over {seconds:.0f} s")

    def wait() -> None:
        if not over.wait(seconds):
            signal.pthread_kill(main, signal.SIGUSR2)

    before = signal.signal(signal.SIGUSR2, end)
    threading.Thread(target=wait, daemon=True).start()
    try:
        yield lambda: time.monotonic() - began
    finally:
        over.set()
        signal.signal(signal.SIGUSR2, before)

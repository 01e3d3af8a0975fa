"""Inside the program's process: the moments at which it can be killed, and the limits that it is given.

A moment is just before or just after a commit, a request, or a change of a name on the disk. They are numbered
as they come, in whichever thread.
"""

from __future__ import annotations

import functools
import itertools
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.torture.launcher import Start

_NAMES = ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "truncate", "fsync")
"""Of functions of `os`; `pathlib` uses them, too."""


def arrange(start: Start) -> None:
    """Makes this process what the order says, before the program begins."""
    if start.host:
        _move_to(start.host)
    if start.clock:
        from tests.torture.shifted import shift

        shift(start.clock)
    if start.file_system:
        from tigertag.store import sqlite_file

        sqlite_file.file_system = lambda *_: start.file_system
    if start.patience:
        _hurry(start.patience)
    if start.largest_file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error like that of a full disk, not an end
        resource.setrlimit(resource.RLIMIT_FSIZE, (start.largest_file, start.largest_file))
    if start.moment:
        _Fuse(start.kill_at, start.moment).lay(statements=start.statements)
    if start.user:
        os.setgroups([])
        os.setgid(start.user)
        os.setuid(start.user)


def _move_to(host: str) -> None:
    from tigertag.store import lock

    vars(lock)["socket"] = _Elsewhere(host)
    line = lock._line
    lock._line = lambda path: host if path == "/etc/machine-id" else f"{host} {line(path)}"[:36]


def _hurry(seconds: float) -> None:
    from tigertag.store import connect, sqlite_file

    vars(connect).update(BUSY_SECONDS=seconds, CONNECT_SECONDS=max(2, int(seconds)))
    sqlite_file.connect.__defaults__ = (seconds,)


class _Elsewhere:
    """The module `socket` on a machine of another name."""

    def __init__(self, host: str) -> None:
        self._host = host

    def gethostname(self) -> str:
        return self._host

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)


class _Fuse:
    """Counts moments, and ends the process at one of them."""

    def __init__(self, kill_at: int, path: str) -> None:
        self._kill_at = kill_at
        self._count = itertools.count(1)
        self._lock = threading.Lock()
        self._told = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def lay(self, *, statements: bool) -> None:
        """Around everything that changes something outside this process."""
        import requests.adapters
        import sqlalchemy.engine.default

        dialect = sqlalchemy.engine.default.DefaultDialect
        dialect.do_commit = self._around("commit", dialect.do_commit)  # type: ignore[method-assign]
        if statements:
            dialect.do_execute = self._around("statement", dialect.do_execute)  # type: ignore[method-assign]
        adapter = requests.adapters.HTTPAdapter
        adapter.send = self._around("request", adapter.send)  # type: ignore[method-assign]
        for name in _NAMES:
            setattr(os, name, self._around(name, getattr(os, name)))

    def _around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def acting(*given: Any, **more: Any) -> Any:
            self._step(f"before a {name}")
            result = act(*given, **more)
            self._step(f"after a {name}")
            return result

        return acting

    def _step(self, what: str) -> None:
        with self._lock:
            number = next(self._count)
            if not self._kill_at or number == self._kill_at:
                os.write(self._told, f"{what}\n".encode())
            if number == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

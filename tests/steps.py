"""Acts on files that are killed, or find the disk full, at one of their steps."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

STEPS = ("open", "write", "fsync", "chmod", "chown", "utime", "setxattr", "replace", "link", "unlink")
"""Functions of `os` that bring something onto the disk, and `open`."""


def ends_at(moment: int, act: Callable[[], object]) -> bool:
    """Runs `act` in a process of its own, killed just before or after a step; whether it came so far."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _lay_fuse(moment)
            act()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _lay_fuse(moment: int) -> None:
    left = [moment]

    def around(act: Callable[..., object]) -> Callable[..., object]:
        def acting(*given: object, **more: object) -> object:
            _burn(left)
            result = act(*given, **more)
            _burn(left)
            return result

        return acting

    for name in STEPS:
        setattr(os, name, around(getattr(os, name)))


def _burn(left: list[int]) -> None:
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def finds_no_room_at(moment: int, act: Callable[[], object]) -> str:
    """Runs `act`, whose step of that number fails for lack of room. Its name; empty where there is none."""
    left, failed = [moment], [""]

    def failing(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def acting(*given: object, **more: object) -> object:
            takes_room = name != "open" or bool(isinstance(given[1], int) and given[1] & os.O_CREAT)
            left[0] -= takes_room
            if left[0] == 0 and takes_room:
                failed[0] = name
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return step(*given, **more)

        return acting

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, failing(name, getattr(os, name)))
        act()
    return failed[0]

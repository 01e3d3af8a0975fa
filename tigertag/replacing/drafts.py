"""The names of unfinished files, and which of those in a folder killed runs have left there (RELIABILITY M1).

A name tells machine, boot, process and the moment that the process started, so that only what belongs to a dead
process is removed. It does not build on the photo's name, which may be as long as a name can be.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

_NAME = re.compile(r"\.tigertag-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]+\.tmp")
_A_DAY = 24 * 3600
"""Seconds after which no process can still be at it, on whatever machine."""


def a_name(token: str) -> str:
    """A name for an unfinished file of this process, under 100 characters; `token` makes it the only one."""
    place, boot = _here()
    pid = os.getpid()
    return f".tigertag-{place}-{boot}-{pid}-{_started(pid) or 0}-{token}.tmp"


def sweep(folder: Path) -> int:
    """Removes the unfinished files that dead runs have left in a folder, and gives their number.

    What cannot be removed stays; so does everything of a process that is alive.
    """
    gone = 0
    with suppress(OSError):  # the folder is gone or closed to us: whoever writes there will say so
        for entry in os.scandir(folder):
            name = _NAME.fullmatch(entry.name)
            if name is None or not entry.is_file(follow_symlinks=False):
                continue
            # The time of the last change of state: that of the contents is set to the photo's.
            age = time.time() - entry.stat(follow_symlinks=False).st_ctime
            if _is_dead(name, age):
                with suppress(OSError):
                    Path(entry.path).unlink()
                    gone += 1
    return gone


def _is_dead(name: re.Match[str], age: float) -> bool:
    place, boot, pid, start = name.groups()
    my_place, my_boot = _here()
    if age > _A_DAY or place != my_place:
        return age > _A_DAY
    if boot != my_boot:
        return True
    alive = _started(int(pid))
    return alive is None or alive != int(start)


@cache
def _here() -> tuple[str, str]:
    """This machine, or the container in it, which has pids of its own, and its boot; eight hex digits each."""
    try:
        namespace = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        namespace = ""
    machine = f"{socket.gethostname()}:{_line('/etc/machine-id')}:{namespace}"
    return _short(machine), _short(_line("/proc/sys/kernel/random/boot_id"))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    """When the process started, in ticks since boot (proc(5), field 22); 0 unknown, None if it is not alive."""
    try:
        # The second field is the program's name in brackets and may itself hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else int(fields[19])
    except (OSError, IndexError, ValueError):
        return 0 if _answers(pid) else None


def _answers(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        return False
    if os.name == "nt":  # where signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True

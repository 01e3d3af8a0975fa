"""What a task may take of a process at most (RELIABILITY K6, I17)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import resource
except ImportError:  # Windows knows no such limits; there the limits on pixels and passes stand alone
    resource = None  # type: ignore[assignment]

LONGEST = 600
"""Seconds that any task may take."""
PROCESSOR_SECONDS = 60
"""Of a task that decodes."""
MEMORY = 1 << 30
"""Bytes that a task that decodes may take beyond what the process had."""


_TURN = threading.Lock()
"""Limits are of the process: who set them takes them back before another may."""


@contextmanager
def limited() -> Iterator[None]:
    """Within, too much processor time ends the process, and too much memory is a MemoryError.

    What runs beside it in the same process has no limits of its own.
    """
    if resource is None or not _TURN.acquire(blocking=False):
        yield
        return
    try:
        with _lowered():
            yield
    finally:
        _TURN.release()


@contextmanager
def _lowered() -> Iterator[None]:
    processor, memory = resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + PROCESSOR_SECONDS)
    if taken := _address_space():
        _lower(resource.RLIMIT_AS, taken + MEMORY)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, processor)
        resource.setrlimit(resource.RLIMIT_AS, memory)


def _lower(what: int, soft: int) -> None:
    """The soft limit only, so that it can be raised again; never above what was set for the process."""
    before, hard = resource.getrlimit(what)
    limits = [limit for limit in (soft, before, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(what, (min(limits), hard))


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize()

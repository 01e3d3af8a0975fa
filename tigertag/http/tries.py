"""What repeating a request takes: the same bytes, and a wait."""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 300.0
"""Seconds; no service makes us wait longer (RELIABILITY E4)."""


def multipart(field: str, filename: str, content: bytes, content_type: str) -> tuple[bytes, str]:
    """A form with one file: the body and its content type. Equal arguments give equal bytes (E11)."""
    boundary = hashlib.sha256(content).hexdigest()
    escaped = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{escaped}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header (seconds or an HTTP date) asks for: 0 to 300, None where unreadable."""
    text = (value or "").strip()
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text):
        return min(max(float(text), 0.0), LONGEST_WAIT)
    if re.fullmatch(r"\d+", text):
        return LONGEST_WAIT
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), LONGEST_WAIT)


class Backoff:
    """How often, and after which waits, one request is tried again: exponential with full jitter."""

    def __init__(
        self,
        *,
        tries: int = 5,
        first: float = 0.5,
        longest: float = 30,
        total: float = 60,
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`tries` repeats at most, `total` seconds of waiting at most."""
        self._tries, self._first, self._longest, self._total = tries, first, longest, total
        self._sleep, self._uniform = sleep, uniform
        self._used, self._waited = 0, 0.0

    def wait(self, asked: float | None = None) -> bool:
        """Waits for as long as the service `asked`, else its own time. False, at once, when no try is left."""
        if self._used >= self._tries:
            return False
        own = self._uniform(0, min(self._longest, self._first * 2**self._used))
        seconds = own if asked is None else asked
        if self._waited + seconds > self._total:
            return False
        self._used += 1
        self._waited += seconds
        self._sleep(seconds)
        return True


@dataclass(frozen=True, slots=True)
class Tries:
    """What is left to try for one photo, by what went wrong (RELIABILITY E1, E4, E5, E6)."""

    unreachable: Backoff
    failing: Backoff
    busy: Backoff
    lost: Backoff

    @classmethod
    def fresh(cls, sleep: Callable[[float], object], uniform: Callable[[float, float], float]) -> Tries:
        return cls(
            unreachable=Backoff(tries=5, sleep=sleep, uniform=uniform),
            failing=Backoff(tries=3, total=900, sleep=sleep, uniform=uniform),
            busy=Backoff(tries=5, total=1500, sleep=sleep, uniform=uniform),
            lost=Backoff(tries=1, sleep=sleep, uniform=uniform),
        )

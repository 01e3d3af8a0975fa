"""What comes back from a service: a reply, or one of the errors that stand for none."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tigertag.model import JSON


class WireError(Exception):
    """A request without a usable answer. Each plugin turns it into one of the errors of `errors.py`.

    `status` is the answer's status, 0 where none came; `body` is what came of it.
    """

    def __init__(self, reason: str, *, status: int = 0, body: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.body = body

    @property
    def why(self) -> str:
        """The reason in brackets at the end; the whole text where there is none."""
        text = str(self)
        return text.rpartition("(")[2].removesuffix(")") if text.endswith(")") else text


class NotSent(WireError):
    """Refused, no such host, no connection in time, TLS failed: the service saw nothing. Safe to repeat."""


class CertificateInvalid(NotSent):
    """The service's certificate does not prove who it is. Repeating does not help."""


class AnswerLost(WireError):
    """It was sent, and the answer did not come whole: the service may have done the work.

    `timed_out` says that the answer stayed away or dripped, rather than broke off.
    """

    def __init__(self, reason: str, *, timed_out: bool, status: int = 0, body: bytes = b"") -> None:
        super().__init__(reason, status=status, body=body)
        self.timed_out = timed_out

    @property
    def cut(self) -> bool:
        """Whether the answer had begun and then broke off: nothing better will come of the same request."""
        return bool(self.status) and not self.timed_out


class Redirected(WireError):
    """The service pointed elsewhere. Never followed: the key would go along."""


class BadReply(WireError):
    """A whole answer that cannot be read, or one too long to be one."""


_TOO_DEEP, _DEEPEST = "nested too deeply", 100
# A bracket, or a whole string, in which they mean nothing.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: complete (its length was checked), whatever its status."""

    service: str
    status: int
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    body: bytes

    def json(self) -> JSON:
        """The body as JSON. NaN, Infinity and numbers beyond a double read as null.

        Raises BadReply ("Imagga's answer could not be read (empty)").
        """
        try:
            text = self.body.decode("utf-8-sig")
            if is_deep(text):
                raise ValueError(_TOO_DEEP)
            value: JSON = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        except ValueError as error:
            raise BadReply(
                f"{self.service}'s answer could not be read ({_why_not_json(self.body, error)})",
                status=self.status,
                body=self.body,
            ) from error
        return value


def is_good(status: int) -> bool:
    """Whether an answer of this status says that the work was done."""
    return 200 <= status < 300


def is_deep(text: str) -> bool:
    """Whether JSON is nested more than 100 deep, which no service means and a parser may die of."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += 1 if found[0] in "[{" else -1 if found[0] in "]}" else 0
        if depth > _DEEPEST:
            return True
    return False


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _why_not_json(body: bytes, error: Exception) -> str:
    start = body[:200].lstrip().lower()
    if not body.strip():
        return "empty"
    if start.startswith(b"<"):
        return "HTML instead of JSON"
    if str(error) == _TOO_DEEP:
        return _TOO_DEEP
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"

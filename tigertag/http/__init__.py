"""One seam to services that speak HTTP: a requests session with time limits, redaction, and the one place where
foreign errors are translated. Trying again is decided by the plugin, with `Backoff` and `retry_after`.

What matters to a plugin is not which library failed but whether the service may have done (and billed) the
work, so the errors here are classed by that: `NotSent` is safe to repeat, `AnswerLost` is not.
"""

from tigertag.http.session import Http
from tigertag.http.tries import LONGEST_WAIT, Backoff, Tries, multipart, retry_after
from tigertag.http.wire import (
    AnswerLost,
    BadReply,
    CertificateInvalid,
    NotSent,
    Redirected,
    Reply,
    WireError,
    is_deep,
    is_good,
)

__all__ = [
    "LONGEST_WAIT",
    "AnswerLost",
    "Backoff",
    "BadReply",
    "CertificateInvalid",
    "Http",
    "NotSent",
    "Redirected",
    "Reply",
    "Tries",
    "WireError",
    "is_deep",
    "is_good",
    "multipart",
    "retry_after",
]

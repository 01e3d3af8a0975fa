"""The session that plexapi sends its requests through: a limit for each, no redirect, no netrc, our errors."""

from __future__ import annotations

import http.client
import ssl
import time
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from tigertag.http import AnswerLost, BadReply, CertificateInvalid, NotSent, Redirected, WireError, retry_after
from tigertag.http.cause import chain_of, in_words
from tigertag.http.timed import Exchange, TimedAdapter, settle, under_way

# A page of 1000 photos is about 1.5 MB.
_LARGEST_ANSWER = 64 << 20
_CHUNK = 256 << 10
_WORDS = {
    400: "bad request",
    403: "forbidden",
    404: "not found",
    414: "URI too long",
    429: "too many requests",
    500: "internal error",
    502: "bad gateway",
    503: "unavailable, perhaps starting or in maintenance",
    504: "gateway time-out",
}


class Refusal(WireError):
    """An answer with a status that is no success."""

    def __init__(self, status: int, wait: str | None = None) -> None:
        words = _WORDS.get(status)
        super().__init__(f"{status} ({words})" if words else str(status), status=status)
        self._wait = wait

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the server asks to wait: 0 to 300, None where it does not say."""
        return retry_after(self._wait, now)


class PlexSession(requests.Session):
    """Raises the errors of `tigertag.http` instead of returning or raising anything else.

    `whole` is the seconds that a request may take altogether. Credentials come from nowhere but the headers.
    """

    def __init__(self, url: str, whole: float) -> None:
        super().__init__()
        self._whole = whole
        self.auth = lambda request: request  # any auth keeps requests from reading netrc
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A compressed original would have another length than the listing says.
        self.headers["Accept-Encoding"] = "identity"
        for scheme in ("http://", "https://"):
            self.mount(scheme, TimedAdapter(pool_maxsize=16))
        settle(self, url)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: the token would go along."""
        return None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One try. Raises NotSent, AnswerLost, Redirected, BadReply or Refusal."""
        this = Exchange(time.monotonic() + self._whole)
        streamed = bool(options.pop("stream", False))
        token = under_way.set(this)
        try:
            response = super().send(request, stream=True, **options)
            if streamed and response.ok:
                return _accepted(response)
            with response:
                _read(response)
                return _accepted(response)
        except (
            requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError
        ) as error:  # fmt: skip
            raise translated(error, sent=this.sent) from error
        finally:
            under_way.reset(token)


def _read(response: requests.Response) -> None:
    """Reads the body to its end, as requests would, but no further than an answer of Plex can be long."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise BadReply(f"something that is longer than {_LARGEST_ANSWER >> 20} MB")
    response._content = bytes(body)  # where requests itself keeps what it read


def _accepted(response: requests.Response) -> requests.Response:
    if 300 <= response.status_code < 400:
        where = _named(response.headers.get("Location", ""))
        raise Redirected(f"unexpected redirect to {where}", status=response.status_code)
    if not response.ok:
        raise Refusal(response.status_code, response.headers.get("Retry-After"))
    if "charset" not in response.headers.get("Content-Type", ""):
        response.encoding = "utf-8"  # else requests reads text/xml as Latin-1
    return response


def translated(error: Exception, *, sent: bool) -> WireError:
    """What a foreign error means: whether the server may have done what was asked."""
    chain = chain_of(error)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        return CertificateInvalid(in_words(chain))
    if not sent:
        return NotSent(in_words(chain))
    timed_out = any(isinstance(one, TimeoutError | urllib3.exceptions.TimeoutError) for one in chain)
    return AnswerLost(in_words(chain), timed_out=timed_out)


def _named(location: str) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    return host if host and host.isprintable() else "another address"

"""The session with one service, and the translation of foreign errors."""

from __future__ import annotations

import base64
import html
import http.client
import json
import math
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from types import MappingProxyType
from urllib.parse import quote, quote_plus, unquote, urlsplit

import requests
import urllib3

from tigertag.http.cause import chain_of, in_words
from tigertag.http.timed import Exchange, TimedAdapter, settle, under_way
from tigertag.http.wire import AnswerLost, BadReply, CertificateInvalid, NotSent, Redirected, Reply, WireError

KEPT = 64 << 10
"""Bytes of an answer that are kept."""
_CHUNK = 64 << 10
_URL_SAFE = str.maketrans("+/", "-_")
_SHORTEST_WITHIN = 6
"""Bytes of a secret from which on its middle in base64 is no other word by chance."""
_NONE: Mapping[str, str] = MappingProxyType({})


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: requests would read the whole body of a redirect to prepare the next request."""
        return None


class Http:
    """A session with one service. Safe to use from several threads; building it does no I/O.

    Proxies and certificate bundles come from the environment as requests does it, credentials never
    (no netrc). Cookies are not kept.
    """

    def __init__(  # noqa: PLR0913 - each is one plain setting
        self,
        base_url: str,
        *,
        service: str,
        headers: Mapping[str, str] = _NONE,
        auth: tuple[str, str] | None = None,
        connect_timeout: float = 5,
        read_timeout: float = 30,
        total_timeout: float = 60,
        max_body: int = 16 << 20,
        pool_size: int = 8,
        secrets: Sequence[str] = (),
    ) -> None:
        """Timeouts are seconds: to connect, between two bytes, and for a whole request; `max_body` is bytes."""
        self.service = service
        self._base = base_url.rstrip("/")
        self._timeouts = (min(connect_timeout, total_timeout), min(read_timeout, total_timeout))
        self._total = total_timeout
        self._max_body = max_body
        self._hidden = _hidden_forms([*secrets, *(auth or ())], auth)
        self._session = _Session()
        self._session.auth = lambda request: request  # any auth keeps requests from reading netrc
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": "tigertag", "Accept-Encoding": "identity"})
        self._session.headers.update({name: value.encode() for name, value in headers.items()})
        if auth is not None:
            basic = base64.b64encode(":".join(auth).encode()).decode()
            self._session.headers["Authorization"] = f"Basic {basic}"
        adapter = TimedAdapter(pool_maxsize=pool_size)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        settle(self._session, self._base)

    @property
    def origin(self) -> str:
        """`https://api.imagga.com`, for messages."""
        parts = urlsplit(self._base)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        within: float = math.inf,
    ) -> Reply:
        """One try of one request: never repeated, no redirect followed, over after the total limit, or `within`
        so many seconds where that is less.

        `path` is appended to the base URL, its parts already quoted. Raises NotSent, AnswerLost, Redirected,
        BadReply; ValueError for a path with a dot segment, which would address something else.
        """
        if any(unquote(part) in (".", "..") for part in path.split("/")):
            raise ValueError(f"{path!r} holds a dot segment")
        this = Exchange(time.monotonic() + min(self._total, within))
        token = under_way.set(this)
        try:
            return self._exchange(this, method, path, params, body, content_type)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
        ) as e:
            raise self._translated(e, this) from e
        finally:
            under_way.reset(token)

    def _exchange(
        self,
        this: Exchange,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: bytes | None,
        content_type: str,
    ) -> Reply:
        request = requests.PreparedRequest()
        # Not by the session, which takes as long to merge its settings with none as the rest of this takes.
        headers = {**self._session.headers, **({"Content-Type": content_type} if content_type else {})}
        request.prepare(method, self._base + path, headers, params=params, data=body, auth=self._session.auth)
        with self._session.send(
            request,
            timeout=self._timeouts,
            allow_redirects=False,
            stream=True,
        ) as response:
            this.status = response.status_code
            if 300 <= this.status < 400:
                where = _host(response.headers.get("Location", ""), self._base)
                raise Redirected(f"unexpected redirect to {where}", status=this.status)
            for chunk in response.iter_content(_CHUNK):
                this.body += chunk
                if len(this.body) > self._max_body:
                    raise self._unreadable(f"over {self._max_body >> 10} KiB", this)
            return Reply(self.service, this.status, response.headers, bytes(this.body))

    def _unreadable(self, why: str, this: Exchange) -> BadReply:
        return BadReply(
            f"{self.service}'s answer could not be read ({why})",
            status=this.status,
            body=bytes(this.body[: 2 * KEPT]),
        )

    def _translated(self, error: Exception, this: Exchange) -> WireError:
        chain = chain_of(error)
        why = in_words(chain)
        if isinstance(error, requests.exceptions.ContentDecodingError):
            return self._unreadable("badly compressed", this)
        if this.sent:
            return AnswerLost(
                f"{self.service} at {self.origin} gave no whole answer ({why})",
                timed_out=any(isinstance(e, TimeoutError | urllib3.exceptions.TimeoutError) for e in chain),
                status=this.status,
                body=bytes(this.body),
            )
        if any(isinstance(e, ssl.SSLCertVerificationError) for e in chain):
            return CertificateInvalid(
                f"The certificate of {self.service} at {self.origin} is not valid ({why})"
            )
        return NotSent(f"Cannot reach {self.service} at {self.origin} ({why})")

    def redact(self, text: str) -> str:
        """`text` with each secret, in any of its spellings, replaced by `***`."""
        return self._hidden.sub("***", text) if self._hidden.pattern else text

    def kept(self, body: bytes) -> str:
        """An answer as it may be stored: redacted, at most 64 KiB, no NUL (PostgreSQL has no room for it)."""
        text = self.redact(body[: 2 * KEPT].decode("utf-8", "replace")).replace("\x00", "�")
        return text.encode()[:KEPT].decode("utf-8", "ignore")

    def close(self) -> None:
        """Closes the kept connections. Twice is once."""
        self._session.close()


def _hidden_forms(secrets: Sequence[str], auth: tuple[str, str] | None) -> re.Pattern[str]:
    """A pattern of every spelling in which a secret may come back."""
    plain = {secret for secret in secrets if secret}
    forms = set(plain)
    for secret in plain | ({":".join(auth)} if auth else set()):
        quoted = quote(secret, safe="")
        forms |= {quoted, quote(secret), quote_plus(secret), quote(quoted), html.escape(secret)}
        forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {json.dumps(secret)[1:-1].replace("/", "\\/")}
        forms |= _in_base64(secret.encode())
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)  # %2f is %2F


def _in_base64(raw: bytes) -> set[str]:
    """All of it that is the same whatever stands before and after it, and whichever alphabet is used."""
    whole = base64.b64encode(raw).decode().rstrip("=")
    forms = {whole, whole.translate(_URL_SAFE)}
    if len(raw) < _SHORTEST_WITHIN:
        return forms
    for before, own in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode()[own : (before + len(raw)) * 8 // 6]
        forms |= {encoded, encoded.translate(_URL_SAFE)}
    return forms


def _host(location: str, base: str) -> str:
    """Where a redirect points, by host only."""
    try:
        parts = urlsplit(location)
        host = parts.hostname or ("" if parts.scheme else urlsplit(base).hostname or "")
    except ValueError:
        return "an unreadable address"
    named = host or f"{parts.scheme}:"
    return named if named.isprintable() and len(named) <= 255 else "an unreadable address"

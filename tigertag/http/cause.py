"""Why a request came to nothing, in plain words. Foreign errors are nested; the innermost one tells."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence

import urllib3


def chain_of(error: BaseException) -> list[BaseException]:
    """An error and what it stands for, outermost first."""
    return list(_chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def in_words(chain: Sequence[BaseException]) -> str:
    """The innermost cause; never a URL, which may hold a secret."""
    for error in reversed(chain):
        match error:
            case socket.gaierror():
                return "no such host"
            case ConnectionRefusedError():
                return "connection refused"
            case TimeoutError():
                return "timed out"
            case ssl.SSLCertVerificationError():
                return error.verify_message
            case ssl.SSLError():
                return "TLS failed; http or https?"
            case http.client.IncompleteRead() | urllib3.exceptions.IncompleteRead():
                return "it ends early"
            case http.client.RemoteDisconnected():
                return "closed without an answer"
            case ConnectionError():
                return "connection reset"
            case OSError(strerror=str(words)) if words:
                return words.lower()
    return type(chain[-1]).__name__

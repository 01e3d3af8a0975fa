"""Connections that keep a total limit, and know whether a request has left.

A timeout of a socket starts anew with each byte, so a service that drips one a second holds a caller for hours;
urllib3 and requests have no limit for that. Nor do their errors say whether anything was sent.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass(slots=True)
class Exchange:
    """One request under way: when it must be over (monotonic seconds), and how far it came."""

    until: float
    sent: bool = False
    status: int = 0
    body: bytearray = field(default_factory=bytearray)

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError where none do."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("over the total limit")
        return left


# The connection classes are made by urllib3, so this is how the request under way reaches them.
under_way: ContextVar[Exchange] = ContextVar("under_way")


class _TimedBytes(io.RawIOBase):
    """What a socket receives, within the gap between bytes and the total limit of the request."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, this: Exchange) -> None:
        super().__init__()
        self._sock, self._raw, self._try, self._gap = sock, raw, this, sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._try.left()
        self._sock.settimeout(left if self._gap is None else min(left, self._gap))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A timeout of the socket starts anew with each byte; this one also limits status, headers and body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_TimedBytes(sock, raw, under_way.get()))

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the answer itself. http.client takes any hint before it but 100 for the answer, and the
        answer then for that of the next request on the connection (RFC 9110, 15.2; RELIABILITY E17).
        """
        found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
        while 100 < found[1] < 200:
            http.client.parse_headers(self.fp)
            found = super()._read_status()  # type: ignore[misc]
        return found


class _Connection(HTTPConnection):
    response_class = _TimedResponse

    def request(self, *args: Any, **kwargs: Any) -> None:
        _ready(self)
        super().request(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse

    def request(self, *args: Any, **kwargs: Any) -> None:
        _ready(self)
        super().request(*args, **kwargs)


def _ready(connection: HTTPConnection) -> None:
    """Connects where needed; from here on bytes leave and the service may see the request."""
    this = under_way.get()
    if connection.sock is None:
        connection.connect()
    # urllib3 sends under the connect timeout, which is too short for an upload over a slow line.
    connection.timeout = this.left()
    connection.sock.settimeout(connection.timeout)
    this.sent = True


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class TimedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("socks"):
            under_way.get().sent = True  # its own connection classes cannot tell: take the careful answer
        else:
            manager.pool_classes_by_scheme = _POOLS
        return manager


def settle(session: requests.Session, url: str) -> None:
    """Takes proxies and certificates for `url` from the environment as requests does it, once.

    By itself requests reads all of the environment twice for every request, which takes longer than to send it.
    """
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False

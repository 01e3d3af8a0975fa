"""What the HTTP stand-ins share: a threaded server on 127.0.0.1 that records every request and can misbehave.

A stand-in subclasses `Service`: `kind` names a request for counting, `answer` does the work and says what to
reply. What a strict service would never forgive goes to `report` and ends up in `damage`.
"""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    kind: str
    method: str
    path: str
    """Unquoted, without the query."""
    raw_path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    target: str = ""
    """Path and query as they came."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [default])[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Answer:
        return cls(status, json.dumps(value).encode(), headers=headers)


@dataclass(frozen=True, slots=True)
class Fault:
    """How one request goes wrong. The parts combine; the work is done unless `before` says otherwise."""

    status: int = 0
    """Answer this instead, without doing the work."""
    body: bytes | None = None
    """Answer these bytes instead of the true ones."""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    """Seconds before anything else."""
    reset: Literal["", "before", "after"] = ""
    """Reset the connection before or after the work was done."""
    hang: bool = False
    """Do the work and never answer."""
    drip: float = 0
    """Seconds between two bytes of the answer, its status line included."""
    cut: int | None = None
    """Announce the whole body, send this many bytes of it and close."""
    length: int | None = None
    """Announce this length, whatever is sent."""
    flood: int = 0
    """So many more bytes after the body, announced with it."""
    then: Callable[[], object] | None = None
    """Called when the answer has left, before the next request over the same connection."""

    @classmethod
    def html(cls, status: int = 504) -> Fault:
        page = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"
        return cls(status=status, body=page, content_type="text/html")

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Fault:
        return cls(status=status, headers={"Location": location})


class Service:
    """A working stand-in; `with Service() as service:` runs it. `requests` are in order of arrival."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self.counts: Counter[str] = Counter()
        self.damage: list[str] = []
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.stopping = threading.Event()
        self.is_away = False
        self.keeps_connections = True
        self.struck = 0
        """Requests that went wrong."""
        self._port = 0
        self._faults: list[tuple[str, Callable[[Request], bool], Fault, list[int]]] = []
        self._server: _Server | None = None

    def kind(self, method: str, path: str) -> str:
        """What a request is counted as."""
        return f"{method} {path}"

    def answer(self, request: Request) -> Answer:
        """Does the work. Called by several threads; take `self.lock` around state."""
        raise NotImplementedError

    def fail(
        self,
        kind: str,
        fault: Fault,
        *,
        times: int = 1,
        after: int = 0,
        when: Callable[[Request], bool] = lambda _: True,
    ) -> None:
        """After `after` good ones, `times` requests of this kind (`*`: any) that `when` accepts go wrong."""
        with self.lock:
            self._faults.append((kind, when, fault, [after, times]))

    def heal(self) -> None:
        """No more faults."""
        with self.lock:
            self._faults.clear()

    def report(self, damage: str) -> None:
        with self.lock:
            self.damage.append(damage)

    def of(self, kind: str) -> list[Request]:
        with self.lock:
            return [request for request in self.requests if request.kind == kind]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._running.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def _running(self) -> _Server:
        if self._server is None:
            raise RuntimeError("not started: use it in a with statement")
        return self._server

    def start(self) -> Self:
        """Listens; again on the same port after `go_away`."""
        self.keeps_connections = True
        self.is_away = False
        self._server = _Server(self, self._port)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._running.shutdown()
        self._running.server_close()
        self.hang_up()

    def go_away(self) -> None:
        """Refuses connections from now on. What is under way is answered, and then hung up."""
        self.is_away, self.keeps_connections = True, False
        self._running.shutdown()
        self._running.server_close()
        self._running.hang_up(self._running.idle)

    def hang_up(self) -> None:
        """Ends every kept connection."""
        self._running.hang_up(self._running.open)

    def settle(self, seconds: float = 10) -> None:
        """Returns when nobody is connected: what clients that have died had sent is handled, and counted.

        Raises TimeoutError where somebody still is after so many seconds.
        """
        with self.lock:
            before = self.connections
        # Connections are accepted in their order: after this one, nobody waits who came before it.
        socket.create_connection(("127.0.0.1", self._port)).close()
        until = time.monotonic() + seconds
        while True:
            with self.lock:
                if self.connections > before and not self._running.open:
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._running.open)} connections to {self.host} are still open")
            time.sleep(0.002)

    def keep_no_connections(self) -> None:
        """From now on each answer is the last one over its connection."""
        self.keeps_connections = False
        self._running.hang_up(self._running.idle)

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """From now on; the handshake is the handler's, so that a failed one holds nobody."""
        self._running.context = context

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def received(self, request: Request) -> Fault:
        """Records a request and says how it goes wrong."""
        with self.lock:
            self.requests.append(request)
            self.counts[request.kind] += 1
            fault = next(filter(None, (_due(planned, request) for planned in self._faults)), None)
            self.struck += fault is not None
            return fault or Fault()


def _due(planned: tuple[str, Callable[[Request], bool], Fault, list[int]], request: Request) -> Fault | None:
    kind, when, fault, left = planned
    if kind not in ("*", request.kind) or not when(request):
        return None
    if left[0]:
        left[0] -= 1
        return None
    left[1] -= 1
    return fault if left[1] >= 0 else None


_FILLER = b" " * (1 << 20)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.open: set[socket.socket] = set()
        self.idle: set[socket.socket] = set()
        self.context: ssl.SSLContext | None = None
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self.service.lock:
            self.open.add(connection)
            self.service.connections += 1
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        with self.service.lock:
            self.open -= {request}
            self.idle -= {request}
        super().shutdown_request(request)

    def hang_up(self, connections: set[socket.socket]) -> None:
        """A server that is gone answers nobody, over a kept connection neither."""
        with self.service.lock:
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is not worth a traceback; what a stand-in itself gets wrong is."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            self.service.report(f"the stand-in failed: {sys.exception()!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        with self.server.service.lock:
            self.server.idle.add(self.connection)
        self.raw_requestline = self.rfile.readline(65537)
        with self.server.service.lock:
            self.server.idle.discard(self.connection)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        service = self.server.service
        request = self._read()
        with service.lock:
            service.at_once += 1
            service.most_at_once = max(service.most_at_once, service.at_once)
        try:
            self._go(service, request, service.received(request))
        finally:
            with service.lock:
                service.at_once -= 1

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client went away in the middle of its request")
        return Request(
            kind=self.server.service.kind(self.command, unquote(parts.path)),
            method=self.command,
            path=unquote(parts.path),
            raw_path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=headers,
            body=body,
            target=self.path,
        )

    def _go(self, service: Service, request: Request, fault: Fault) -> None:
        if fault.delay:
            service.stopping.wait(fault.delay)
        if fault.reset == "before":
            self._reset()
            return
        answer = Answer(fault.status) if fault.status else service.answer(request)
        if fault.hang:
            service.stopping.wait()
        if fault.hang or fault.reset == "after":
            self._reset()
        else:
            self._send(answer, fault)
        if fault.then is not None:
            fault.then()
        self.close_connection = self.close_connection or not service.keeps_connections

    def _send(self, answer: Answer, fault: Fault) -> None:
        body = answer.body if fault.body is None else fault.body
        length = len(body) + fault.flood if fault.length is None else fault.length
        headers = {"Content-Type": fault.content_type or answer.content_type, "Content-Length": str(length)}
        headers |= {
            name.replace("_", "-"): value for name, value in {**answer.headers, **fault.headers}.items()
        }
        head = f"HTTP/1.1 {answer.status} -\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
        sent = body if fault.cut is None else body[: fault.cut]
        whole = head.encode("latin-1") + (b"" if self.command == "HEAD" else sent)
        if fault.cut is not None or fault.length is not None:
            self.close_connection = True
        if not fault.drip:
            self.wfile.write(whole)
            for sent_before in range(0, fault.flood, len(_FILLER)):
                self.wfile.write(_FILLER[: fault.flood - sent_before])
            return
        for byte in whole:
            self.wfile.write(bytes([byte]))
            if self.server.service.stopping.wait(fault.drip):
                return

    def _reset(self) -> None:
        """Closes so that the client sees a reset, not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: `requests` is the log."""

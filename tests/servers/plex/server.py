"""The stand-in as a server on 127.0.0.1: token, faults on demand, a record of all requests."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from tests.servers.plex.answers import Answer, Kind, Question, answer
from tests.servers.plex.library import PlexLibrary

TOKEN = "s3cret-plex-token"

How = Literal["status", "reset", "lost", "cut", "short", "garbage", "hang"]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of a kind, after `after` of them have passed.

    `reset`: closed without an answer, nothing done. `lost`: done, then closed without an answer. `cut`: the
    body ends before its length. `short`: half the body, said to be all of it. `garbage`: 200 with a page of
    HTML, or `body`. `hang`: no answer until the server stops.
    """

    kind: Kind | Literal["any"]
    how: How
    times: int = 1
    after: int = 0
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"<html><body>Bad gateway</body></html>"


@dataclass(frozen=True)
class Request:
    kind: Kind
    method: str
    url: str
    status: int


class PlexServer(PlexLibrary):
    """`with PlexServer() as plex: plex.add_photo("Summer", "a.jpg", b"…")`.

    `requests` is all that came, in order; `counts()` by kind. `delay` is slept before each answer, in seconds.
    """

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.delay = 0.0
        self.longest_url = 8000
        self.tls: ssl.SSLContext | None = None
        """Set before `start`: the server speaks TLS."""
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._hooks: list[tuple[str, int, Callable[[], object]]] = []
        self._mutex = threading.RLock()
        self._stopped = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listens; again on the same port after a stop."""
        self._stopped.clear()
        self._server = _Listener(("127.0.0.1", self._port), _handler_of(self))
        self._port = self._server.server_address[1]
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuses connections from now on, and cuts those there are."""
        self._stopped.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}"

    def counts(self) -> Counter[str]:
        """Requests by kind: connect, listing, download, rendition, read, edit, other."""
        return Counter(request.kind for request in self.requests)

    def forget_requests(self) -> None:
        self.requests.clear()

    def fault(self, kind: Kind | Literal["any"], how: How, times: int = 1, **more: Any) -> None:
        self.faults.append(Fault(kind, how, times, **more))

    def before(self, kind: str, act: Callable[[], object], after: int = 0) -> None:
        """Calls `act` once, just before a request of that kind, when `after` others have passed."""
        self._hooks.append((kind, after, act))

    def forget_hooks(self) -> None:
        self._hooks.clear()

    # What a request meets, in order.

    def respond(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[Answer, Fault | None]:
        """The answer, and the fault that it must be given with."""
        question = Question.of(method, url, headers)
        if self.delay:
            time.sleep(self.delay)
        with self._mutex:
            self._call_hooks(question.kind)
            fault = self._next_fault(question.kind)
            reply = self._judged(question, url, fault)
            self.requests.append(Request(question.kind, method, url, reply.status))
        return reply, fault

    def _judged(self, question: Question, url: str, fault: Fault | None) -> Answer:
        if len(url) > self.longest_url:
            return Answer(414)
        if "X-Plex-Token=" in url and question.kind != "rendition":
            self.harm.append(f"token in the URL of {question.path}")
        if question.path != "/identity" and question.get("X-Plex-Token") != self.token:
            return Answer(401, b"<html><title>Unauthorized</title>401 Unauthorized</html>", "text/html")
        if fault and fault.how == "status":
            return Answer(fault.status, _MAINTENANCE, "application/json", fault.headers)
        if fault and fault.how == "garbage":
            return Answer(200, fault.body, "text/html")
        if fault and fault.how in ("reset", "hang"):
            return Answer(0)
        return answer(self, question)

    def _next_fault(self, kind: str) -> Fault | None:
        for fault in self.faults:
            if fault.kind not in (kind, "any") or not fault.times:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            return fault
        return None

    def _call_hooks(self, kind: str) -> None:
        due = [hook for hook in self._hooks if hook[0] == kind and hook[1] == 0]
        self._hooks = [
            (of, left - (of == kind), act) for of, left, act in self._hooks if not (of == kind and left == 0)
        ]
        for _, _, act in due:
            act()


_MAINTENANCE = (
    b'{"code":503,"title":"Maintenance",'
    b'"status":"Plex Media Server is currently running startup maintenance tasks."}'
)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler_of(plex: PlexServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            reply, fault = plex.respond(self.command, self.path, dict(self.headers))
            how = fault.how if fault else ""
            if how == "hang":
                plex._stopped.wait(120)
            if how in ("reset", "lost", "hang"):
                self.close_connection = True
                return
            body = reply.body[: len(reply.body) // 2] if how == "short" else reply.body
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if how == "cut":
                body = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = _respond

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler

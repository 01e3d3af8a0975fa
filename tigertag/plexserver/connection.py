"""The connection to a Plex server that source and target share: time limits, tries, and the one place where the
errors of plexapi, requests and the XML parser become ours.
"""

from __future__ import annotations

import http.client
import random
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Protocol, TypeVar, cast
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

import requests
import urllib3
from plexapi.exceptions import PlexApiException
from plexapi.server import PlexServer
from pydantic import Field, SecretStr, field_validator

from tigertag.errors import ConfigError, DiskError, Unreachable
from tigertag.http import AnswerLost, Backoff, BadReply, CertificateInvalid, NotSent, Redirected, WireError
from tigertag.options import Options
from tigertag.plexserver.wire import PlexSession, Refusal, translated

T = TypeVar("T")

HOW_TO_GET_A_TOKEN = (
    "In Plex Web open any photo's menu, Get Info, View XML: the address ends with X-Plex-Token=…, "
    "which is the value for PLEX_TOKEN."
)
# In memory up to this, in bytes; larger originals go to the temp folder.
_IN_MEMORY = 16 << 20
_CHUNK = 256 << 10
# 429 and 509 are answers to too much at once, the others to a server that is starting, updating or unwell.
_PASSING = frozenset({429, 500, 502, 503, 504, 509})
# What says that the request was turned away before anything was done.
_NOT_DONE = frozenset({429, 503, 509})


class PlexOptions(Options):
    """What source and target need to find the server."""

    url: str = Field(description="Address of the Plex server: `http://nas:32400`.")
    token: SecretStr = Field(description="X-Plex-Token of the server's owner.")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        address = value.strip().rstrip("/")
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good or re.search(r"\s", address):
            raise ValueError("must be an address like http://nas:32400")
        if parts.username or parts.query:
            raise ValueError("must hold no user name, password or token")
        return address

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip()
        if not token or not re.fullmatch(r"[!-~]+", token):
            raise ValueError("must be one word of plain letters and digits")
        return SecretStr(token)


class Unwell(Unreachable):
    """It is there, but answered errors or nothing until the tries were used up."""


@dataclass(frozen=True, slots=True)
class PlexSection:
    """A library section. `locations` are folders as the server names them."""

    key: str
    title: str
    type: str
    locations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for Plex: to connect, between two bytes, for a whole answer (seconds), between tries."""

    connect: float = 10
    read: float = 60
    whole: float = 600
    sleep: Callable[[float], object] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


class _Server(Protocol):
    """What of plexapi's PlexServer is used."""

    machineIdentifier: str
    friendlyName: str | None
    version: str | None

    def query(self, key: str, **options: object) -> Element | None: ...
    def url(self, key: str) -> str: ...


_server_at: Callable[..., _Server] = PlexServer


class PlexConnection:
    """One server. Connects at the first request, with a single one; safe to use from several threads.

    Everything here raises Unreachable where the server does not answer, and ConfigError where the first contact
    shows a wrong token. A refusal of one request (400, 403, 404, 414) is raised as Refusal, for the caller to
    judge.
    """

    def __init__(self, options: PlexOptions, pace: Pace | None = None) -> None:
        self.url = options.url
        self._token = options.token
        self._pace = pace or Pace()
        self._session = PlexSession(self.url, self._pace.whole)
        self._server: _Server | None = None
        self._away: Unreachable | None = None
        self._connecting = threading.Lock()

    @property
    def machine(self) -> str:
        """The server's machineIdentifier."""
        return self._connected().machineIdentifier

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self._connected().friendlyName or "Plex"

    @property
    def version(self) -> str:
        return self._connected().version or "unknown"

    def sections(self) -> tuple[PlexSection, ...]:
        """All sections, those of films and music too."""
        try:
            listed = self._got("/library/sections", {}, at_start=True)
        except Refusal as error:
            raise Unreachable(
                f"Plex at {self.url} does not list its sections ({error}). Is the token that of its owner?"
            ) from error
        return tuple(
            PlexSection(
                one.get("key", ""),
                one.get("title", ""),
                one.get("type", ""),
                tuple(place.get("path", "") for place in one.iter("Location")),
            )
            for one in listed.iter("Directory")
        )

    def get(self, key: str, start: int = 0, size: int | None = None) -> Element:
        """The `<MediaContainer>` under a key; with `size` a page of at most so many, from `start`.

        Plex refuses pages over 1000, and cuts a list for which no size is asked.
        """
        return self._got(key, {} if size is None else _paging(start, size))

    def put(self, key: str, took_effect: Callable[[], bool]) -> None:
        """Sends an edit. Where the answer is lost, `took_effect` reads whether it was done before it is sent
        again (RELIABILITY P13).
        """
        server = self._connected()

        def send() -> None:
            try:
                server.query(key, method=self._session.put)
            except (ParseError, PlexApiException, ValueError) as error:
                raise BadReply("something that is not XML") from error

        def send_again() -> None:
            if not took_effect():
                send()

        self._patiently(send, again=send_again)

    def download(self, key: str, size: int | None) -> BinaryIO:
        """A whole file, from its first byte. `size` in bytes is what it must have.

        Raises Unwell where it does not come whole in three more tries, or where `key` is no path: joined to the
        server's address it could be one of another server.
        """
        if not key.startswith("/"):
            raise Unwell(f"Plex at {self.url} names a file by {key[:80]!a}, which is no path.")
        server = self._connected()
        address = server.url(f"{key}?download=1")
        return self._patiently(lambda: self._fetched(address, size), lost=3)

    def close(self) -> None:
        self._session.close()

    def _got(self, key: str, headers: Mapping[str, str], *, at_start: bool = False) -> Element:
        server = self._connected()
        return self._patiently(lambda: self._asked(server, key, headers), at_start=at_start)

    def _connected(self) -> _Server:
        with self._connecting:
            if self._away is not None:
                raise self._away  # a run asks several times; one that is away is waited for once
            if self._server is None:
                try:
                    self._server = self._patiently(self._connect, at_start=True)
                except Refusal as error:
                    self._away = self._no_server(error)
                    raise self._away from error
                except Unreachable as error:
                    self._away = error
                    raise
        return self._server

    def _connect(self) -> _Server:
        token = self._token.get_secret_value()
        self._session.headers["X-Plex-Token"] = token
        limits = (self._pace.connect, self._pace.read)
        try:
            server = _server_at(self.url, token, session=self._session, timeout=limits)
        except (ParseError, PlexApiException, ValueError, TypeError) as error:
            raise BadReply("something that is not a Plex server's answer") from error
        if not getattr(server, "machineIdentifier", None):
            raise BadReply("something that is not a Plex server's answer")
        return server

    def _asked(self, server: _Server, key: str, headers: Mapping[str, str]) -> Element:
        try:
            root = server.query(key, headers=headers)
        except (ParseError, PlexApiException, ValueError) as error:
            raise BadReply("something that is not XML") from error
        if root is None or root.tag != "MediaContainer":
            raise BadReply("something that is not a MediaContainer")
        # Each of Plex' lists says how long it is. Without that an odd answer would pass for an empty list.
        if not (root.get("totalSize") or root.get("size") or "").isdigit():
            raise BadReply("something that is not a list with a size")
        return root

    def _fetched(self, address: str, size: int | None) -> BinaryIO:
        limits = (self._pace.connect, self._pace.read)
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
        try:
            with self._session.get(address, timeout=limits, stream=True) as response:
                came = _poured(self._chunks(response), file, size)
                said = response.headers.get("Content-Length", "")
            for due in (size, int(said) if said.isdigit() else None):
                if due is not None and came != due:
                    raise AnswerLost(f"it sent {came} of {due} bytes", timed_out=False, status=200)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, file)

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_content(_CHUNK)
        except (
            requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError
        ) as error:  # fmt: skip
            raise translated(error, sent=True) from error

    def _patiently(
        self,
        ask: Callable[[], T],
        *,
        again: Callable[[], T] | None = None,
        at_start: bool = False,
        lost: int = 5,
    ) -> T:
        """What `ask` gives, asked again as long as that may help; `again` is asked after a lost answer.

        A token that is refused is a matter of configuration `at_start`, and of the run later (P2).
        """
        patience = _Patience(self._pace, lost)
        now = ask
        while True:
            try:
                return now()
            except WireError as error:
                if isinstance(error, Refusal) and error.status not in _PASSING:
                    raise self._refused(error, at_start=at_start) from error
                if not patience.allows(error):
                    raise self._given_up(error) from error
                if again and not isinstance(error, NotSent) and error.status not in _NOT_DONE:
                    now = again

    def _refused(self, error: Refusal, *, at_start: bool) -> Exception:
        if error.status != 401:
            return error
        if at_start:
            return ConfigError(f"Plex rejected the token (PLEX_TOKEN). {HOW_TO_GET_A_TOKEN}")
        return Unreachable(
            f"Plex at {self.url} rejected the token in the middle of the run. Is it still valid?"
        )

    def _no_server(self, error: Refusal) -> Unreachable:
        return Unreachable(f"Plex at {self.url} answers {error}. Is PLEX_URL the address of the server itself?")

    def _given_up(self, error: WireError) -> Unreachable:
        match error:
            case CertificateInvalid():
                return Unreachable(
                    f"The certificate of Plex at {self.url} cannot be trusted ({error}). "
                    "Use the name it was issued for, or http inside your own network."
                )
            case NotSent():
                return Unreachable(f"Cannot reach Plex at {self.url} ({error}). Is it running?")
            case Redirected():
                return Unreachable(f"Plex at {self.url}: {error}. Set PLEX_URL to its own address.")
            case BadReply():
                return Unwell(f"Plex at {self.url} sent {error}. Does a proxy stand between?")
            case Refusal():
                return Unwell(f"Plex at {self.url} answers {error}. Try again when it is up.")
            case AnswerLost(timed_out=True):
                return Unwell(f"Plex at {self.url} gave no whole answer in time. Is it overloaded?")
            case _:
                return Unwell(f"Plex at {self.url} gave no whole answer ({error}). Look into its log.")


class _Patience:
    """How often each kind of failure of one request is borne (RELIABILITY P1, P4 to P7)."""

    def __init__(self, pace: Pace, lost: int) -> None:
        def tries(count: int, total: float) -> Backoff:
            return Backoff(tries=count, total=total, sleep=pace.sleep, uniform=pace.uniform)

        self._unreachable = tries(5, 60)
        self._unwell = tries(5, 5 * 300)
        self._lost = tries(lost, 60)
        self._nonsense = tries(2, 60)

    def allows(self, error: WireError) -> bool:
        """Waits; False where another try would not help."""
        match error:
            case CertificateInvalid():
                return False
            case NotSent():
                return self._unreachable.wait()
            case Refusal():
                return self._unwell.wait(error.retry_after(datetime.now(UTC)))
            case AnswerLost():
                return self._lost.wait()
            case BadReply():
                return self._nonsense.wait()
        return False


def _paging(start: int, size: int) -> Mapping[str, str]:
    return {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}


def _poured(chunks: Iterator[bytes], file: tempfile.SpooledTemporaryFile[bytes], size: int | None) -> int:
    """Bytes that came; stops where more come than there should be, so that no endless answer fills a disk."""
    came = 0
    for chunk in chunks:
        came += len(chunk)
        if size is not None and came > size:
            break
        try:
            file.write(chunk)
        except OSError as error:
            raise DiskError(
                f"No room for a photo in {tempfile.gettempdir()} ({error.strerror}). Free some, or set TMPDIR."
            ) from error
    return came

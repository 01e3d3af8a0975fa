"""The base of engines that ask a service over HTTP: one request for each photo, each maybe billed."""

from __future__ import annotations

import random
import threading
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Literal, TypeAlias

from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.http import (
    AnswerLost,
    Backoff,
    BadReply,
    CertificateInvalid,
    Http,
    NotSent,
    Redirected,
    Reply,
    Tries,
    is_good,
    retry_after,
)
from tigertag.model import Analysis, Engine, Outcome, Permit, Photo, Rendition, Send
from tigertag.options import EngineOptions

Answered: TypeAlias = Analysis | PhotoError | TransientError

_AT_ONCE = 60.0
"""Seconds that a service has to say what it need not think about, whatever it may take for a photo."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, by what went wrong; each ends a sentence."""

    address: str
    """The address leads nowhere, or elsewhere."""
    online: str
    """Nobody is there."""
    later: str = "try again later"


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes."""

    sleep: Callable[[float], object] | None = None
    """How to wait so many seconds; None: so that `close` ends the wait."""
    uniform: Callable[[float, float], float] = random.uniform
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Asks what costs nothing: what is left, which models there are."""

    http: Http
    now: Callable[[], datetime]
    advice: Advice
    is_over: Callable[[], bool] = lambda: False
    """Whether nothing is asked again: the engine was closed, which also ends the waits between two tries."""

    def ask(
        self,
        path: str,
        tries: Tries | None,
        params: Mapping[str, str | int] | None = None,
        final: Collection[int] = (),
    ) -> Reply:
        """The answer, whatever its status. Raises PluginDown where there is none.

        429 and 5xx are repeated as `tries` allow (None: never), but for a status that is `final`.
        """
        reply = self._once(path, tries, params)
        while tries and (reply.status == 429 or reply.status >= 500) and reply.status not in final:
            backoff = tries.busy if reply.status == 429 else tries.failing
            if not self._waited(backoff, retry_after(reply.headers.get("Retry-After"), self.now())):
                break
            reply = self._once(path, tries, params)
        return reply

    def _once(self, path: str, tries: Tries | None, params: Mapping[str, str | int] | None) -> Reply:
        while True:
            try:
                return self.http.call("GET", path, params=params, within=_AT_ONCE)
            except Redirected as error:
                where = f"{self.http.service} at {self.http.origin}"
                raise PluginDown(f"{where}: {error}; {self.advice.address}") from error
            except (CertificateInvalid, BadReply) as error:
                raise PluginDown(f"{error}; {self.advice.address}") from error
            except NotSent as error:
                if tries is None or not self._waited(tries.unreachable):
                    raise PluginDown(f"{error}; {self.advice.online}") from error
            except AnswerLost as error:
                again = tries and (tries.lost if error.timed_out else tries.failing)
                if not again or not self._waited(again):
                    raise PluginDown(f"{error}; {self.advice.later}") from error

    def _waited(self, backoff: Backoff, asked: float | None = None) -> bool:
        return not self.is_over() and backoff.wait(asked) and not self.is_over()


@dataclass(frozen=True, slots=True)
class Turn:
    """What all requests for one photo share."""

    photo: Photo
    picture: bytes
    permit: Permit
    tries: Tries
    is_repeat: bool = False


class _Free:
    """A request that nobody bills, and nobody counts."""

    def settle(self, outcome: Outcome) -> None: ...


class ServiceEngine(Engine):
    """An engine that asks a service. Safe to use from several threads once started.

    A subclass asks in `_try`, through `_send`, which asks for the permit and settles what came to nothing, and
    judges the answers. It may set any attribute anew, in `__init__` where options decide it.
    """

    Options: ClassVar[type[EngineOptions]] = EngineOptions
    advice: ClassVar[Advice]
    reads: Literal["picture", "file"] = "picture"
    billed: bool = True
    batch_size: int = 1
    concurrency: int = 1
    renditions: Sequence[Rendition] = ()
    """The first is the one that is sent."""
    runs_in: Literal["thread", "worker"] = "thread"
    resources: Mapping[str, float] = {}

    def __init__(self, http: Http, pace: Pace) -> None:
        self._http = http
        self._closed = threading.Event()
        self._sleep = self._closed.wait if pace.sleep is None else pace.sleep
        self._uniform, self._now = pace.uniform, pace.now
        self._lock = threading.Lock()
        self._lost: Counter[str] = Counter()  # answers that were lost, by content id
        self._down: PluginDown | None = None

    @abstractmethod
    def _try(self, turn: Turn) -> Answered | None:
        """Sends the photo once. None where it should be sent again, after the wait that was due."""

    def analyze(self, photos: Sequence[Photo], permit: Permit) -> Iterator[Answered]:
        """One outcome for each photo, each from a request of its own."""
        for photo in photos:
            yield self._photo(photo, permit)

    def close(self) -> None:
        self._closed.set()
        self._http.close()

    def _photo(self, photo: Photo, permit: Permit) -> Answered:
        try:
            picture = photo.jpeg(self.renditions[0])
        except PhotoError as error:
            return PhotoError(str(error), photo)
        turn = Turn(photo, picture, permit, self._tries())
        with self._slot():
            outcome = self._try(turn)
            while outcome is None:
                outcome = self._try(replace(turn, is_repeat=True))
            return outcome

    def _slot(self) -> AbstractContextManager[None]:
        """Held while a photo is asked about, waits between tries included."""
        return nullcontext()

    def _send(
        self, turn: Turn, ask: Callable[[], Reply], judge: Callable[[Turn, Send, Reply], Answered | None]
    ) -> Answered | None:
        """Asks once and lets `judge` settle what was answered; what came to nothing is settled here.

        As `_try` returns. Raises PluginDown where nobody can be asked.
        """
        self._check_up()
        if self._lost[turn.photo.content_id] > 1:
            lost = f"{self._http.service}'s answer was lost twice in this run{self._maybe_billed}"
            return TransientError(lost, turn.photo)
        send = self._permitted(turn)
        try:
            reply = ask()
        except NotSent as error:
            self._settle_free(send, Outcome.UNSENT)
            if isinstance(error, CertificateInvalid):
                raise self._put_aside(PluginDown(f"{error}; {self.advice.address}")) from error
            if not turn.tries.unreachable.wait():
                raise self._put_aside(PluginDown(f"{error}; {self.advice.online}")) from error
            return None
        except Redirected as error:
            where = f"{self._http.service} at {self._http.origin}"
            raise self._put_aside(PluginDown(f"{where}: {error}; {self.advice.address}")) from error
        except (AnswerLost, BadReply) as error:
            if is_good(error.status) and not (isinstance(error, AnswerLost) and error.timed_out):
                send.settle(Outcome.BILLED)
                return self._unreadable(turn.photo, error.body, error.why)
            if not error.status or is_good(error.status):
                return self._answer_lost(turn, error)
            reply = Reply(self._http.service, error.status, {}, error.body)
        return judge(turn, send, reply)

    def _permitted(self, turn: Turn) -> Send:
        return turn.permit(turn.photo) if self.billed or turn.is_repeat else _Free()

    def _settle_free(self, send: Send, outcome: Outcome = Outcome.FREE) -> None:
        """Nobody is charged: the service refused it, or it never left (UNSENT)."""
        send.settle(outcome)

    def _answer_lost(self, turn: Turn, error: Exception) -> TransientError | None:
        """Maybe billed, so it is sent once more in this run, whoever asks, and never again (E6)."""
        with self._lock:
            self._lost[turn.photo.content_id] += 1
            again = self._lost[turn.photo.content_id] == 1
        if again and turn.tries.lost.wait():
            return None
        return TransientError(f"{error}{self._maybe_billed}", turn.photo)

    @property
    def _maybe_billed(self) -> str:
        return "; maybe billed" if self.billed else ""

    def _unreadable(self, photo: Photo, body: bytes, why: str) -> PhotoError:
        said = f"{self._http.service}'s answer could not be read ({why})"
        return PhotoError(said, photo, self._http.kept(body))

    def _check_up(self) -> None:
        """Raises PluginDown where another thread has found the service unusable, or after `close`."""
        down = self._down
        if down is not None:
            raise PluginDown(str(down), planned=down.planned, until=down.until)
        if self._closed.is_set():
            raise PluginDown(f"{self._http.service} is not asked any more: the run is ending")

    def _put_aside(self, down: PluginDown) -> PluginDown:
        """The error to raise; other threads will send nothing more."""
        self._down = down
        return down

    def _tries(self) -> Tries:
        return Tries.fresh(self._sleep, self._uniform)

"""The engine: one request for each photo, and what to do about every answer to it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from tigertag.engines.imagga.account import ADDRESS, Account, in_brackets
from tigertag.engines.imagga.answers import refusal_of, tags_of
from tigertag.engines.imagga.limits import Allowance, Slots, Tries
from tigertag.engines.imagga.options import FALLBACK, ImaggaOptions
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.http import (
    AnswerLost,
    BadReply,
    CertificateInvalid,
    Http,
    NotSent,
    Redirected,
    Reply,
    multipart,
    retry_after,
)
from tigertag.model import JSON, Analysis, Finding, Memory, Outcome, Permit, Photo, Quota, Rendition, Send

RENDITION = Rendition(short_side=300, quality=90)
"""More pixels do not change Imagga's answer, its documentation says."""

Answered = Analysis | PhotoError | TransientError


class ImaggaEngine:
    """Tags from Imagga. Safe to use from several threads once started."""

    Options: ClassVar[type[ImaggaOptions]] = ImaggaOptions
    name = "imagga"
    version = "1"
    reads: Literal["picture", "file"] = "picture"
    billed = True
    batch_size = 1

    def __init__(
        self,
        options: ImaggaOptions,
        memory: Memory,
        *,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_timeout: float = 30,
        total_timeout: float = 60,
    ) -> None:
        """`memory` stays empty. `sleep` is how to wait; by default `close` ends a wait."""
        self._options = options
        self._closed = threading.Event()
        self._sleep = self._closed.wait if sleep is None else sleep
        self._uniform, self._now = uniform, now
        key, secret = options.api_key.get_secret_value(), options.api_secret.get_secret_value()
        self._http = Http(
            options.api_url,
            service="Imagga",
            auth=(key, secret),
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=options.concurrency,
        )
        self._account = Account(self._http, self._now)
        self._lock = threading.Lock()
        self._lost: Counter[str] = Counter()  # answers that were lost, by content id
        self._down: PluginDown | None = None
        self._allowance: Allowance | None = None
        self._concurrency = 1
        self._slots = Slots(1)

    @property
    def concurrency(self) -> int:
        """The setting or what the account allows, whichever is less; 1 until that is known."""
        return self._concurrency

    @property
    def sends(self) -> str:
        host = urlsplit(self._options.api_url).hostname
        return f"sends {RENDITION.short_side} px copies without metadata to {host}"

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The address is no part of it: Imagga behind a proxy says the same, and must not bill again."""
        return {
            "languages": sorted(self._options.language),
            "tagger": self._options.tagger,
            "short_side": RENDITION.short_side,
            "quality": RENDITION.quality,
        }

    def start(self) -> None:
        """Asks what is left and how many requests may be under way. A used-up quota is no error here."""
        usage = self._account.usage(self._tries())
        self._allowance = Allowance(usage, self._options.reserve)
        self._concurrency = min(self._options.concurrency, usage.at_once)
        self._slots = Slots(self._concurrency)
        self._down = None

    def quota(self) -> Quota | None:
        return self._allowance.quota() if self._allowance else None

    def analyze(self, photos: Sequence[Photo], permit: Permit) -> Iterator[Answered]:
        """One outcome for each photo, each from a request of its own."""
        for photo in photos:
            yield self._photo(photo, permit)

    def check(self) -> Iterable[Finding]:
        """Whether the key is accepted, and what is left. Asks once and bills nothing."""
        try:
            usage = self._account.usage(None)
        except PluginDown as down:
            return [Finding(False, str(down), "See the key and the quota on the dashboard of imagga.com.")]
        quota = Allowance(usage, self._options.reserve).quota()
        anew = f"; starts anew after {quota.until}" if quota.until else ""
        return [
            Finding(True, "Imagga accepted the API key"),
            Finding(True, f"{quota.left} of {quota.limit} left this month{anew}"),
        ]

    def close(self) -> None:
        self._closed.set()
        self._http.close()

    def _photo(self, photo: Photo, permit: Permit) -> Answered:
        try:
            picture = photo.jpeg(RENDITION)
        except PhotoError as error:
            return PhotoError(str(error), photo)
        form = multipart("image", "image.jpg", picture, "image/jpeg")
        tries = self._tries()
        with self._slots.one():
            outcome = self._try(photo, permit, form, tries)
            while outcome is None:
                outcome = self._try(photo, permit, form, tries)
            return outcome

    def _try(self, photo: Photo, permit: Permit, form: tuple[bytes, str], tries: Tries) -> Answered | None:
        """Sends the photo once. None where it should be sent again, after the wait that was due."""
        self._check_up()
        if self._lost[photo.content_id] > 1:
            return TransientError("Imagga's answer was lost twice in this run; maybe billed", photo)
        send = self._permitted(photo, permit)
        try:
            reply = self._http.call("POST", self._path, params=self._query, body=form[0], content_type=form[1])
        except NotSent as error:
            self._settle_free(send)
            if isinstance(error, CertificateInvalid) or not tries.unreachable.wait():
                raise self._put_aside(PluginDown(str(error))) from error
            return None
        except Redirected as error:
            raise self._put_aside(PluginDown(f"Imagga at {self._http.origin}: {error}; {ADDRESS}")) from error
        except (AnswerLost, BadReply) as error:
            if _is_good(error.status) and not (isinstance(error, AnswerLost) and error.timed_out):
                send.settle(Outcome.BILLED)
                return self._unreadable(photo, error.body, in_brackets(error))
            if not error.status or _is_good(error.status):
                return self._answer_lost(photo, error, tries)
            reply = Reply("Imagga", error.status, {}, error.body)
        return self._judge(photo, send, reply, tries)

    def _judge(self, photo: Photo, send: Send, reply: Reply, tries: Tries) -> Answered | None:
        """What an answer means; None where the photo should be sent again."""
        asked = retry_after(reply.headers.get("Retry-After"), self._now())
        if _is_good(reply.status):
            send.settle(Outcome.BILLED)
            return self._read(photo, reply)
        if reply.status >= 500 or reply.status == 408:
            if tries.failing.wait(asked):
                return None
            return TransientError(f"Imagga cannot answer now ({self._account.words(reply)})", photo)
        self._settle_free(send)
        if reply.status == 429:
            self._slots.lower()
            if tries.busy.wait(asked):
                return None
            words = self._account.words(reply)
            raise self._put_aside(PluginDown(f"Imagga has too much to do ({words}); try again later"))
        if reply.status in (401, 402, 403, 404, 405, 406, 410):
            raise self._put_aside(self._account.refusal(reply, self._path, self._tries(), self._allowance))
        return PhotoError(
            f"Imagga refused it ({self._account.words(reply)})", photo, self._http.kept(reply.body)
        )

    def _read(self, photo: Photo, reply: Reply) -> Analysis | PhotoError:
        try:
            answer = reply.json()
            refusal = refusal_of(answer)
            if refusal is not None:
                words = self._http.redact(refusal)
                return PhotoError(f"Imagga refused it ({words})", photo, self._http.kept(reply.body))
            annotations, dropped = tags_of(answer, self._options.language)
        except BadReply as error:
            return self._unreadable(photo, reply.body, in_brackets(error))
        return Analysis(photo, annotations, self._http.kept(reply.body), dropped)

    def _unreadable(self, photo: Photo, body: bytes, why: str) -> PhotoError:
        return PhotoError(f"Imagga's answer could not be read ({why})", photo, self._http.kept(body))

    def _answer_lost(self, photo: Photo, error: Exception, tries: Tries) -> TransientError | None:
        """Maybe billed, so it is sent once more in this run, whoever asks, and never again (E6)."""
        with self._lock:
            self._lost[photo.content_id] += 1
            again = self._lost[photo.content_id] == 1
        return None if again and tries.lost.wait() else TransientError(f"{error}; maybe billed", photo)

    @property
    def _path(self) -> str:
        return f"/tags/{self._options.tagger}" if self._options.tagger else "/tags"

    @property
    def _query(self) -> dict[str, str | int]:
        languages = self._options.language
        return {} if languages == (FALLBACK,) else {"language": ",".join(languages)}

    def _check_up(self) -> None:
        """Raises PluginDown where another thread has found the service unusable, or after `close`."""
        down = self._down
        if down is not None:
            raise PluginDown(str(down), planned=down.planned, until=down.until)
        if self._closed.is_set():
            raise PluginDown("Imagga is not asked any more: the run is ending")

    def _permitted(self, photo: Photo, permit: Permit) -> Send:
        if self._allowance is None:
            raise RuntimeError("analyze before start")
        self._allowance.take()
        try:
            return permit(photo)
        except BaseException:
            self._allowance.give_back()
            raise

    def _settle_free(self, send: Send) -> None:
        if self._allowance is not None:
            self._allowance.give_back()
        send.settle(Outcome.FREE)

    def _put_aside(self, down: PluginDown) -> PluginDown:
        """The error to raise; other threads will send nothing more."""
        self._down = down
        return down

    def _tries(self) -> Tries:
        return Tries.fresh(self._sleep, self._uniform)


def _is_good(status: int) -> bool:
    return 200 <= status < 300

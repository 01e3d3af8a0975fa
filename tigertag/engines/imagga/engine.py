"""The engine: one request for each photo, and what to do about every answer to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from tigertag.engines.imagga.account import ADVICE, Account
from tigertag.engines.imagga.answers import refusal_of, tags_of
from tigertag.engines.imagga.limits import Allowance, Slots
from tigertag.engines.imagga.options import FALLBACK, ImaggaOptions
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.http import BadReply, Http, Reply, is_good, multipart, retry_after
from tigertag.model import JSON, Analysis, Finding, Memory, Outcome, Photo, Quota, Rendition, Send
from tigertag.service import Answered, Pace, ServiceEngine, Turn

RENDITION = Rendition(short_side=300, quality=90)
"""More pixels do not change Imagga's answer, its documentation says."""


class ImaggaEngine(ServiceEngine):
    """Tags from Imagga. Safe to use from several threads once started."""

    Options = ImaggaOptions
    advice = ADVICE
    name = "imagga"
    version = "1"
    renditions = (RENDITION,)

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
        key, secret = options.api_key.get_secret_value(), options.api_secret.get_secret_value()
        http = Http(
            options.api_url,
            service="Imagga",
            auth=(key, secret),
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=options.concurrency,
        )
        super().__init__(http, Pace(sleep, uniform, now))
        self._account = Account(http, now, self._closed.is_set)
        self._allowance: Allowance | None = None
        self._slots = Slots(1)

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
        self.concurrency = min(self._options.concurrency, usage.at_once)
        self._slots = Slots(self.concurrency)
        self._down = None

    def quota(self) -> Quota | None:
        return self._allowance.quota() if self._allowance else None

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

    def _slot(self) -> AbstractContextManager[None]:
        return self._slots.one()

    def _try(self, turn: Turn) -> Answered | None:
        body, content_type = multipart("image", "image.jpg", turn.picture, "image/jpeg")
        ask = partial(
            self._http.call, "POST", self._path, params=self._query, body=body, content_type=content_type
        )
        return self._send(turn, ask, self._judge)

    def _judge(self, turn: Turn, send: Send, reply: Reply) -> Answered | None:
        """What an answer means; None where the photo should be sent again."""
        asked = retry_after(reply.headers.get("Retry-After"), self._now())
        if is_good(reply.status):
            send.settle(Outcome.BILLED)
            return self._read(turn.photo, reply)
        if reply.status >= 500 or reply.status == 408:
            if turn.tries.failing.wait(asked):
                return None
            return TransientError(f"Imagga cannot answer now ({self._account.words(reply)})", turn.photo)
        self._settle_free(send)
        if reply.status == 429:
            self._slots.lower()
            if turn.tries.busy.wait(asked):
                return None
            words = self._account.words(reply)
            raise self._put_aside(PluginDown(f"Imagga has too much to do ({words}); try again later"))
        if reply.status in (401, 402, 403, 404, 405, 406, 410):
            raise self._put_aside(self._account.refusal(reply, self._path, self._tries(), self._allowance))
        return PhotoError(
            f"Imagga refused it ({self._account.words(reply)})", turn.photo, self._http.kept(reply.body)
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
            return self._unreadable(photo, reply.body, error.why)
        return Analysis(photo, annotations, self._http.kept(reply.body), dropped)

    @property
    def _path(self) -> str:
        return f"/tags/{self._options.tagger}" if self._options.tagger else "/tags"

    @property
    def _query(self) -> dict[str, str | int]:
        languages = self._options.language
        return {} if languages == (FALLBACK,) else {"language": ",".join(languages)}

    def _permitted(self, turn: Turn) -> Send:
        if self._allowance is None:
            raise RuntimeError("analyze before start")
        self._allowance.take()
        try:
            return super()._permitted(turn)
        except BaseException:
            self._allowance.give_back()
            raise

    def _settle_free(self, send: Send, outcome: Outcome = Outcome.FREE) -> None:
        if self._allowance is not None:
            self._allowance.give_back()
        super()._settle_free(send, outcome)

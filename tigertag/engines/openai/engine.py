"""The engine: one question for each photo, and what to do about every answer to it."""

from __future__ import annotations

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import urlsplit

from tigertag import __version__
from tigertag.engines.openai.answers import (
    Usage,
    annotations_of,
    choice_of,
    measures,
    one_line,
    usage_of,
)
from tigertag.engines.openai.asking import FORM_VERSION, Dialect, Question, body_of
from tigertag.engines.openai.complaints import complaint_of
from tigertag.engines.openai.options import OpenAIOptions, read_prompt
from tigertag.engines.openai.server import ADVICE, Server, at_start
from tigertag.errors import ConfigError, PhotoError, PluginDown, TransientError
from tigertag.http import BadReply, Http, Reply, is_good, retry_after
from tigertag.model import JSON, Analysis, Finding, Memory, Outcome, Photo, Quota, Rendition, Send
from tigertag.service import Answered, Pace, ServiceEngine, Turn

log = logging.getLogger(__name__)

CHAT = "/chat/completions"
QUALITY = 85


class OpenAIEngine(ServiceEngine):
    """Tags and a caption from a model that sees pictures. Safe to use from several threads once started."""

    Options = OpenAIOptions
    advice = ADVICE
    name = "openai"
    version = __version__

    def __init__(
        self,
        options: OpenAIOptions,
        memory: Memory,
        *,
        sleep: Callable[[float], object] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`memory` stays empty. `sleep` is how to wait; by default `close` ends a wait."""
        self._options = options
        key = options.api_key.get_secret_value() if options.api_key else ""
        http = Http(
            options.api_url,
            service=options.model,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secrets=(key,),
            read_timeout=options.timeout,
            total_timeout=options.timeout,
            pool_size=options.concurrency,
        )
        super().__init__(http, Pace(sleep, uniform, now))
        self._server = Server(http, options, now, self._closed.is_set)
        self.billed = options.is_billed
        self.concurrency = options.concurrency
        self.renditions = (Rendition(long_side=options.long_side, quality=QUALITY),)
        self._dialect = Dialect(logprobs=options.logprobs)
        self._tokens: Counter[str] = Counter()

    @property
    def sends(self) -> str:
        host = urlsplit(self._options.api_url).hostname
        return f"sends {self._options.long_side} px copies without metadata to {host}"

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The address is no part of it: a model says the same wherever it runs. Nor is the limit of tokens:
        what is cut off is no answer. Raises ConfigError.
        """
        prompt = hashlib.sha256(self._question.prompt.encode()).hexdigest()
        return {
            "model": self._options.model,
            "prompt": prompt,
            "form": FORM_VERSION,
            "language": self._options.language,
            "long_side": self._options.long_side,
            "quality": QUALITY,
            "logprobs": self._options.logprobs,
        }

    def start(self) -> None:
        """Waits until the server is there and has loaded its model. A wrong model shows at the first photo."""
        self._server.models(at_start(self._sleep, self._uniform))
        self._down = None

    def quota(self) -> Quota | None:
        return None

    def check(self) -> Iterable[Finding]:
        """Whether the server is there and lists the model. Costs nothing."""
        model, origin = self._options.model, self._http.origin
        try:
            there = self._server.models(None)
        except PluginDown as down:
            return [Finding(False, str(down), "docs/engines.md says how to set up such a server.")]
        if there is not None and not {model, f"{model}:latest"} & set(there):
            some = one_line(self._http.redact(", ".join(there[:8]))) or "none"
            advice = f"For Ollama: ollama pull {model}. Else choose one of those it has."
            return [Finding(False, f"{origin} has no model {model}; it has {some}", advice)]
        price = "its answers are billed" if self.billed else "its answers cost nothing"
        return [Finding(True, f"{model} at {origin} is there; {price}")]

    def close(self) -> None:
        if self._tokens and not self._closed.is_set():
            log.info("%s: %s", self._options.model, _in_words(self._tokens))
        super().close()

    @cached_property
    def _question(self) -> Question:
        path = self._options.prompt_file or Path(__file__).with_name("prompt.txt")
        try:
            prompt = read_prompt(path)
        except ValueError as error:
            raise ConfigError(f"The prompt file {error}") from error
        return Question(self._options.model, prompt, self._options.language, self._options.max_tokens)

    def _try(self, turn: Turn) -> Answered | None:
        dialect = self._dialect
        body = body_of(self._question, turn.picture, dialect)
        ask = partial(self._http.call, "POST", CHAT, body=body, content_type="application/json")
        return self._send(turn, ask, partial(self._judge, dialect))

    def _judge(self, dialect: Dialect, turn: Turn, send: Send, reply: Reply) -> Answered | None:
        """What an answer means; None where the photo should be shown again."""
        reply = replace(reply, status=self._server.status(reply))
        if is_good(reply.status):
            send.settle(Outcome.BILLED)
            return self._read(turn.photo, reply)
        if reply.status in (400, 422, 500, 501) and self._learns(reply, dialect):
            self._settle_free(send)
            return None
        unfit = self._server.unfitness(reply)
        if unfit is not None:
            self._settle_free(send)
            raise self._put_aside(unfit)
        asked = retry_after(reply.headers.get("Retry-After"), self._now())
        if reply.status >= 500 or reply.status == 408:
            if turn.tries.failing.wait(asked):
                return None
            return TransientError(f"{self._options.model} cannot answer now ({self._words(reply)})", turn.photo)
        self._settle_free(send)
        is_busy = reply.status == 429 and not self._server.complaint(reply).is_about_money
        if is_busy and turn.tries.busy.wait(asked):
            return None
        shown = reply.status == 403 and self._server.complaint(reply).is_about_what_it_shows
        if reply.status in (401, 402, 403, 404, 405, 406, 410, 429) and not shown:
            raise self._put_aside(self._server.refusal(reply, CHAT))
        refused = f"{self._options.model} refused it ({self._words(reply)})"
        return PhotoError(refused, turn.photo, self._http.kept(reply.body))

    def _learns(self, reply: Reply, dialect: Dialect) -> bool:
        """Whether the server refused the way it was asked, so that it is asked in a plainer one from now on."""
        complaint = self._server.complaint(reply)
        plainer = None if complaint.is_about_room else dialect.without(complaint.text)
        if plainer is None:
            return False
        with self._lock:
            if self._dialect == dialect:
                self._dialect = plainer
                log.info("%s is asked without what it refused: %s", self._options.model, self._words(reply))
        return True

    def _read(self, photo: Photo, reply: Reply) -> Analysis | PhotoError:
        kept = self._http.kept(reply.body)
        try:
            answer = reply.json()
            complaint = complaint_of(answer)
            if complaint is not None:
                said = one_line(self._http.redact(complaint.text))
                return PhotoError(f"{self._options.model} refused it ({said})", photo, kept)
            usage, choice = usage_of(answer), choice_of(answer)
            self._count(usage)
            if choice.refusal or choice.finish == "content_filter":
                said = one_line(self._http.redact(choice.refusal)) or "its filter"
                return PhotoError(f"{self._options.model} refused it ({said})", photo, kept)
            if choice.finish == "length":
                most = self._options.max_tokens
                why = f"it ends early, after {most} tokens: raise max_tokens, then scan --retry-failed"
                return self._unreadable(photo, reply.body, why)
            annotations, dropped = annotations_of(choice, self._options.language)
        except BadReply as error:
            return self._unreadable(photo, reply.body, error.why)
        prices = (self._options.cost_per_1k_input_tokens, self._options.cost_per_1k_output_tokens)
        return Analysis(photo, (*annotations, *measures(usage, *prices)), kept, dropped)

    def _count(self, usage: Usage) -> None:
        with self._lock:
            self._tokens["prompt"] += usage.prompt or 0
            self._tokens["completion"] += usage.completion or 0

    def _words(self, reply: Reply) -> str:
        return self._server.words(reply)


def _in_words(tokens: Mapping[str, int]) -> str:
    return f"{tokens['prompt']:,} tokens sent, {tokens['completion']:,} answered"

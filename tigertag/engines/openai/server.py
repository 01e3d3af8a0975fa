"""The server itself: whether it is there, which models it has, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tigertag.engines.openai.answers import models_of, one_line
from tigertag.engines.openai.complaints import Complaint, complaint_of
from tigertag.engines.openai.options import OpenAIOptions
from tigertag.errors import PluginDown
from tigertag.http import Backoff, BadReply, Http, Reply, Tries, is_good
from tigertag.service import Advice, Inquiry

ADVICE = Advice(
    address="check api_url, which mostly ends in /v1",
    online="is the server running, and api_url right? The next scan asks again",
)
_NO_LIST = (404, 405, 501)
"""Answers of a server that lists no models, and may be a good one all the same."""


def at_start(sleep: Callable[[float], object], uniform: Callable[[float, float], float]) -> Tries:
    """A server that loads its model answers 503 for a minute or two; the start waits for that."""
    patient = Backoff(tries=10, first=2, total=900, sleep=sleep, uniform=uniform)
    return replace(Tries.fresh(sleep, uniform), failing=patient)


class Server:
    """Asks `GET /models`, which costs nothing anywhere, and reads refusals."""

    def __init__(
        self, http: Http, options: OpenAIOptions, now: Callable[[], datetime], is_over: Callable[[], bool]
    ) -> None:
        self._http = http
        self._options = options
        self._inquiry = Inquiry(http, now, ADVICE, is_over)

    def models(self, tries: Tries | None) -> tuple[str, ...] | None:
        """The models it lists, None where it does not tell. Raises PluginDown. `tries` None: never repeated."""
        reply = self._inquiry.ask("/models", tries, final=_NO_LIST)
        if reply.status in _NO_LIST:
            return None
        if not is_good(reply.status):
            raise self.refusal(reply, "/models")
        try:
            return models_of(reply.json())
        except BadReply as error:
            said = f"{self._http.origin} is no server with models ({error.why}); {ADVICE.address}"
            raise PluginDown(said) from error

    def refusal(self, reply: Reply, path: str) -> PluginDown:
        """Why nobody is served: the key, the money, the model or the address (RELIABILITY E2, E3)."""
        complaint, words = self.complaint(reply), self.words(reply)
        model, origin = self._options.model, self._http.origin
        if reply.status == 402 or (reply.status == 429 and complaint.is_about_money):
            said = f"{origin} asks for payment ({words}); its photos wait until it is paid"
            return PluginDown(said, planned=True)
        if reply.status == 429:
            return PluginDown(f"{origin} has too much to do ({words}); {ADVICE.later}")
        if reply.status in (401, 403):
            if self._options.api_key is None:
                return PluginDown(f"{origin} wants an API key ({words}): set api_key")
            return PluginDown(f"{origin} rejected the API key ({words}): check api_key")
        unknown = "model" in f"{complaint.text} {complaint.code}".lower() and not complaint.is_about_address
        if unknown and reply.status < 500:
            pull = f"`ollama pull {model}` gets it for Ollama"
            return PluginDown(f"{origin} has no model {model} ({words}): check model; {pull}")
        if reply.status < 500:
            return PluginDown(f"{origin} does not know {path} ({words}): {ADVICE.address}")
        return PluginDown(f"{origin} cannot answer now ({words}); {ADVICE.later}")

    def unfitness(self, reply: Reply) -> PluginDown | None:
        """Whether the refusal says that the model, as it is, takes none of the other photos either."""
        complaint, words = self.complaint(reply), self.words(reply)
        model, side = self._options.model, self._options.long_side
        if complaint.is_about_room:
            room = f"load it with a longer context than that, or lower long_side ({side}) or max_tokens"
            return PluginDown(f"{model} has no room for a photo and an answer ({words}): {room}")
        if complaint.is_about_pictures(model):
            return PluginDown(
                f"{model} sees no pictures ({words}): choose a model that does, such as gemma3:4b"
            )
        return self.refusal(reply, "") if complaint.is_about_model and reply.status == 400 else None

    def status(self, reply: Reply) -> int:
        """What an answer amounts to: 404, 429 and 503 may hide in a 200, and 503 in a 400."""
        complaint = self.complaint(reply)
        if complaint.is_about_address:
            return 404
        if complaint.is_passing and reply.status in (200, 400):
            return 503
        return complaint.number if complaint.number and is_good(reply.status) else reply.status

    def complaint(self, reply: Reply) -> Complaint:
        try:
            return complaint_of(reply.json()) or Complaint("")
        except BadReply:
            return Complaint("")

    def words(self, reply: Reply) -> str:
        """The status and what the server says of it, in one line without secrets."""
        said = one_line(self._http.redact(self.complaint(reply).text))
        return f"{reply.status}: {said}" if said else str(reply.status)

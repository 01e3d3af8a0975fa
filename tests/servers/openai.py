"""A stand-in for a server that speaks OpenAI's chat completions and sees pictures.

with VisionServer() as server:
    engine = OpenAIEngine(OpenAIOptions(**server.options), memory)

It is as strict as the strictest of the real ones: an unknown parameter, a schema that strict mode would not
take, a picture with metadata are refused or reported. Its attributes give it the habits of others.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image

from tests.servers.base import Answer, Request, Service
from tests.servers.imagga import WORDS

KEY = "sk-0123456789+abc/def"
MODEL = "gemma3:4b"
_KNOWN = """model messages max_tokens max_completion_tokens temperature top_p seed stop stream response_format
    logprobs top_logprobs n user"""
_PARAMETERS = frozenset(_KNOWN.split())


def said_of(picture: bytes) -> dict[str, Any]:
    """What a model says of a picture: words that depend on the pixels alone."""
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
        pixels = hashlib.sha256(image.convert("RGB").tobytes()).digest()
    words = random.Random(pixels).sample(WORDS, 6)
    tags = [{"name": word, "confidence": round(0.95 - 0.1 * place, 2)} for place, word in enumerate(words)]
    return {"tags": tags, "caption": f"A {words[0]} and a {words[1]}."}


class VisionServer(Service):
    """Kinds of requests: `chat`, `models`, `other`. Change the attributes to make it another server."""

    def __init__(self, *, key: str = "") -> None:
        super().__init__()
        self.key = key
        self.model = MODEL
        self.listed: Sequence[Mapping[str, str]] = ({"id": MODEL, "object": "model", "owned_by": "library"},)
        self.formats: Sequence[str] = ("json_schema", "json_object", "text")
        """What `response_format` may be; LM Studio has no json_object, a very plain server only `text`."""
        self.limit = "max_tokens"
        """The one of `max_tokens` and `max_completion_tokens` that is understood."""
        self.takes_temperature = True
        self.gives_logprobs = True
        self.sees = True
        self.plain_errors = False
        """`{"error": "text"}`, as LM Studio writes them."""
        self.says: Callable[[bytes], Any] = said_of
        self.wrap: Callable[[str], str] = str
        """What the model puts around its JSON where no format keeps it from that."""
        self.finish = "stop"
        self.usage: Mapping[str, object] | None = {
            "prompt_tokens": 800,
            "completion_tokens": 60,
            "total_tokens": 860,
        }
        self.logprob = -0.1
        """Of every token, which is a character here."""
        self.answered: list[str] = []
        """SHA-256 of each picture that was answered, in order."""
        self._bodies: dict[str, set[str]] = {}

    @property
    def options(self) -> dict[str, object]:
        key = {"api_key": self.key} if self.key else {}
        return {"model": MODEL, "api_url": f"{self.url}/v1", **key}

    def kind(self, method: str, path: str) -> str:
        return {"/v1/chat/completions": "chat", "/v1/models": "models"}.get(path, "other")

    def answer(self, request: Request) -> Answer:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return self.error(401, "Incorrect API key provided.", "invalid_api_key")
        if request.kind == "models" and request.method == "GET":
            return Answer.of({"object": "list", "data": list(self.listed)})
        if request.kind == "chat" and request.method == "POST":
            return self._chat(request)
        self.report(f"unknown address: {request.method} {request.path}")
        return Answer(404, b"404 page not found", "text/plain")

    def error(self, status: int, message: str, code: str = "", param: str = "") -> Answer:
        if self.plain_errors:
            return Answer.of({"error": message}, status)
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": param or None,
            "code": code or None,
        }
        return Answer.of({"error": error}, status)

    def _chat(self, request: Request) -> Answer:
        if request.headers.get("content-type") != "application/json":
            return self.error(415, "Content-Type must be application/json")
        try:
            body = json.loads(request.body)
        except ValueError:
            return self.error(400, "We could not parse the JSON body of your request.")
        refused = self._wrong_parameters(body) or self._wrong_format(body)
        if refused is not None:
            return refused
        words, picture = self._shown(body)
        if picture is None:
            return self.error(400, "Invalid image.", "invalid_image")
        if not self.sees:
            hint = "if this is unexpected, you may need to provide the mmproj"
            return self.error(500, f"image input is not supported - hint: {hint}")
        if _kind_of(body) == "json_object" and "json" not in words.lower():
            return self.error(400, "'messages' must contain the word 'json' to use 'response_format'.")
        self._note(request, body, picture)
        return self._said(body, picture)

    def _wrong_parameters(self, body: dict[str, Any]) -> Answer | None:
        unknown = sorted(body.keys() - _PARAMETERS)
        if unknown:
            return self.error(400, f"Unrecognized request argument supplied: {unknown[0]}", param=unknown[0])
        if body.get("model") != self.model:
            message = f'model "{body.get("model")}" not found, try pulling it first'
            return self.error(404, message, "model_not_found")
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[self.limit]
        if other in body:
            message = f"Unsupported parameter: '{other}' is not supported with this model."
            return self.error(400, f"{message} Use '{self.limit}' instead.", "unsupported_parameter", other)
        if "temperature" in body and not self.takes_temperature:
            message = "Unsupported value: 'temperature' does not support 0 with this model."
            return self.error(400, message, "unsupported_value", "temperature")
        if "logprobs" in body and not self.gives_logprobs:
            return self.error(400, "You are not allowed to request logprobs from this model.", param="logprobs")
        return None

    def _wrong_format(self, body: dict[str, Any]) -> Answer | None:
        kind = _kind_of(body)
        if kind not in self.formats:
            allowed = " or ".join(f"'{each}'" for each in self.formats)
            return self.error(400, f"'response_format.type' must be {allowed}", param="response_format")
        if kind == "json_schema":
            wrong = _wrong_schema(body["response_format"].get("json_schema"))
            if wrong:
                self.report(f"a schema that strict mode refuses: {wrong}")
                return self.error(400, f"Invalid schema for response_format 'photo': {wrong}")
        return None

    def _shown(self, body: dict[str, Any]) -> tuple[str, bytes | None]:
        """The words and the picture of the only message; None where it is no picture as it should be."""
        try:
            (message,) = body["messages"]
            text, image = message["content"]
            url = image["image_url"]["url"]
            picture = base64.b64decode(url.removeprefix("data:image/jpeg;base64,"), validate=True)
            with Image.open(io.BytesIO(picture), formats=("JPEG",)) as opened:
                opened.load()
                odd = [name for name in ("exif", "xmp", "photoshop", "comment") if opened.info.get(name)]
                seen = opened.mode
        except (KeyError, TypeError, ValueError, OSError, SyntaxError):
            return "", None
        if odd or seen != "RGB" or message["role"] != "user":
            self.report(f"a picture or message that was not prepared: {odd} {seen} {message['role']}")
        return str(text["text"]), picture

    def _note(self, request: Request, body: dict[str, Any], picture: bytes) -> None:
        """Two tries that ask alike must have the same bytes."""
        digest = hashlib.sha256(picture).hexdigest()
        alike = json.dumps({name: value for name, value in body.items() if name != "messages"}, sort_keys=True)
        with self.lock:
            self.answered.append(digest)
            bodies = self._bodies.setdefault(digest + alike, set())
            bodies.add(request.digest)
            if len(bodies) > 1:
                self.report("two tries with different bytes")

    def _said(self, body: dict[str, Any], picture: bytes) -> Answer:
        said = self.says(picture)
        if body.get("logprobs") and isinstance(said, dict):
            said = {**said, "tags": [tag["name"] for tag in said["tags"]]}
        text = said if isinstance(said, str) else json.dumps(said)
        content = text if _kind_of(body) == "json_schema" else self.wrap(text)
        message = {"role": "assistant", "content": content}
        choice: dict[str, object] = {"index": 0, "message": message, "finish_reason": self.finish}
        if body.get("logprobs"):
            tokens = [
                {
                    "token": letter,
                    "logprob": self.logprob,
                    "bytes": list(letter.encode()),
                    "top_logprobs": [],
                }
                for letter in content
            ]
            choice["logprobs"] = {"content": tokens}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_916_000_000,
            "model": self.model,
            "choices": [choice],
        }
        return Answer.of(answer if self.usage is None else {**answer, "usage": dict(self.usage)})


def _kind_of(body: Mapping[str, Any]) -> str:
    return str((body.get("response_format") or {"type": "text"}).get("type"))


def _wrong_schema(given: object) -> str:
    """What OpenAI's strict mode has against it; empty where nothing."""
    if not isinstance(given, dict) or not given.get("name") or given.get("strict") is not True:
        return "name and strict are needed"
    return _wrong_node(given.get("schema"))


def _wrong_node(node: object) -> str:
    if not isinstance(node, dict):
        return "a schema must be an object"
    unknown = node.keys() - {"type", "properties", "required", "additionalProperties", "items", "enum"}
    if unknown:
        return f"{sorted(unknown)[0]} is not permitted"
    if node.get("type") == "object":
        properties = node.get("properties") or {}
        if node.get("additionalProperties") is not False:
            return "additionalProperties must be false"
        if sorted(node.get("required") or ()) != sorted(properties):
            return "required must hold every key of properties"
        return next(filter(None, map(_wrong_node, properties.values())), "")
    return _wrong_node(node.get("items")) if node.get("type") == "array" else ""

"""What is asked of a server, and how it is asked in another way where that is refused. Pure.

Confirmed in the servers' documentation and in reports of their users (November 2026):

- Ollama (docs.ollama.com/api/openai-compatibility): text and base64 pictures as parts of `content`,
  `response_format`, `temperature`, `max_tokens`, log probabilities; a key is ignored. An unknown model is a
  404: `model "x" not found, try pulling it first`.
- LM Studio (lmstudio.ai/docs): `response_format` with `json_schema`. Anything else but `text` is a 400:
  `'response_format.type' must be 'json_schema' or 'text'`, with the words as the plain value of `error`. An
  unknown path is a 200: `Unexpected endpoint or method. (POST /chat/completions)`. With a schema the answer of
  a model that thinks may stand in `reasoning_content`, beside an empty `content` (lmstudio-bug-tracker#1773);
  with vLLM too (vllm#48863).
- llama.cpp (`llama-server`, its README): any model name will do; while it loads it answers 503; without a
  projector a picture is a 500: `image input is not supported - hint: … you may need to provide the mmproj`. A
  context that is too small is a 400 or a 500 (llama.cpp#19774).
- vLLM: errors without `error` in earlier releases; thoughts stay in `content` without a reasoning parser, and
  some templates write only their end: `…</think>{"tags": …}`.
- OpenRouter: what fails while a model answers is a 200 with a numeric `error.code`, and a photo that a
  moderator flags a 403 (openrouter.ai/docs/errors).
- OpenAI: a strict schema needs all properties in `required` and `additionalProperties: false`. Newer models
  refuse `max_tokens` with a 400 that names `max_completion_tokens`, and any `temperature` but their own. JSON
  mode wants the word JSON in the prompt. Nothing left to spend is a 429 as well, told apart by its code.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Literal

from tigertag.model import JSON

FORM_VERSION = 1
"""Raised when the words below, or the shape of a request, change what comes back."""

_FORM = """Answer with one JSON object and nothing else, in this form:
{"tags": [{"name": "...", "confidence": 0.9}], "caption": "..."}
`confidence` is how sure you are that the tag is right, from 0 to 1."""

_FORM_WITHOUT_CONFIDENCE = """Answer with one JSON object and nothing else, in this form:
{"tags": ["..."], "caption": "..."}"""

_LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hr": "Croatian",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovene",
    "sr": "Serbian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}

Format = Literal["json_schema", "json_object", "text"]
_WEAKER: dict[Format, Format] = {"json_schema": "json_object", "json_object": "text"}
_FORMAT_WORDS = (
    "response_format",
    "response format",
    "json_schema",
    "json_object",
    "schema",
    "grammar",
    "structured output",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What every photo of a run is asked."""

    model: str
    prompt: str
    """With `{language}` where the language's name belongs."""
    language: str
    max_tokens: int

    def words(self, *, logprobs: bool) -> str:
        """All that the model is told."""
        language = _LANGUAGES.get(self.language.lower().replace("_", "-"), self.language)
        form = _FORM_WITHOUT_CONFIDENCE if logprobs else _FORM
        return f"{self.prompt.replace('{language}', language)}\n\n{form}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server understands of the API."""

    format: Format = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    logprobs: bool = False

    def without(self, refused: str) -> Dialect | None:
        """A plainer way to ask, after a refusal in these words; None where they are about something else."""
        words = refused.lower()
        if "max_completion_tokens" in words and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "temperature" in words and self.temperature:
            return replace(self, temperature=False)
        if "logprobs" in words and self.logprobs:
            return replace(self, logprobs=False)
        if self.format in _WEAKER and any(each in words for each in _FORMAT_WORDS):
            return replace(self, format=_WEAKER[self.format])
        return None


def body_of(question: Question, jpeg: bytes, dialect: Dialect) -> bytes:
    """The request; equal arguments give equal bytes (E11)."""
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    content: list[JSON] = [
        {"type": "text", "text": question.words(logprobs=dialect.logprobs)},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    request: dict[str, JSON] = {
        "model": question.model,
        "messages": [{"role": "user", "content": content}],
        dialect.limit: question.max_tokens,
        "stream": False,
    }
    if dialect.temperature:
        request["temperature"] = 0
    if dialect.logprobs:
        request["logprobs"] = True
    if dialect.format == "json_schema":
        schema: JSON = {
            "name": "photo",
            "strict": True,
            "schema": _schema(with_confidence=not dialect.logprobs),
        }
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif dialect.format == "json_object":
        request["response_format"] = {"type": "json_object"}
    return json.dumps(request, ensure_ascii=False).encode()


def _schema(*, with_confidence: bool) -> JSON:
    tag = _object({"name": {"type": "string"}, "confidence": {"type": "number"}})
    tags: JSON = {"type": "array", "items": tag if with_confidence else {"type": "string"}}
    return _object({"tags": tags, "caption": {"type": "string"}})


def _object(properties: dict[str, JSON]) -> JSON:
    """As OpenAI's strict mode wants it: nothing else, and nothing left out."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }

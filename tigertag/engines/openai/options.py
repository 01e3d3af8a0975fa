"""What a user sets for a server that speaks OpenAI's API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from tigertag.options import EngineOptions, address

OLLAMA = "http://localhost:11434/v1"
"""Where Ollama is on this machine."""
LONGEST_PROMPT = 20_000
"""Characters."""


def _model(model: str) -> str:
    name = model.strip()
    if not name or not name.isprintable() or len(name) > 200:
        raise ValueError("is no name of a model such as gemma3:4b")
    return name


def _key(secret: SecretStr | None) -> SecretStr | None:
    key = secret.get_secret_value().strip() if secret else ""
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds a space or another sign that no key has: copy it again")
    return SecretStr(key)


def _url(url: str) -> str:
    plain = address(url, example=OLLAMA, keys="a key goes into api_key")
    return plain.removesuffix("/chat/completions")


def _language(language: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z]{2,8})?", language.strip()):
        raise ValueError(f"`{language}` is no language code such as `en` or `pt-BR`")
    return language.strip()


def _prompt(path: Path | None) -> Path | None:
    if path is not None:
        read_prompt(path)
    return path


def read_prompt(path: Path) -> str:
    """The words in a file of UTF-8. Raises ValueError, to follow the setting's name, where there are none."""
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error} ({path})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text: {path}") from error
    if not text or len(text) > LONGEST_PROMPT:
        raise ValueError(f"must hold 1 to {LONGEST_PROMPT} characters: {path} holds {len(text)}")
    return text


class OpenAIOptions(EngineOptions):
    """Options of a server that speaks OpenAI's API."""

    model: Annotated[str, AfterValidator(_model)] = Field(
        description="The model as the server calls it, one that sees pictures: `gemma3:4b`."
    )
    api_url: Annotated[str, AfterValidator(_url)] = Field(
        OLLAMA, description="Where the server is; Ollama on this machine by default."
    )
    api_key: Annotated[SecretStr | None, AfterValidator(_key)] = Field(
        None, description="API key, where the server wants one."
    )
    billed: bool | None = Field(
        None, description="Whether requests cost money; by default where there is an API key."
    )
    language: Annotated[str, AfterValidator(_language)] = Field(
        "en", description="Language of tags and caption: `de`."
    )
    prompt_file: Annotated[Path | None, AfterValidator(_prompt)] = Field(
        None, description="A text file with what to look for, in place of TigerTag's own words."
    )
    long_side: int = Field(
        768, ge=224, le=2048, description="Pixels of the longer side of the copy that is sent."
    )
    max_tokens: int = Field(600, ge=50, le=32_000, description="Tokens that an answer may have.")
    logprobs: bool = Field(
        False, description="Confidence from the model's probabilities, not from what it says of itself."
    )
    timeout: float = Field(300, gt=0, le=3600, description="Seconds that one request may take.")
    cost_per_1k_input_tokens: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="What 1000 tokens sent cost; for the cost of each photo."
    )
    cost_per_1k_output_tokens: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="What 1000 tokens of answers cost."
    )
    min_confidence: float = Field(50, ge=0, le=100, description="Percent; tags below it are not written.")
    max_tags: int | None = Field(8, ge=1, description="Tags a photo gets from this engine at most.")
    concurrency: int = Field(
        1, ge=1, le=64, description="Requests under way; a server on this machine mostly works on one."
    )

    @property
    def is_billed(self) -> bool:
        return self.api_key is not None if self.billed is None else self.billed

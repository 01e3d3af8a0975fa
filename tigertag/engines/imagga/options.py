"""What a user sets for Imagga."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from tigertag.model import EnginePolicy
from tigertag.options import CommaList, EngineOptions, address

FALLBACK = "en"
"""The language that Imagga answers in by itself."""
SERVICE = "https://api.imagga.com/v2"


def _key(secret: SecretStr) -> SecretStr:
    key = secret.get_secret_value().strip()
    if not key:
        raise ValueError("is empty")
    if not key.isprintable() or " " in key:
        raise ValueError("holds a space or a control character: copy it again from the dashboard on imagga.com")
    return SecretStr(key)


def _url(url: str) -> str:
    return address(url, example=SERVICE, keys="the key goes into api_key and api_secret")


def _languages(languages: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(language.lower().replace("-", "_") for language in languages))
    wrong = [language for language in named if not re.fullmatch(r"[a-z]{2,3}(_[a-z]{2,6})?", language)]
    if wrong or not named:
        raise ValueError(f"`{', '.join(wrong)}` is no list of language codes such as `en` or `de, zh_chs`")
    return named


def _tagger(tagger: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", tagger.strip()):
        raise ValueError("may hold letters, digits, `_` and `-` only")
    return tagger.strip()


class ImaggaOptions(EngineOptions):
    """Options of Imagga."""

    api_key: Annotated[SecretStr, AfterValidator(_key)] = Field(
        description="API key, from the dashboard on imagga.com."
    )
    api_secret: Annotated[SecretStr, AfterValidator(_key)] = Field(
        description="API secret, from the dashboard on imagga.com."
    )
    api_url: Annotated[str, AfterValidator(_url)] = Field(SERVICE, description="Where the service is.")
    language: Annotated[CommaList, AfterValidator(_languages)] = Field(
        (FALLBACK,), description="Languages of the tags, the one to write first: `de, en`."
    )
    tagger: Annotated[str, AfterValidator(_tagger)] = Field(
        "", description="A tagger of your own, by its id; Imagga's general one by default."
    )
    reserve: int = Field(0, ge=0, description="Requests of the monthly quota to leave untouched.")
    min_confidence: float = Field(30, ge=0, le=100, description="Percent; tags below it are not written.")
    max_tags: int | None = Field(8, ge=1, description="Tags a photo gets from this engine at most.")

    def policy(self) -> EnginePolicy:
        # A name that Imagga has not translated comes in English; better that than none.
        languages = dict.fromkeys((*self.language, FALLBACK))
        return replace(super().policy(), languages=tuple(languages))

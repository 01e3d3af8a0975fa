"""Reads a server's answers. Pure: JSON in, nouns out. A model may say anything: nothing is taken on trust."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tigertag.engines.openai.certainty import certainties
from tigertag.http import BadReply, is_deep
from tigertag.model import JSON, Annotation, Kind, fold

UNSAID = 0.75
"""The confidence of a tag where the model gives none: above the default threshold, below a sure one."""
MOST = 100
"""Tags that are kept of one answer: a model that has lost its way repeats itself for ever."""
LONGEST_TAG = 60
"""Characters; what is longer is a sentence."""
LONGEST_CAPTION = 1000
"""Characters; a longer one is cut."""
_MOST_OBJECTS = 100
"""Beginnings of an object that are tried in a text."""
_LONGEST_TEXT = 200_000
"""Characters of an answer that are looked at."""
_THOUGHTS_END = re.compile(r"</think(?:ing)?>|◁/think▷|\[/THINK\]")
"""Some templates begin the thought themselves, so that an answer only ends it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; None where the server does not tell."""

    prompt: int | None = None
    completion: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What the model said, and why it stopped."""

    content: str
    finish: str = ""
    refusal: str = ""
    tokens: Sequence[tuple[str, float]] = ()
    """Each with the logarithm of its probability, where the server tells."""


def models_of(answer: JSON) -> tuple[str, ...] | None:
    """What `GET /models` lists; None where it does not tell, or where any name will do (llama.cpp)."""
    entries = _at(answer, "data")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return None
    if any(_at(entry, "owned_by") == "llamacpp" for entry in entries):
        return None
    names = [_at(entry, "id") for entry in entries]
    return tuple(name for name in names if isinstance(name, str))


def measures(usage: Usage, per_1k_sent: float | None, per_1k_answered: float | None) -> Iterator[Annotation]:
    """`prompt tokens`, `completion tokens`, and `cost` in the user's currency where a price is set."""
    if usage.prompt is not None:
        yield Annotation(Kind.MEASURE, "prompt tokens", value=usage.prompt)
    if usage.completion is not None:
        yield Annotation(Kind.MEASURE, "completion tokens", value=usage.completion)
    if usage != Usage() and (per_1k_sent, per_1k_answered) != (None, None):
        cost = (usage.prompt or 0) * (per_1k_sent or 0) + (usage.completion or 0) * (per_1k_answered or 0)
        yield Annotation(Kind.MEASURE, "cost", value=round(cost / 1000, 8))


def usage_of(answer: JSON) -> Usage:
    usage = _at(answer, "usage")
    return Usage(_count(_at(usage, "prompt_tokens")), _count(_at(usage, "completion_tokens")))


def choice_of(answer: JSON) -> Choice:
    """The first choice of an answer. Raises BadReply where there is none."""
    choices = _at(answer, "choices")
    first = choices[0] if isinstance(choices, Sequence) and not isinstance(choices, str) and choices else None
    message = _at(first, "message")
    if not isinstance(message, Mapping):
        raise BadReply("it holds no choices")
    finish, refusal = _at(first, "finish_reason"), _at(message, "refusal")
    return Choice(
        content=_said(message)[:_LONGEST_TEXT],
        finish=finish if isinstance(finish, str) else "",
        refusal=refusal if isinstance(refusal, str) else "",
        tokens=tuple(_tokens(_at(_at(first, "logprobs"), "content"))),
    )


def annotations_of(choice: Choice, language: str) -> tuple[tuple[Annotation, ...], int]:
    """Tags by falling confidence, then the caption; and how many were left out because they were no good.

    Raises BadReply where there is no list of tags.
    """
    said = _object_in(choice.content)
    entries = said["tags"]
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise BadReply("it holds no list of tags")
    read = _tags(entries, choice, language)
    good = sorted((tag for tag in read if tag is not None), key=lambda tag: -tag.confidence)
    kept = {fold(tag.name): tag for tag in reversed(good)}  # of two alike the surer one
    tags = [tag for tag in good if kept[fold(tag.name)] is tag][:MOST]
    dropped = len(read) - len(tags)
    caption = said.get("caption")
    if isinstance(caption, str) and _plain(caption):
        text = _plain(caption)[:LONGEST_CAPTION]
        return (*tags, Annotation(Kind.TEXT, "caption", language=language, value=text)), dropped
    return tuple(tags), dropped + (caption is not None and caption != "")


def one_line(text: str, longest: int = 200) -> str:
    """A server's words as part of a sentence of ours."""
    return _plain(text)[:longest]


def _object_in(text: str) -> Mapping[str, JSON]:
    """The first JSON object with tags, whatever stands before and after it: fences, thoughts, good wishes."""
    spoken = _THOUGHTS_END.split(text)[-1]
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    starts = [found.start() for found in re.finditer(r"\{", spoken)][:_MOST_OBJECTS]
    for start in starts:
        if is_deep(spoken[start:]):
            raise BadReply("nested too deeply")
        try:
            value, _ = decoder.raw_decode(spoken, start)
        except ValueError:
            continue
        if isinstance(value, Mapping) and "tags" in value:
            return value
    raise BadReply("the model gave no JSON with tags" if text.strip() else "the model said nothing")


def _tags(entries: Sequence[JSON], choice: Choice, language: str) -> list[Annotation | None]:
    """One for each entry; None for what is no good."""
    names = [_name(entry) for entry in entries]
    said = [_at(entry, "confidence") if _has_confidence(entry) else None for entry in entries]
    sure = certainties(choice.content, choice.tokens, [name or "" for name in names])
    whole = 100 if _are_percents(said) else 1
    found: list[Annotation | None] = []
    for entry, name, number, likely in zip(entries, names, said, sure, strict=True):
        confidence = _fraction(number, whole) if _has_confidence(entry) else _or_unsaid(likely)
        tidy = _tidy(name)
        good = tidy and confidence is not None
        found.append(Annotation(Kind.TAG, tidy, confidence or 0.0, language=language) if good else None)
    return found


def _or_unsaid(likely: float | None) -> float:
    return UNSAID if likely is None else likely


def _name(entry: JSON) -> str | None:
    name = entry if isinstance(entry, str) else _at(entry, "name")
    return name if isinstance(name, str) else None


def _tidy(name: str | None) -> str:
    """A name without what models like to put around it; empty where it is none."""
    if name is None or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        return ""
    tidy = name.strip().strip("#.,;:*\"'`").strip()
    return tidy if len(tidy) <= LONGEST_TAG else ""


def _has_confidence(entry: JSON) -> bool:
    return isinstance(entry, Mapping) and "confidence" in entry


def _are_percents(said: Sequence[JSON]) -> bool:
    """Some models answer 95 where 0.95 was asked for; then none of theirs is a fraction."""
    numbers = [number for each in said if (number := _number(each)) is not None and 0 < number <= 100]
    return bool(numbers) and min(numbers) >= 1 and max(numbers) > 1


def _fraction(value: JSON, whole: float) -> float | None:
    number = _number(value)
    return None if number is None or number > whole else number / whole


def _tokens(entries: JSON) -> Iterator[tuple[str, float]]:
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return
    for entry in entries:
        token, logprob = _at(entry, "token"), _at(entry, "logprob")
        if isinstance(token, str) and isinstance(logprob, int | float):
            yield token, float(logprob)


def _said(message: Mapping[str, JSON]) -> str:
    """The content; where it is empty, JSON that LM Studio or vLLM took for a thought of the model's."""
    content = _text_of(message.get("content"))
    if content.strip():
        return content
    thoughts = (_text_of(message.get(key)) for key in ("reasoning_content", "reasoning"))
    return next((each for each in thoughts if each.lstrip().startswith(("{", "```"))), content)


def _text_of(content: JSON) -> str:
    """Mostly a text; some servers give it in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    return "".join(text for part in parts if isinstance(text := _at(part, "text"), str))


def _plain(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _at(value: JSON, key: str) -> JSON:
    return value.get(key) if isinstance(value, Mapping) else None


def _number(value: JSON) -> float | None:
    """From 0 on, and finite; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 and math.isfinite(value) else None


def _count(value: JSON) -> int | None:
    number = _number(value)
    return None if number is None else int(number)

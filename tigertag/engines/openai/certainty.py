"""How sure a model was of a word, from the probabilities of the tokens that it wrote it with. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import accumulate


def certainties(content: str, tokens: Sequence[tuple[str, float]], names: Sequence[str]) -> list[float | None]:
    """For each name, in the order in which they stand in the JSON of `content`: 0..1; None where nobody knows.

    `tokens` are what the content was written with, each with the logarithm of its probability; the geometric
    mean of a name's tokens is its certainty. Nobody knows where there are none, or not those of the content.
    """
    ends = list(accumulate(len(token) for token, _ in tokens))
    written = "".join(token for token, _ in tokens)
    shift = written.find(content) if content else -1
    if shift < 0:
        return [None] * len(names)
    return [
        None if place is None else _mean(tokens, ends, place[0] + shift, place[1] + shift)
        for place in _places(content, names)
    ]


def _places(content: str, names: Sequence[str]) -> Iterator[tuple[int, int] | None]:
    """Where each name begins and ends, without its quotes."""
    after = max(0, content.find('"tags"'))
    for name in names:
        spellings = (json.dumps(name, ensure_ascii=False), json.dumps(name))
        found = [(content.find(each, after), len(each)) for each in spellings]
        start, length = next((each for each in found if each[0] >= 0), (-1, 0))
        if start < 0 or not name:
            yield None
            continue
        after = start + length
        yield start + 1, after - 1


def _mean(tokens: Sequence[tuple[str, float]], ends: Sequence[int], start: int, stop: int) -> float | None:
    """Of the tokens that hold a part of what stands from `start` to `stop`."""
    logs = [
        min(log, 0.0)
        for (token, log), end in zip(tokens, ends, strict=True)
        if end > start and end - len(token) < stop and not math.isnan(log)
    ]
    return math.exp(sum(logs) / len(logs)) if logs else None

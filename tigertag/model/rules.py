"""What a person wants: which tags, and how much, how fast and when an engine may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """What of an engine's answers becomes tags. Changing it costs no engine call."""

    min_confidence: float = 0.0
    """0..1, inclusive."""
    max_tags: int | None = None
    prefix: str = ""
    languages: tuple[str, ...] = ()
    """The first of these that a photo has names in is written; none: all are."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls at most in a stretch of time."""

    calls: float
    per: Literal["s", "min"] = "s"

    @property
    def interval(self) -> float:
        """Seconds between two calls at least."""
        return (60 if self.per == "min" else 1) / self.calls

    def __str__(self) -> str:
        return f"{self.calls:g}/{self.per}"


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls at most in a day or a calendar month, in UTC, over all runs."""

    calls: int
    per: Literal["day", "month"]

    def __str__(self) -> str:
        return f"{self.calls}/{self.per}"


@dataclass(frozen=True, slots=True)
class Hours:
    """When an engine may be asked, in local time: from `start` until before `end`, which may be tomorrow."""

    start: time
    end: time

    def __str__(self) -> str:
        return "-".join(f"{each:%H:%M}" if each.minute else f"{each:%H}" for each in (self.start, self.end))


@dataclass(frozen=True, slots=True)
class EngineRules:
    """How much, how fast and when a person wants an engine to be asked. None: as it likes."""

    rate: Rate | None = None
    budget: Budget | None = None
    hours: Hours | None = None
    cost_per_call: float | None = None
    """In the user's currency."""

    @property
    def counts_calls(self) -> bool:
        """Whether each call must be written down, also where nobody charges for it."""
        return (self.rate, self.budget, self.cost_per_call) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Term:
    """What a person says about one tag: an entry of `tags` in `vocabulary.yaml`."""

    name: str
    """As it was spelled; folded, it is what verdicts are about."""
    parent: str | None = None
    """The tag above it; empty: none, whatever the hierarchy says; None: as the hierarchy says."""
    synonyms: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Language (`de`) → its name in that language."""
    min_confidence: float | None = None
    """0..1, inclusive; stands in place of the engine's."""
    agree: float | None = None
    """Stands in place of the vocabulary's."""
    is_category: bool = False
    """It only holds others: it is never a tag itself."""
    prompts: tuple[str, ...] = ()
    """What engines that look for words are asked in its place; none: by its name."""
    group: str = ""
    """Of the tags of a group only the most probable is found; empty: it stands for itself."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which tags a person wants, and how they are called: `vocabulary.yaml`. Keys are folded names.

    `tigertag.vocabulary.lexicon` tells what becomes of a name.
    """

    allow: frozenset[str] | None = None
    """Only these; None: all."""
    deny: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Folded name → the name to write, as it was spelled."""
    terms: Mapping[str, Term] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    """Folded name → the name above it, from the terms and the hierarchy that was asked for. Without circles."""
    languages: tuple[str, ...] = ()
    """The first of these that a term has a name in is written; none: the term's own name."""
    writes_parents: bool = False
    """Whether the tags above a tag are written, too."""
    max_tags: int | None = None
    """Tags a photo gets from all engines together; people, and the tags above others, are not counted."""
    agree: float = 1
    """How much the trust of the engines that say a tag must come to."""
    trust: Mapping[str, float] = field(default_factory=dict)
    """Engine ID → how much its word counts; 1 where nothing is said."""

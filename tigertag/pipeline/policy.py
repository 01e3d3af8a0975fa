"""What of the engines' answers becomes tags: threshold, language, vocabulary, limit, prefix. Pure.

Answers are stored raw and this is applied when writing, so that a change of policy costs no engine call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tigertag.model import JSON, Annotation, EnginePolicy, Kind, Vocabulary, fingerprint, fold

_VERSION = (
    1  # Part of the policy's fingerprint: raised when the rules below give other tags for the same answers.
)

_TAGS = (Kind.TAG, Kind.PERSON)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tag that is to be shown, and the engines that want it.

    `canonical` is the name after rename, before prefix, folded: what a verdict is about.
    """

    name: str
    kind: str
    canonical: str
    engines: tuple[str, ...]

    @property
    def fold(self) -> str:
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies of the engines in force, by their IDs, and the owner's vocabulary."""

    engines: Mapping[str, EnginePolicy]
    vocabulary: Vocabulary

    @property
    def fingerprint(self) -> str:
        engines: dict[str, JSON] = {
            name: [policy.min_confidence, policy.max_tags, policy.prefix, list(policy.languages)]
            for name, policy in self.engines.items()
        }
        words: JSON = [
            sorted(self.vocabulary.allow) if self.vocabulary.allow is not None else None,
            sorted(self.vocabulary.deny),
            dict(self.vocabulary.rename),
        ]
        return fingerprint([_VERSION, engines, words])


def prefixed(prefix: str, name: str) -> str:
    """`tti` and `dog` give `tti_dog`; a prefix that ends in a sign of its own (`ai:`) is put as it is."""
    if not prefix:
        return name
    return prefix + name if not prefix[-1].isalnum() else f"{prefix}_{name}"


def wanted(answers: Mapping[str, Iterable[Annotation]], policy: Policy) -> tuple[Wanted, ...]:
    """The tags for one photo: `answers` holds what each engine in force said, by its ID.

    Sorted by engine as configured, then by falling confidence, then by name: the same answers give the same
    tags in the same order (I26). Two engines that want one name share one tag.
    """
    merged: dict[str, Wanted] = {}
    for engine, rules in policy.engines.items():
        for said, name in _chosen(answers.get(engine, ()), rules, policy.vocabulary):
            tag = Wanted(prefixed(rules.prefix, name), said.kind.value, fold(name), (engine,))
            there = merged.get(tag.fold)
            if there is None:
                merged[tag.fold] = tag
            elif engine not in there.engines:
                merged[tag.fold] = Wanted(there.name, there.kind, there.canonical, (*there.engines, engine))
    return tuple(merged.values())


def _chosen(said: Iterable[Annotation], rules: EnginePolicy, words: Vocabulary) -> list[tuple[Annotation, str]]:
    """What passes an engine's rules, at most `max_tags`, each with its canonical spelling."""
    usable = [each for each in said if each.kind in _TAGS and fold(each.name)]
    usable = _in_one_language(usable, rules.languages)
    usable.sort(key=lambda each: (-each.confidence, fold(each.name), each.name))
    best: dict[str, tuple[Annotation, str]] = {}
    for each in usable:
        name = words.canonical(each.name)
        if each.confidence >= rules.min_confidence and words.permits(each.name):
            best.setdefault(fold(name), (each, name))
    return list(best.values())[: rules.max_tags]


def _in_one_language(said: Sequence[Annotation], languages: Sequence[str]) -> list[Annotation]:
    """Those of the first of `languages` that there are, with those of no language; all, where none fits."""
    for language in languages:
        if any(each.language == language for each in said):
            return [each for each in said if each.language in ("", language)]
    return list(said)

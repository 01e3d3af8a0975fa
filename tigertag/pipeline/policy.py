"""What of the engines' answers becomes tags: threshold, language, vocabulary, limit, prefix. Pure.

Answers are stored raw and this is applied when writing, so that a change of policy costs no engine call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from tigertag.model import JSON, Annotation, EnginePolicy, Kind, Term, Vocabulary, fingerprint, fold
from tigertag.pipeline.weigh import Said, weigh
from tigertag.vocabulary.lexicon import Lexicon, Word
from tigertag.vocabulary.rule import Rule

_VERSION = (
    1  # Part of the policy's fingerprint: raised when the rules below give other tags for the same answers.
)
_MOST_REMEMBERED = 200_000  # Tags; a library has fewer.


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tag that is to be shown, and the engines that want it.

    `canonical` is the name after rename, before prefix, folded: what a verdict is about.
    """

    name: str
    kind: str
    canonical: str
    engines: tuple[str, ...]
    path: tuple[str, ...] = ()
    """The names above it as they are shown, outermost first; empty at the top. For targets that show a tree."""

    fold: str = field(init=False, repr=False, compare=False)
    """The name, folded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fold", fold(self.name))


_Answers: TypeAlias = Mapping[str, Iterable[Annotation]]


class Sight(Protocol):
    """Finds the words that fit what a photo means."""

    @property
    def fingerprint(self) -> str:
        """Differs where other tags may come of the same vectors."""
        ...

    def tags(self, values: Sequence[JSON]) -> Sequence[Sequence[Annotation]]:
        """The tags for each annotation of kind `embedding`, by its value; for many at once it takes less."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies of the engines in force, by their IDs, and the owner's vocabulary."""

    engines: Mapping[str, EnginePolicy]
    vocabulary: Vocabulary
    sights: Mapping[str, Sight] = field(default_factory=dict)
    """Of the engines whose vectors become tags by words."""
    lexicon: Lexicon = field(init=False, repr=False, compare=False)
    _made: dict[tuple[str, str, str, Kind], tuple[str, Wanted]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "lexicon", Lexicon(self.vocabulary))

    def weigh(self, answers: Mapping[str, Iterable[Annotation]]) -> list[Said]:
        """What becomes of each thing that engines said about a photo, and by which rule."""
        (seen,) = self.see([answers])
        return weigh(seen, self.engines, self.vocabulary, self.lexicon)

    def see(self, answers: Sequence[_Answers]) -> Sequence[_Answers]:
        """What was said of each photo, with vectors as the words that fit them. Twice is once."""
        if not self.sights:
            return answers
        found = [{engine: list(said) for engine, said in each.items()} for each in answers]
        for engine, sight in self.sights.items():
            vectors = [
                (photo, place)
                for photo, each in enumerate(found)
                for place, said in enumerate(each.get(engine, ()))
                if said.kind is Kind.EMBEDDING
            ]
            fitting = sight.tags([found[photo][engine][place].value for photo, place in vectors])
            for (photo, place), tags in reversed([*zip(vectors, fitting, strict=True)]):
                found[photo][engine][place : place + 1] = tags
        return found

    def tag(self, word: Word, kind: Kind, engine: str) -> tuple[str, Wanted]:
        """The tag that a word of an engine becomes, and its folded name. Remembered: photos share most tags."""
        key = (word.shown, word.fold, engine, kind)
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _MOST_REMEMBERED:
                self._made.clear()
            prefix = self.engines[engine].prefix
            path = tuple(prefixed(prefix, name) for name in word.path)
            made = Wanted(prefixed(prefix, word.shown), kind.value, word.fold, (engine,), path)
            found = self._made[key] = (made.fold, made)
        return found

    @property
    def fingerprint(self) -> str:
        """Differs where other tags may come of the same answers, and only there."""
        engines: dict[str, JSON] = {
            name: [policy.min_confidence, policy.max_tags, policy.prefix, list(policy.languages)]
            for name, policy in self.engines.items()
        }
        words: list[JSON] = [
            sorted(self.vocabulary.allow) if self.vocabulary.allow is not None else None,
            sorted(self.vocabulary.deny),
            dict(self.vocabulary.rename),
        ]
        more = _later_rules(self.vocabulary, self.engines)
        if self.sights:
            more["sights"] = {name: sight.fingerprint for name, sight in self.sights.items()}
        return fingerprint([_VERSION, engines, [*words, more] if more else words])


def _later_rules(words: Vocabulary, engines: Collection[str]) -> dict[str, JSON]:
    """What a vocabulary says beside allow, deny and rename: a file that says no more keeps its fingerprint."""
    trust = {name: trust for name, trust in words.trust.items() if trust != 1 and name in engines}
    spoken = {language for term in words.terms.values() for language in term.names}
    said: dict[str, JSON] = {
        "terms": {key: _said_of(term) for key, term in words.terms.items()},
        "parents": dict(words.parents),
        "languages": [each for each in words.languages if each in spoken],
        "writes_parents": words.writes_parents and bool(words.parents),
        "max_tags": words.max_tags,
        "agree": words.agree if words.agree != 1 else None,
        "trust": trust,
    }
    return {key: value for key, value in said.items() if value}


def _said_of(term: Term) -> JSON:
    """All but the parent, which `parents` holds."""
    synonyms: list[JSON] = [*sorted({fold(each) for each in term.synonyms})]
    return [term.name, synonyms, dict(term.names), term.min_confidence, term.agree, term.is_category]


def prefixed(prefix: str, name: str) -> str:
    """`tti` and `dog` give `tti_dog`; a prefix that ends in a sign of its own (`ai:`) is put as it is."""
    if not prefix:
        return name
    return prefix + name if not prefix[-1].isalnum() else f"{prefix}_{name}"


def wanted(answers: Mapping[str, Iterable[Annotation]], policy: Policy) -> tuple[Wanted, ...]:
    """The tags for one photo: `answers` holds what each engine in force said, by its ID.

    Sorted by engine as configured, then by falling confidence, then by name; what lies above them comes last.
    The same answers give the same tags in the same order (I26). Two engines that want one name share one tag.
    """
    return tags_of(policy.weigh(answers), policy)


def tags_of(weighed: Iterable[Said], policy: Policy) -> tuple[Wanted, ...]:
    """The tags for one photo whose answers have been weighed, in the order of `wanted`."""
    merged: dict[str, Wanted] = {}
    written = [said for said in weighed if said.rule is Rule.WRITTEN]
    for said in written:
        _merge(merged, *policy.tag(said.word, said.annotation.kind, said.engine))
    for said in written:
        for word in said.word.above:
            _merge(merged, *policy.tag(word, Kind.TAG, said.engine))
    return tuple(merged.values())


def _merge(merged: dict[str, Wanted], key: str, tag: Wanted) -> None:
    there = merged.get(key)
    if there is None:
        merged[key] = tag
    elif tag.engines[0] not in there.engines:
        merged[key] = replace(there, engines=(*there.engines, *tag.engines))

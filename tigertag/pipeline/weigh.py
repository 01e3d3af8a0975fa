"""What becomes of each thing that engines said about a photo, and by which rule. Pure.

First each engine by itself: language, confidence, vocabulary. Then all together: agreement. Then the limits,
the engine's and the photo's, so that what is left out for another reason takes nobody's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tigertag.model import Annotation, EnginePolicy, Kind, Vocabulary, fold
from tigertag.vocabulary.lexicon import Lexicon, Word
from tigertag.vocabulary.rule import Rule

_TAGS = (Kind.TAG, Kind.PERSON)
_ROUNDING = 1e-9  # Three engines that are trusted 0.1 come to 0.3.


@dataclass(slots=True)
class Said:
    """Something that an engine said, the tag that it means, and the rule that decided about it."""

    engine: str
    annotation: Annotation
    word: Word
    rule: Rule = Rule.WRITTEN

    @property
    def is_counted(self) -> bool:
        """People need no second engine and take no tag's place: who else could know them?"""
        return self.annotation.kind is Kind.TAG


def weigh(
    answers: Mapping[str, Iterable[Annotation]],
    engines: Mapping[str, EnginePolicy],
    vocabulary: Vocabulary,
    lexicon: Lexicon,
) -> list[Said]:
    """All that was said about a photo, decided; by engine as configured, falling confidence, name."""
    by_engine = {
        engine: _by_itself(engine, answers[engine], rules, lexicon)
        for engine, rules in engines.items()
        if engine in answers
    }
    everything = [said for each in by_engine.values() for said in each]
    _agree(everything, vocabulary)
    for engine, each in by_engine.items():
        _limit(each, engines[engine].max_tags)
    if vocabulary.max_tags is not None:
        _limit_photo(everything, vocabulary, vocabulary.max_tags)
    return everything


def support(everything: Iterable[Said], vocabulary: Vocabulary) -> dict[str, float]:
    """The trust that the engines which say a tag come to, by its folded canonical name."""
    found: dict[str, float] = {}
    for said in everything:
        if said.rule in (Rule.WRITTEN, Rule.AGREEMENT, Rule.ENGINE_LIMIT, Rule.PHOTO_LIMIT):
            found[said.word.fold] = found.get(said.word.fold, 0) + vocabulary.trust.get(said.engine, 1)
    return found


def _by_itself(engine: str, said: Iterable[Annotation], rules: EnginePolicy, lexicon: Lexicon) -> list[Said]:
    """What an engine said, each decided by what can be told without the others."""
    usable = [each for each in said if each.kind in _TAGS and fold(each.name)]
    usable.sort(key=lambda each: (-each.confidence, fold(each.name), each.name, each.kind, each.language))
    spoken = _spoken(usable, rules.languages)
    found = []
    seen: set[str] = set()
    for each in usable:
        word = lexicon.word(each.name, each.language)
        rule = _rule(each, word, rules, spoken)
        if rule is Rule.WRITTEN and word.fold in seen:
            rule = Rule.REPEATED
        elif rule is Rule.WRITTEN:
            seen.add(word.fold)
        found.append(Said(engine, each, word, rule))
    return found


def _rule(each: Annotation, word: Word, rules: EnginePolicy, spoken: str | None) -> Rule:
    if spoken is not None and each.language not in ("", spoken):
        return Rule.LANGUAGE
    if word.min_confidence is not None:
        if each.confidence < word.min_confidence:
            return Rule.TAG_CONFIDENCE
    elif each.confidence < rules.min_confidence:
        return Rule.ENGINE_CONFIDENCE
    return word.barred or Rule.WRITTEN


def _spoken(said: Sequence[Annotation], languages: Sequence[str]) -> str | None:
    """The first of `languages` that there are names in; None: whatever there is."""
    there = {each.language for each in said} if languages else ()
    return next((language for language in languages if language in there), None)


def _agree(everything: Sequence[Said], vocabulary: Vocabulary) -> None:
    if vocabulary.agree == 1 and not vocabulary.trust and not vocabulary.terms:
        return
    trusted = support(everything, vocabulary)
    for said in everything:
        is_decided = said.rule is not Rule.WRITTEN or not said.is_counted
        if not is_decided and trusted[said.word.fold] + _ROUNDING < said.word.agree:
            said.rule = Rule.AGREEMENT


def _limit(said: Iterable[Said], most: int | None) -> None:
    if most is None:
        return
    left = most
    for each in said:
        if each.rule is Rule.WRITTEN:
            if left <= 0:
                each.rule = Rule.ENGINE_LIMIT
            left -= 1


def _limit_photo(everything: Sequence[Said], vocabulary: Vocabulary, most: int) -> None:
    """Keeps the tags that the engines are surest of together, each counted by the trust it has."""
    weight: dict[str, float] = {}
    for said in everything:
        if said.rule is Rule.WRITTEN and said.is_counted:
            sure = said.annotation.confidence * vocabulary.trust.get(said.engine, 1)
            weight[said.word.fold] = weight.get(said.word.fold, 0) + sure
    ranked = sorted(weight, key=lambda name: (-weight[name], name))
    over = set(ranked[most:])
    for said in everything:
        if said.rule is Rule.WRITTEN and said.is_counted and said.word.fold in over:
            said.rule = Rule.PHOTO_LIMIT

"""What of the engines' answers becomes tags."""

from __future__ import annotations

import random

import pytest

from tests.stage import tag
from tigertag.model import Annotation, EnginePolicy, Kind, Vocabulary
from tigertag.pipeline.policy import Policy, Wanted, prefixed, wanted


def names(
    *said: Annotation, words: Vocabulary | None = None, languages: tuple[str, ...] = (), **rules: object
) -> list[str]:
    """The names one engine's answer becomes."""
    policy = EnginePolicy(languages=languages, **rules)  # type: ignore[arg-type]
    return [each.name for each in wanted({"seer": said}, Policy({"seer": policy}, words or Vocabulary()))]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("", "dog"), ("tti", "tti_dog"), ("ai:", "ai:dog"), ("tti_", "tti_dog"), ("é", "é_dog")],
)
def test_a_prefix_is_joined_with_an_underscore_unless_it_ends_in_a_sign_of_its_own(
    prefix: str, name: str
) -> None:
    assert prefixed(prefix, "dog") == name


@pytest.mark.parametrize("percent", [30, 29, 1, 7, 57, 58, 99.9, 100])
def test_a_threshold_is_inclusive(percent: float) -> None:
    at, below = tag("at", percent), Annotation(Kind.TAG, "below", percent / 100 - 1e-9)
    assert names(at, below, min_confidence=percent / 100) == ["at"]


def test_max_tags_takes_the_surest_of_those_that_pass() -> None:
    said = (tag("c", 50), tag("a", 90), tag("d", 20), tag("b", 50))
    assert names(*said, max_tags=3, min_confidence=0.3) == ["a", "b", "c"]
    assert names(*said, max_tags=1) == ["a"]


def test_max_tags_counts_names_after_the_vocabulary() -> None:
    words = Vocabulary(deny=frozenset({"indoors"}), rename={"doggy": "dog", "puppy": "dog"})
    said = (tag("indoors", 99), tag("doggy", 98), tag("puppy", 97), tag("dog", 96), tag("sofa", 40))
    assert names(*said, words=words, max_tags=2) == ["dog", "sofa"]


def test_only_tags_and_persons_become_tags() -> None:
    kinds = [Annotation(kind, f"a {kind}") for kind in Kind]
    assert names(*kinds) == ["a person", "a tag"]
    assert names(Annotation(Kind.TAG, "  "), Annotation(Kind.PERSON, "")) == []


def test_a_tag_said_twice_is_one_with_the_surest_spelling() -> None:
    assert names(tag("dog", 40), tag("Dog", 80), tag("DOG ", 60)) == ["Dog"]


def test_the_first_language_that_a_photo_has_names_in_is_written() -> None:
    said = (tag("Hund", language="de"), tag("dog", language="en"), tag("2026"))
    assert names(*said, languages=("de", "en")) == ["2026", "Hund"]
    assert names(*said, languages=("fr", "en")) == ["2026", "dog"]
    assert names(*said) == ["2026", "dog", "Hund"]


def test_an_allow_list_lets_only_its_names_through_before_or_after_renaming() -> None:
    words = Vocabulary(allow=frozenset({"pet", "beach"}), rename={"dog": "pet"})
    assert names(tag("dog"), tag("beach"), tag("sofa"), words=words) == ["beach", "pet"]


def test_a_renamed_tag_is_known_by_its_new_name() -> None:
    policy = Policy({"seer": EnginePolicy(prefix="tti")}, Vocabulary(rename={"doggy": "Good Dog"}))
    assert wanted({"seer": [tag("Doggy")]}, policy) == (Wanted("tti_Good Dog", "tag", "good dog", ("seer",)),)


def test_two_engines_that_want_a_tag_share_it() -> None:
    policy = Policy({"one": EnginePolicy(), "two": EnginePolicy()}, Vocabulary())
    found = wanted({"two": [tag("Dog"), tag("cat", 10)], "one": [tag("dog")]}, policy)
    assert found == (Wanted("dog", "tag", "dog", ("one", "two")), Wanted("cat", "tag", "cat", ("two",)))


def test_an_engine_out_of_force_wants_nothing() -> None:
    assert wanted({"gone": [tag("dog")]}, Policy({"seer": EnginePolicy()}, Vocabulary())) == ()


def test_the_same_answers_give_the_same_tags_in_the_same_order() -> None:
    said = [tag(name, percent) for name in ("b", "a", "É", "e\u0301", "ß", "ss", "c") for percent in (50, 70)]
    dice = random.Random(1)
    shuffled = [tuple(names(*dice.sample(said, len(said)), max_tags=4)) for _ in range(50)]
    assert set(shuffled) == {("a", "b", "c", "ss")} or len(set(shuffled)) == 1


def test_a_policy_is_known_by_all_that_changes_its_tags() -> None:
    rules = [
        EnginePolicy(),
        EnginePolicy(min_confidence=0.3),
        EnginePolicy(max_tags=3),
        EnginePolicy(prefix="tti"),
        EnginePolicy(languages=("de",)),
    ]
    words = [Vocabulary(allow=frozenset()), Vocabulary(deny=frozenset({"a"})), Vocabulary(rename={"a": "b"})]
    prints = [Policy({"seer": each}, Vocabulary()).fingerprint for each in rules]
    prints += [Policy({"seer": EnginePolicy()}, each).fingerprint for each in words]
    prints.append(Policy({}, Vocabulary()).fingerprint)
    assert len(set(prints)) == len(prints)

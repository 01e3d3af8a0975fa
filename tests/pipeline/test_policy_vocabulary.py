"""What an owner's vocabulary makes of the engines' answers: languages, parents, agreement, trust, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.stage import tag
from tigertag.model import Annotation, EnginePolicy, Kind, Term, Vocabulary, fold
from tigertag.pipeline.policy import Policy, Wanted, wanted

GOWN = Term("gown", synonyms=("ball gown",), names={"de": "Ballkleid", "fr": "robe de bal"})
DRESS = Term("dress", names={"de": "Kleid"})
TREE = Vocabulary(
    terms={"gown": GOWN, "dress": DRESS}, parents={"gown": "dress", "dress": "clothing"}, languages=("de",)
)


def tags(policy: Policy, **answers: list[Annotation]) -> dict[str, Wanted]:
    """The tags for a photo by name."""
    return {each.name: each for each in wanted(answers, policy)}


def under(words: Vocabulary, *said: Annotation, **rules: object) -> list[str]:
    """The names that one engine's answer becomes."""
    policy = Policy({"seer": EnginePolicy(**rules)}, words)  # type: ignore[arg-type]
    return [*tags(policy, seer=[*said])]


def agreeing(words: Vocabulary, **answers: list[Annotation]) -> set[str]:
    """The names that several engines' answers become."""
    return {*tags(Policy({name: EnginePolicy() for name in answers}, words), **answers)}


# ── one name ──────────────────────────────────────────────────────────────────────────────────────────────


def test_synonyms_and_names_in_other_languages_are_one_tag() -> None:
    said = [tag("Ball Gown", 90), tag("robe de bal", 80, language="fr"), tag("Ballkleid", 70), tag("gown", 60)]
    (found,) = tags(Policy({"seer": EnginePolicy()}, Vocabulary(terms={"gown": GOWN})), seer=said).values()
    assert (found.name, found.canonical) == ("gown", "gown")


def test_a_verdict_hangs_on_the_same_name_whichever_language_is_written() -> None:
    found = [
        tags(
            Policy({"seer": EnginePolicy(prefix="ai")}, Vocabulary(terms={"gown": GOWN}, languages=languages)),
            seer=[tag("Ball gown")],
        )
        for languages in ((), ("de",), ("fr", "de"), ("es",))
    ]
    assert [[*each] for each in found] == [["ai_gown"], ["ai_Ballkleid"], ["ai_robe de bal"], ["ai_gown"]]
    assert {each.canonical for one in found for each in one.values()} == {"gown"}


def test_a_word_means_what_it_means_in_the_language_it_was_said_in() -> None:
    terms = {"poison": Term("poison", names={"de": "Gift"}), "gift": Term("gift", names={"de": "Geschenk"})}
    words = Vocabulary(terms=terms)
    assert under(words, tag("Gift", language="de")) == ["poison"]
    assert under(words, tag("Gift", language="de_AT")) == ["poison"]
    assert under(words, tag("gift", language="en")) == ["gift"]
    assert under(words, tag("gift")) == ["gift"]


def test_a_name_of_two_tags_in_two_languages_is_left_as_it_is_where_nobody_says_which() -> None:
    terms = {"a": Term("a", names={"de": "Rat"}), "b": Term("b", names={"fr": "rat"})}
    assert under(Vocabulary(terms=terms), tag("rat")) == ["rat"]
    assert under(Vocabulary(terms=terms), tag("rat", language="fr")) == ["b"]


def test_a_rename_ends_at_the_spelling_of_the_tags_own_entry() -> None:
    words = Vocabulary(rename={"doggy": "dog"}, terms={"dog": Term("DOG")})
    assert under(words, tag("doggy"), tag("dog")) == ["DOG"]


@pytest.mark.parametrize("name", ["gown", "ball gown", "Ballkleid"])
def test_a_list_may_name_a_tag_as_it_is_said_known_or_shown(name: str) -> None:
    denied = Vocabulary(deny=frozenset({fold(name)}), terms={"gown": GOWN}, languages=("de",))
    allowed = Vocabulary(allow=frozenset({fold(name)}), terms={"gown": GOWN}, languages=("de",))
    assert under(denied, tag("ball gown")) == []
    assert under(allowed, tag("ball gown"), tag("sofa")) == ["Ballkleid"]


# ── what lies above ───────────────────────────────────────────────────────────────────────────────────────


def test_a_tag_knows_what_lies_above_it_as_it_is_shown() -> None:
    found = tags(Policy({"seer": EnginePolicy(prefix="ai")}, TREE), seer=[tag("gown"), tag("sofa")])
    assert {name: each.path for name, each in found.items()} == {
        "ai_Ballkleid": ("ai_clothing", "ai_Kleid"),
        "ai_sofa": (),
    }


def test_parents_are_written_when_the_owner_says_so_with_verdicts_and_places_of_their_own() -> None:
    words = Vocabulary(terms=TREE.terms, parents=TREE.parents, languages=("de",), writes_parents=True)
    found = tags(
        Policy({"one": EnginePolicy(), "two": EnginePolicy()}, words), one=[tag("gown")], two=[tag("clothing")]
    )
    assert found == {
        "Ballkleid": Wanted("Ballkleid", "tag", "gown", ("one",), ("clothing", "Kleid")),
        "clothing": Wanted("clothing", "tag", "clothing", ("two", "one"), ()),
        "Kleid": Wanted("Kleid", "tag", "dress", ("one",), ("clothing",)),
    }


def test_a_category_holds_tags_and_is_none() -> None:
    words = Vocabulary(
        terms={"what": Term("WHAT", is_category=True)},
        parents={"dog": "animal", "animal": "WHAT"},
        writes_parents=True,
    )
    found = tags(Policy({"seer": EnginePolicy()}, words), seer=[tag("dog"), tag("what")])
    assert {name: each.path for name, each in found.items()} == {"dog": ("WHAT", "animal"), "animal": ("WHAT",)}


def test_what_is_denied_is_no_parent_either_and_what_is_not_allowed_is_only_a_place() -> None:
    parents = {"dog": "animal", "animal": "nature"}
    denied = Vocabulary(deny=frozenset({"animal"}), parents=parents, writes_parents=True)
    found = tags(Policy({"seer": EnginePolicy()}, denied), seer=[tag("dog")])
    assert {name: each.path for name, each in found.items()} == {"dog": ("nature",), "nature": ()}
    allowed = Vocabulary(allow=frozenset({"dog", "nature"}), parents=parents, writes_parents=True)
    found = tags(Policy({"seer": EnginePolicy()}, allowed), seer=[tag("dog")])
    assert {name: each.path for name, each in found.items()} == {"dog": ("nature", "animal"), "nature": ()}


def test_people_may_have_a_place_in_the_tree_too() -> None:
    words = Vocabulary(parents={"anna": "Family"}, writes_parents=True)
    found = tags(Policy({"seer": EnginePolicy()}, words), seer=[Annotation(Kind.PERSON, "Anna")])
    assert {name: (each.kind, each.path) for name, each in found.items()} == {
        "Anna": ("person", ("Family",)),
        "Family": ("tag", ()),
    }


# ── how sure, how many, how many engines ──────────────────────────────────────────────────────────────────


def test_the_least_confidence_of_a_tag_stands_in_place_of_the_engines() -> None:
    words = Vocabulary(terms={"fog": Term("fog", min_confidence=0.8), "owl": Term("owl", min_confidence=0.1)})
    said = [tag("fog", 79), tag("owl", 10), tag("sea", 29), tag("dog", 30)]
    assert under(words, *said, min_confidence=0.3) == ["dog", "owl"]
    assert under(words, tag("fog", 80), min_confidence=0.3) == ["fog"]


def test_two_engines_must_agree_unless_one_is_trusted_for_two() -> None:
    words = Vocabulary(agree=2, trust={"keywords": 2, "guess": 0.5}, terms={"owl": Term("owl", agree=1)})
    found = agreeing(
        words,
        one=[tag("dog"), tag("cat"), tag("owl"), Annotation(Kind.PERSON, "Anna")],
        two=[tag("dog")],
        guess=[tag("cat"), tag("sea")],
        keywords=[tag("Rome")],
    )
    assert found == {"dog", "owl", "Anna", "Rome"}


def test_an_engine_that_says_a_tag_twice_agrees_with_nobody() -> None:
    words = Vocabulary(agree=2, terms={"dog": Term("dog", synonyms=("hound",))})
    assert agreeing(words, one=[tag("dog"), tag("hound")], two=[tag("cat")]) == set()
    assert agreeing(words, one=[tag("hound")], two=[tag("Dog")]) == {"dog"}


def test_trusts_that_come_to_what_is_asked_for_are_enough_however_they_are_rounded() -> None:
    words = Vocabulary(agree=0.3, trust={"a": 0.1, "b": 0.1, "c": 0.1})
    assert agreeing(words, a=[tag("dog")], b=[tag("dog")], c=[tag("dog")]) == {"dog"}


def test_a_tag_without_agreement_takes_nobodys_place() -> None:
    policy = Policy({"one": EnginePolicy(max_tags=1), "two": EnginePolicy()}, Vocabulary(agree=2))
    assert [*tags(policy, one=[tag("fog", 90), tag("dog", 50)], two=[tag("dog", 80)])] == ["dog"]


def test_a_photo_gets_the_tags_that_all_engines_together_are_surest_of() -> None:
    words = Vocabulary(
        max_tags=2, trust={"two": 0.5}, agree=0.5, parents={"dog": "animal"}, writes_parents=True
    )
    found = agreeing(
        words,
        one=[tag("dog", 60), tag("cat", 70), tag("fog", 65), Annotation(Kind.PERSON, "Anna", 0.1)],
        two=[tag("dog", 40), tag("sea", 99)],
    )
    assert found == {"dog", "animal", "cat", "Anna"}


# ── the same for ever ─────────────────────────────────────────────────────────────────────────────────────


def test_a_vocabulary_of_the_first_kind_keeps_its_fingerprint() -> None:
    """Kept from before there were terms: else an update would plan every photo anew."""
    words = Vocabulary(allow=frozenset({"b", "a"}), deny=frozenset({"c"}), rename={"d": "A"})
    policy = Policy({"seer": EnginePolicy(0.3, 8, "tti", ("de",))}, words)
    assert policy.fingerprint == "e6e4232517cc1be67ebb39aa49ba10730bef503a9ab3b873665827b9a667e97b"


def test_the_fingerprint_tells_what_may_change_outcomes_and_nothing_else() -> None:
    def fingerprint(**said: object) -> str:
        return Policy({"seer": EnginePolicy()}, Vocabulary(**said)).fingerprint  # type: ignore[arg-type]

    terms = {"gown": GOWN}
    same = [
        fingerprint(terms=terms),
        fingerprint(terms=terms, agree=1.0, trust={"seer": 1, "nobody": 5}),
        fingerprint(terms=terms, languages=("xx",), writes_parents=True),
        fingerprint(terms={"gown": Term("gown", synonyms=("Ball Gown",), names=dict(GOWN.names))}),
    ]
    different = [
        fingerprint(),
        fingerprint(terms=terms, languages=("de",)),
        fingerprint(terms=terms, parents={"gown": "dress"}),
        fingerprint(terms=terms, parents={"gown": "dress"}, writes_parents=True),
        fingerprint(terms=terms, max_tags=3),
        fingerprint(terms=terms, agree=2),
        fingerprint(terms=terms, trust={"seer": 0.5}),
        *(
            fingerprint(terms={"gown": each})
            for each in (
                Term("Gown"),
                Term("gown", synonyms=("x",)),
                Term("gown", names={"de": "x"}),
                Term("gown", min_confidence=0.0),
                Term("gown", agree=1),
                Term("gown", is_category=True),
            )
        ),
    ]
    assert len({*same}) == 1
    assert len({*same, *different}) == len(different) + 1


NAMES = some.sampled_from(["dog", "Hund", "puppy", "cat", "animal", "x", "Gift"])
SAID = some.lists(
    some.builds(
        Annotation,
        some.sampled_from([Kind.TAG, Kind.PERSON]),
        NAMES,
        some.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
        language=some.sampled_from(["", "de", "en"]),
    ),
    max_size=8,
)
VOCABULARIES = some.builds(
    Vocabulary,
    deny=some.frozensets(NAMES.map(fold), max_size=2),
    terms=some.just({"dog": Term("dog", synonyms=("puppy",), names={"de": "Hund"}, min_confidence=0.4)}),
    parents=some.just({"dog": "animal", "animal": "x"}),
    languages=some.sampled_from([(), ("de",)]),
    writes_parents=some.booleans(),
    max_tags=some.sampled_from([None, 1, 3]),
    agree=some.sampled_from([1, 2]),
    trust=some.sampled_from([{}, {"one": 0.5}, {"two": 2}]),
)


@given(SAID, SAID, VOCABULARIES)
def test_whatever_is_said_tags_are_different_permitted_and_do_not_depend_on_its_order(
    one: list[Annotation], two: list[Annotation], words: Vocabulary
) -> None:
    policy = Policy({"one": EnginePolicy(), "two": EnginePolicy(max_tags=4)}, words)
    found = wanted({"one": one, "two": two}, policy)
    assert len({each.fold for each in found}) == len(found)
    assert not {name for each in found for name in (each.fold, each.canonical)} & words.deny
    assert not {fold(name) for each in found for name in each.path} & words.deny
    said_last = wanted({"two": [*reversed(two)], "one": [*reversed(one)]}, policy)
    assert {each.fold for each in said_last} == {each.fold for each in found}
    if words.max_tags is not None and not words.writes_parents:
        assert sum(each.kind == "tag" for each in found) <= words.max_tags

"""A vocabulary that changes over a library that was written: no engine call, and no wish forgotten."""

from __future__ import annotations

from dataclasses import replace

from tests.house import House
from tests.stage import tag
from tigertag.model import Term, Vocabulary
from tigertag.vocabulary.base import base_parents

DOG = Vocabulary(
    terms={"dog": Term("dog", synonyms=("hound",), names={"de": "Hund"})}, parents={"dog": "animal"}
)
GERMAN = replace(DOG, languages=("de",))
TREE = replace(DOG, writes_parents=True)


def furnish(house: House) -> None:
    house.engine("seer")
    house.photo("1", tag("dog", 90), number=1)
    house.photo("2", tag("dog", 90), tag("sofa", 80), number=2)
    house.scan()
    assert house.wall == {"1": {"dog"}, "2": {"dog", "sofa"}}


def written(house: House, words: Vocabulary) -> dict[str, set[str]]:
    """What hangs there after a write under a vocabulary; no engine may be asked for it."""
    asked = house.mind().asked.total()
    house.vocabulary = words
    assert house.write().exit_code == 0
    assert house.mind().asked.total() == asked
    return house.wall


def test_another_language_renames_our_tags_and_back(any_house: House) -> None:
    furnish(any_house)
    assert written(any_house, GERMAN) == {"1": {"hund"}, "2": {"hund", "sofa"}}
    assert written(any_house, DOG) == {"1": {"dog"}, "2": {"dog", "sofa"}}


def test_what_was_removed_stays_away_in_every_language_and_under_every_synonym(any_house: House) -> None:
    furnish(any_house)
    any_house.stage.wall.user_removes("1", "dog")
    any_house.write(verify=True)
    assert written(any_house, GERMAN) == {"2": {"hund", "sofa"}}
    assert written(any_house, DOG) == {"2": {"dog", "sofa"}}
    any_house.mind().says[any_house.photo("3", number=1)] = [tag("hound")]
    assert written(any_house, replace(DOG, deny=frozenset({"sofa"}))) == {"2": {"dog"}}


def test_parents_come_and_go_with_the_vocabulary_but_never_the_owners(any_house: House) -> None:
    furnish(any_house)
    any_house.stage.wall.user_adds("1", "Animal")
    assert written(any_house, TREE) == {"1": {"dog", "animal"}, "2": {"dog", "animal", "sofa"}}
    assert written(any_house, DOG) == {"1": {"dog", "animal"}, "2": {"dog", "sofa"}}


def test_a_parent_that_was_removed_stays_away_and_its_child_stays(any_house: House) -> None:
    furnish(any_house)
    written(any_house, TREE)
    any_house.stage.wall.user_removes("1", "animal")
    any_house.write(verify=True)
    assert written(any_house, TREE) == {"1": {"dog"}, "2": {"dog", "animal", "sofa"}}


def test_what_a_vocabulary_wrote_is_taken_back_whole(any_house: House) -> None:
    furnish(any_house)
    assert written(any_house, replace(TREE, parents=base_parents())) == {
        "1": {"dog", "mammal", "animal"},
        "2": {"dog", "mammal", "animal", "sofa", "seat", "furniture"},
    }
    any_house.undo(2)
    assert any_house.wall == {"1": {"dog"}, "2": {"dog", "sofa"}}


def test_a_second_write_under_the_same_words_changes_nothing(any_house: House) -> None:
    furnish(any_house)
    written(any_house, replace(GERMAN, writes_parents=True, max_tags=1))
    edits = any_house.stage.wall.tags.copy()
    report = any_house.write()
    assert (report.tally.added, report.tally.removed, any_house.stage.wall.tags) == (0, 0, edits)

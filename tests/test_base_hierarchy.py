"""The hierarchy that ships with TigerTag, and the script that makes it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tigertag.model import LONGEST_NAME, Vocabulary, fold
from tigertag.vocabulary.base import base_parents
from tigertag.vocabulary.lexicon import climb
from tools.base_hierarchy import Choice, hierarchy

ROOT = Path(__file__).parents[1]
WORDNET = Path("/usr/share/wordnet")


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("gown", ["dress", "clothing"]),
        ("beagle", ["dog", "mammal", "animal"]),
        ("tiger", ["big cat", "mammal", "animal"]),
        ("espresso", ["coffee", "drink", "food"]),
        ("cathedral", ["church", "place of worship", "building"]),
        ("sunset", ["sky"]),
        ("dolphin", ["mammal", "animal"]),
        ("christmas tree", ["holiday"]),
        ("canal", ["body of water"]),
        ("animal", []),
        ("entity", []),
    ],
)
def test_words_lie_below_what_a_photographer_expects(name: str, above: list[str]) -> None:
    assert [*climb(name, Vocabulary(parents=base_parents()))] == above


def test_every_name_is_a_tag_in_its_plain_form_and_no_way_up_is_long() -> None:
    parents = base_parents()
    assert 3_000 < len(parents) < 6_000
    words = Vocabulary(parents=parents)
    for name, parent in parents.items():
        assert (fold(name), fold(parent)) == (name, parent)
        assert len(name) <= LONGEST_NAME
        assert len([above for above, _ in zip(climb(name, words), range(10), strict=False)]) < 6


def test_colours_and_shapes_of_pictures_lie_below_nothing() -> None:
    said = ["orange", "olive", "turquoise", "red", "portrait", "landscape", "square", "panorama"]
    assert base_parents().keys().isdisjoint(said)


def test_no_word_calls_a_person_names() -> None:
    assert (
        base_parents().keys().isdisjoint(["alcoholic", "bastard", "criminal", "homosexual", "slave", "victim"])
    )


def test_the_licence_lies_beside_it() -> None:
    licence = files("tigertag.vocabulary").joinpath("LICENSE.wordnet").read_text(encoding="utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence


@pytest.mark.skipif(not WORDNET.is_dir(), reason="needs Debian's wordnet-base")
def test_the_script_makes_the_table_that_ships() -> None:
    assert hierarchy(WORDNET, Choice.read(ROOT / "tools" / "base_hierarchy.yaml")) == base_parents()


def test_the_script_takes_the_first_meaning_the_nearest_anchor_and_words_that_are_used(tmp_path: Path) -> None:
    nouns = [
        "00000001 05 n 01 animal 0 000 | a living thing, such as a hound or a hound",
        "00000002 05 n 01 dog 0 001 @ 00000001 n 0000 | a hound that is an animal",
        "00000003 05 n 02 hound 0 Canis 0 001 @ 00000002 n 0000 | a dog for hunting",
        "00000004 18 n 01 Hound 0 001 @i 00000001 n 0000 | one Hound that is a person",
        "00000005 05 n 01 rare_hound 0 001 @ 00000002 n 0000 | nobody speaks of it",
    ]
    index = [
        "animal n 1 1 ~ 1 3 00000001",
        "dog n 1 1 @ 1 2 00000002",
        "hound n 2 1 @ 2 0 00000004 00000003",
        "canis n 1 1 @ 1 9 00000003",
        "rare_hound n 1 1 @ 1 0 00000005",
    ]
    (tmp_path / "data.noun").write_text("\n".join(["  1 the licence", *nouns, ""]))
    (tmp_path / "index.noun").write_text("\n".join([*index, ""]))
    for name in ("data.verb", "data.adj", "data.adv"):
        (tmp_path / name).write_text("")
    anchors = {"animal": ("animal.1",), "dog": ("dog.1",)}
    choice = Choice(anchors, {"snow": "weather", "orange": "fruit"}, {}, frozenset({"orange"}))
    assert hierarchy(tmp_path, choice) == {"dog": "animal", "hound": "dog", "snow": "weather"}

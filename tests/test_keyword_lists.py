"""Keyword lists of Lightroom and digiKam, into a vocabulary and out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from tests.test_config_vocabulary import read as read_yaml
from tigertag.config.vocabulary_edit import lines as yaml_lines
from tigertag.config.vocabulary_edit import with_terms
from tigertag.errors import ConfigError
from tigertag.model import Term, Vocabulary
from tigertag.vocabulary import digikam, lightroom
from tigertag.vocabulary.exchange import Taken, give, recognise, take
from tigertag.vocabulary.keyword import Keyword

LIST = """\
[WHAT]
\tanimals
\t\tdog
\t\t\t{doggy}
\t\t\t{canine, domestic}
\t\t\tbeagle
\t\tcat
[WHO]
\tAnna
"""
COMMENTED = "# all\ntags: # these\n\n    # dogs\n    dog: # here\n        parent: pet\n"


def bare(keywords: list[Keyword]) -> list[Keyword]:
    return [replace(each, line=0) for each in keywords]


def taken(text: str, words: Vocabulary | None = None) -> Taken:
    return take(lightroom.read(text).keywords, words or Vocabulary())


# ── reading and writing ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_lightroom_list_is_read_with_its_tree_synonyms_and_categories(ending: str) -> None:
    found = lightroom.read("\ufeff" + LIST.replace("\n", ending))
    assert found.faults == []
    assert bare(found.keywords) == [
        Keyword("WHAT", (), (), True),
        Keyword("animals", ("WHAT",)),
        Keyword("dog", ("WHAT", "animals"), ("doggy", "canine, domestic")),
        Keyword("beagle", ("WHAT", "animals", "dog")),
        Keyword("cat", ("WHAT", "animals")),
        Keyword("WHO", (), (), True),
        Keyword("Anna", ("WHO",)),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a\n\t\tb\n", "line 2: `b` is more than one tab deeper than the line above"),
        ("a\n    b\n", "line 2: `b` is indented by blanks: use a tab for each step"),
        ("{a}\n", "line 1: the synonym `a` stands below no keyword"),
        ("a\nb\x00\n", "line 2: the name has signs that cannot be printed"),
        ("x" * 501, "line 1: the name is longer than 500 signs"),
    ],
)
def test_a_line_of_a_lightroom_list_that_cannot_be_understood_is_named(text: str, fault: str) -> None:
    assert lightroom.read(text).faults == [fault]


def test_digikam_paths_are_read_with_the_tags_that_only_stand_in_paths() -> None:
    found = digikam.read("/People/Anna/\nAnimals/Dogs/Beagle\r\n\nAnimals\n")
    assert found.faults == []
    assert digikam.write(found.keywords) == [
        "People",
        "People/Anna",
        "Animals",
        "Animals/Dogs",
        "Animals/Dogs/Beagle",
    ]
    assert digikam.read("a//b").faults == ["line 1: `a//b` has a name of no signs between two `/`"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (LIST, "lightroom"),
        ("dog\ncat\n", "lightroom"),
        ("a/b\nc\n", "digikam"),
        ("w/o people\n\tx\n", "lightroom"),
    ],
)
def test_a_list_is_recognised_by_its_looks(text: str, form: str) -> None:
    assert recognise(text) == form


NAMES = some.text(some.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=5).filter(
    lambda name: name[0] not in "[{/" and "/" not in name
)
PATHS = some.lists(some.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=12)


@given(PATHS)
def test_what_is_written_is_read_the_same(paths: list[tuple[str, ...]]) -> None:
    tree = sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)})
    keywords = [Keyword(path[-1], path[:-1]) for path in tree]
    assert {(*each.path, each.name) for each in digikam.read("\n".join(digikam.write(keywords))).keywords} == {
        *tree
    }
    back = lightroom.read("\n".join(lightroom.write(keywords)))
    assert back.faults == []
    assert len(back.keywords) == len(tree)


# ── into a vocabulary ─────────────────────────────────────────────────────────────────────────────────────


def test_a_list_becomes_entries_with_parents_synonyms_and_categories(tmp_path: Path) -> None:
    text = with_terms("", taken(LIST).terms, "vocabulary.yaml")
    words, faults = read_yaml(tmp_path, text)
    assert faults == []
    assert words.parents == {
        "animals": "WHAT",
        "dog": "animals",
        "beagle": "dog",
        "cat": "animals",
        "anna": "WHO",
    }
    assert words.terms["dog"].synonyms == ("doggy", "canine, domestic")
    assert words.terms["what"].is_category
    assert yaml.safe_load(text)["tags"]["dog"] == {
        "parent": "animals",
        "synonyms": ["doggy", "canine, domestic"],
    }


def test_a_name_has_one_place_and_a_synonym_one_meaning() -> None:
    found = taken("Rome\n\tforum\nweb\n\tforum\n\t\t{board}\ngame\n\t{board}\n\t{web}\n\t{Game}\n")
    assert [(each.name, each.parent, each.synonyms) for each in found.terms] == [
        ("Rome", None, ()),
        ("forum", "Rome", ()),
        ("web", None, ()),
        ("game", None, ("board",)),
    ]
    assert found.notes == [
        "line 4: `forum` has its place in line 2 already",
        "line 6: the synonym `web` is left out: it means `web` already",
    ]


def test_what_the_vocabulary_says_already_stays() -> None:
    words = Vocabulary(
        rename={"doggy": "dog"},
        terms={"cat": Term("cat", names={"de": "Katze"}), "pet": Term("pet", "beagle")},
        parents={"pet": "beagle"},
    )
    found = taken("pet\n\tcat\n\tbeagle\n\tKatze\n\tdoggy\n\tsofa\n\t\t{katze}\n", words)
    assert [(each.name, each.parent, each.synonyms) for each in found.terms] == [
        ("beagle", None, ()),
        ("sofa", "pet", ()),
    ]
    assert found.known == 4
    assert found.notes == [
        "line 4: `Katze` is another name of `cat`",
        "line 5: `doggy` is another name of `dog`",
        "line 3: `beagle` cannot lie below `pet`, which lies below it",
        "line 6: the synonym `katze` is left out: it means `cat` already",
    ]


# ── into its file ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "tags:\n  a:\n"),
        ("deny: [x]", "deny: [x]\n\ntags:\n  a:\n"),
        (COMMENTED, COMMENTED.replace("# these\n", "# these\n    a:\n")),
        ("tags:\ndeny: [x]\n", "tags:\n  a:\ndeny: [x]\n"),
        ("deny: [x]\r\ntags:\r\n  b:\r\n", "deny: [x]\r\ntags:\r\n  a:\r\n  b:\r\n"),
        ("tags:", "tags:\n  a:\n"),
    ],
)  # fmt: skip
def test_every_other_line_of_a_vocabulary_stays(before: str, after: str) -> None:
    assert with_terms(before, [Term("a")], "vocabulary.yaml") == after


def test_tags_in_braces_have_no_room_for_others() -> None:
    with pytest.raises(ConfigError, match="`tags` is written in braces"):
        with_terms("tags: {dog: {parent: pet}}\n", [Term("a")], "vocabulary.yaml")


@given(some.text(some.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8))
def test_every_name_is_a_text_to_every_reader_of_yaml(name: str) -> None:
    said = yaml.safe_load("tags:\n" + "\n".join(yaml_lines([Term(name, name, (name,))], "  ")))
    assert said == {"tags": {name: {"parent": name, "synonyms": [name]}}}


# ── out of a vocabulary ───────────────────────────────────────────────────────────────────────────────────

WORDS = Vocabulary(
    deny=frozenset({"secret"}),
    rename={"hound": "dog"},
    terms={
        "what": Term("WHAT", is_category=True),
        "dog": Term("dog", synonyms=("doggy",), names={"de": "Hund", "fr": "chien"}),
        "ac/dc": Term("AC/DC"),
        "[x]": Term("[x]"),
        "secret": Term("secret"),
    },
    parents={"dog": "animal", "animal": "WHAT", "ac/dc": "band", "beagle": "dog"},
)


def test_a_vocabulary_is_given_as_a_lightroom_list_with_all_other_names() -> None:
    lines, notes = give(WORDS, "lightroom")
    assert lines == [
        "band",
        "\tAC/DC",
        "[WHAT]",
        "\tanimal",
        "\t\tdog",
        *(f"\t\t\t{{{name}}}" for name in ("doggy", "Hund", "chien", "hound")),
    ]
    assert notes == [
        "`[x]` is left out: it begins with a bracket, which means something else in a Lightroom list"
    ]


def test_a_vocabulary_is_given_as_digikam_paths_in_the_language_that_is_written() -> None:
    lines, notes = give(replace(WORDS, languages=("de",)), "digikam", ["beagle", "hound"])
    assert lines == ["[x]", "band", "WHAT", "WHAT/animal", "WHAT/animal/Hund", "WHAT/animal/Hund/beagle"]
    assert notes == ["`AC/DC` is left out: it has a `/`, which digiKam takes for a step down"]


def test_a_list_that_went_through_a_vocabulary_comes_out_the_same(tmp_path: Path) -> None:
    words, _ = read_yaml(tmp_path, with_terms("", taken(LIST).terms, "vocabulary.yaml"))
    lines, _ = give(words, "lightroom")
    again = taken("\n".join(lines))
    assert {each.name: each for each in again.terms} == {each.name: each for each in taken(LIST).terms}

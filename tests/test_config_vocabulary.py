"""`vocabulary.yaml`: names a person allows, denies and renames; clashes named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tigertag.config import load
from tigertag.config.vocabulary import read_vocabulary
from tigertag.model import Term, Vocabulary
from tigertag.vocabulary.lexicon import Lexicon


def read(tmp_path: Path, text: str | bytes) -> tuple[Vocabulary, list[str]]:
    path = tmp_path / "vocabulary.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    faults: list[str] = []
    return read_vocabulary(path, "vocabulary.yaml", faults), faults


def permitted(words: Vocabulary, *names: str) -> list[str]:
    lexicon = Lexicon(words)
    return [name for name in names if lexicon.word(name).barred is None]


def test_names_are_compared_folded_and_written_as_they_were_spelled(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "deny: [Indoors]\nrename: {Doggy: Dog, ÉTÉ: Summer}\n")
    assert faults == []
    assert [Lexicon(words).canonical(name) for name in ("doggy ", "été", "Cat")] == ["Dog", "Summer", "Cat"]
    assert permitted(words, "INDOORS", "dog") == ["dog"]


def test_a_list_of_allowed_names_holds_new_and_old_spellings(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "allow: [dog]\nrename: {doggy: dog}\n")
    assert faults == []
    assert permitted(words, "dog", "doggy", "cat") == ["dog", "doggy"]


def test_words_that_yaml_takes_for_numbers_and_switches_are_names(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "deny: [no, 2021, 1.50, null_island]\nrename: {on: yes}\n")
    assert faults == []
    assert words.deny == {"no", "2021", "1.50", "null_island"}
    assert Lexicon(words).canonical("on") == "yes"


@pytest.mark.parametrize("text", ["", "# nothing\n", "allow:\ndeny:\nrename:\n", b"\xef\xbb\xbfdeny: []\n"])
def test_an_empty_file_permits_everything(tmp_path: Path, text: str | bytes) -> None:
    assert read(tmp_path, text) == (Vocabulary(), [])


def test_a_name_may_be_renamed_to_another_spelling_of_itself(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "rename: {nasa: NASA}\n")
    assert (faults, Lexicon(words).canonical("Nasa")) == ([], "NASA")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("alow: [a]\n", "line 1: unknown key `alow` (did you mean `allow`?)"),
        ("deny:\n  - a\nallow:\n  - b\n  - A\n", "line 2: `a` is denied here and allowed in line 5"),
        ("rename:\n  a: b\n  b: a\n", "line 3: `b` and `a` (line 2) are each renamed to the other"),
        ("rename:\n  a: b\n  b: c\n", "line 2: `a` becomes `b`, which line 3 renames again: name the last"),
        ("rename:\n  a: b\n  A: c\n", "line 3: `A` has another new name in line 2 already"),
        ("rename:\n  a: b\n  a: c\n", "line 3: `a` is given in line 2 already"),
        ("deny: [a]\ndeny: [b]\n", "line 2: `deny` is given in line 1 already"),
        ("deny: a\n", "line 1: `deny` must be a list of names"),
        ("deny:\n  - a\n  - [b]\n", "line 3: a name is expected"),
        ("deny: ['']\n", "line 1: a name is expected"),
        ('deny: ["a\\nb"]\n', "line 1: a name has at most 500 signs, all of them printable"),
        ("rename: [a]\n", "line 1: `rename` must be lines of `old name: new name`"),
        ("allow: []\n", "line 1: `allow` is empty, which allows no tag at all: leave it out to allow all"),
        ("- a\n", "line 1: lines such as `deny:`, `rename:` or `tags:` are expected"),
        ("deny: [a\n", "line 2: this is not YAML: expected ',' or ']', but got '<stream end>'"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    assert read(tmp_path, text)[1] == [f"vocabulary.yaml {fault}"]


@pytest.mark.parametrize("text", [b"deny: [\xff]\n", b"deny: [\x01]\n", b"[" * 100_000])
def test_a_file_that_is_no_yaml_text_is_one_fault(tmp_path: Path, text: bytes) -> None:
    assert len(read(tmp_path, text)[1]) == 1


# ── tags, languages, numbers ──────────────────────────────────────────────────────────────────────────────

FULL = """\
language: [de, fr]
write_parents: true
max_tags: 12
agree: 2
trust: {imagga: 1.5, Metadata: 2}
tags:
  clothing: {category: yes}
  dress:
    parent: clothing
    names: {de: Kleid, fr: robe}
  gown:
    parent: dress
    synonyms: [ball gown, Evening Gown]
    names: {de-CH: Abendrock}
    min_confidence: 60
    agree: 1
  lonely:
"""

HOMONYMS = """\
rename: {Bock: goat}
tags:
  dog: {names: {de: Hund}}
  hound: {names: {DE: hund}}
  buck: {names: {de: Bock}}
"""


def test_all_about_a_tag_stands_in_one_place(tmp_path: Path) -> None:
    words, faults = read(tmp_path, FULL)
    assert faults == []
    assert words.terms["gown"] == Term(
        "gown", "dress", ("ball gown", "Evening Gown"), {"de-ch": "Abendrock"}, 0.6, 1, False
    )
    assert (words.terms["clothing"].is_category, words.terms["lonely"]) == (True, Term("lonely"))
    assert words.parents == {"dress": "clothing", "gown": "dress"}
    assert (words.languages, words.writes_parents, words.max_tags) == (("de", "fr"), True, 12)
    assert (words.agree, words.trust) == (2, {"imagga": 1.5, "metadata": 2})


def test_a_parent_may_be_named_by_a_synonym_and_is_spelled_as_its_own_entry(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "tags:\n  Gown: {parent: frock}\n  Dress: {synonyms: [Frock]}\n")
    assert (faults, words.parents) == ([], {"gown": "Dress"})


def test_the_hierarchy_that_ships_is_off_until_asked_for_and_yields_to_the_owner(tmp_path: Path) -> None:
    assert read(tmp_path, "tags: {dog: {}}\n")[0].parents == {}
    tags = "{dog: {parent: ours}, cat: {parent: }, animal: {parent: cat}}"
    words, faults = read(tmp_path, f"hierarchy: base\nrename: {{beagle: snoopy}}\ntags: {tags}\n")
    assert faults == []
    lexicon = Lexicon(words)
    assert lexicon.word("puppy").path == ("ours", "dog")
    assert lexicon.word("cat").path == ()
    assert lexicon.word("mammal").path == ("cat", "animal")
    assert lexicon.word("beagle").path == ("ours", "dog")


def test_renaming_into_a_hierarchy_never_makes_a_circle(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "hierarchy: base\nrename: {animal: beagle}\n")
    assert faults == []
    assert "beagle" not in Lexicon(words).word("beagle").path
    assert Lexicon(words).word("puppy").path[-1] == "dog"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("tags: [a]\n", ["line 1: `tags` must be lines of `name:`, each with what there is to say about it"]),
        ("tags:\n  a: b\n", ["line 2: `a` must be followed by lines such as `parent:` or `synonyms:`"]),
        ("tags:\n  a:\n    parnt: b\n", ["line 3: unknown key `parnt` of `a` (did you mean `parent`?)"]),
        ("tags:\n  a:\n  A:\n", ["line 3: `A` is given in line 2 already"]),
        ("tags:\n  a: {parent: A}\n", ["line 2: `a` is its own parent"]),
        (
            "tags:\n  x: {parent: a}\n  a: {parent: b}\n  b: {parent: c}\n  c: {parent: a}\n  d: {parent: d}\n",
            [
                "line 3: the parents go round in a circle: `a` → `b` → `c` → `a`",
                "line 6: `d` is its own parent",
            ],
        ),
        (
            "tags:\n  dog: {synonyms: [pup]}\n  cat: {parent: dog}\n  pup:\n  seal:\n    synonyms: [Pup]\n",
            [
                "line 2: `pup` is a tag of its own in line 4, so no synonym of `dog`",
                "line 6: `Pup` is a tag of its own in line 4, so no synonym of `seal`",
                "line 6: `Pup` is a synonym of `dog` in line 2 already",
            ],
        ),
        ("rename:\n  pup: cat\ntags:\n  dog: {synonyms: [pup]}\n",
         ["line 2: `pup` becomes `cat` here and is a synonym of `dog` in line 4"]),
        ("rename:\n  dog: cat\ntags:\n  dog:\n",
         ["line 2: `dog` becomes `cat` here and is a tag of its own in line 4"]),
        ("rename:\n  doggy: pup\ntags:\n  dog: {synonyms: [pup]}\n",
         ["line 2: `doggy` becomes `pup`, a synonym of `dog` in line 4: name that"]),
        (
            HOMONYMS,
            [
                "line 4: `hund` is what `dog` is called in `de` in line 3 already",
                "line 5: `Bock` is what `buck` is called in `de`, and line 1 renames it",
            ],
        ),
        ("language: dee\ntags:\n  dog: {names: {de: Hund}}\n",
         ["line 1: no tag has a name in `dee` (did you mean `de`?): see `names` of `tags`"]),
        ("language: ger man\n", ["line 1: `ger man` is no language: write it as in `de` or `pt-BR`"]),
        ("language: []\n", ["line 1: `language` must be a language such as `de`, or a list of some"]),
        ("tags:\n  dog: {names: {1: Hund}}\n", ["line 2: `1` is no language: write it as in `de` or `pt-BR`"]),
        ("tags:\n  dog: {names: Hund}\n", ["line 2: `names` of `dog` must be lines of `language: name`"]),
        ("tags:\n  dog: {min_confidence: 160}\n",
         ["line 2: `min_confidence` of `dog` must be a number from 0 to 100"]),
        ("tags:\n  dog: {category: maybe}\n", ["line 2: `category` of `dog` must be `true` or `false`"]),
        ("hierarchy: bsae\n",
         ["line 1: `hierarchy` must be `base` or `none`, not `bsae` (did you mean `base`?)"]),
        ("max_tags: 0\nagree: two\ntrust: {one: -1}\nwrite_parents: perhaps\n", [
            "line 1: `max_tags` must be a whole number from 1 to 100,000",
            "line 2: `agree` must be a number from 0 to 100",
            "line 3: the trust of `one` must be a number from 0 to 100",
            "line 4: `write_parents` must be `true` or `false`",
        ]),
        ("trust: [one]\n", ["line 1: `trust` must be lines of `engine: number`"]),
    ],
)  # fmt: skip
def test_all_faults_of_a_vocabulary_are_named_at_once(tmp_path: Path, text: str, faults: list[str]) -> None:
    assert read(tmp_path, text)[1] == [f"vocabulary.yaml {fault}" for fault in faults]


def test_faults_of_every_kind_come_together(tmp_path: Path) -> None:
    text = "alow: [a]\nmax_tags: x\ndeny: [b]\nallow: [b]\ntags:\n  c: {parent: c, wrong: 1}\n"
    assert [each.split(":")[0].removeprefix("vocabulary.yaml ") for each in read(tmp_path, text)[1]] == [
        "line 1",
        "line 2",
        "line 6",
        "line 3",
        "line 6",
    ]


def test_an_anchor_of_yaml_stands_for_what_it_names(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "deny: &not [indoors]\ntags:\n  dog: &dog {parent: pet}\n  wolf: *dog\n")
    assert faults == []
    assert words.deny == {"indoors"}
    assert words.parents == {"dog": "pet", "wolf": "pet"}


def test_twenty_thousand_tags_are_read_without_keeping_the_processor_long(tmp_path: Path) -> None:
    lines = [f"  word {n}: {{parent: group {n % 500}, names: {{de: Wort {n}}}}}" for n in range(20_000)]
    words, faults = read(tmp_path, "language: de\ntags:\n" + "\n".join(lines))
    assert (faults, len(words.terms), len(words.parents)) == ([], 20_000, 20_000)


def test_what_does_not_fit_the_engines_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.yaml").write_text("agree: 3\ntrust: {metdata: 2, imagga: 1}\n")
    environ = {
        "ENGINE_METADATA_NAME": "metadata",
        "ENGINE_IMAGGA_NAME": "metadata",
        "ENGINE_IMAGGA_PREFIX": "x",
    }
    unknown, unreachable = load(env_file=None, environ=environ, cwd=tmp_path).warnings
    assert unknown == "The vocabulary trusts `metdata`, and no engine has this ID (did you mean `metadata`?)"
    assert "asks for 3, and all enabled engines together come to 2: no tag would be written" in unreachable
    (tmp_path / "vocabulary.yaml").write_text("agree: 3\ntrust: {metadata: 2}\n")
    assert load(env_file=None, environ=environ, cwd=tmp_path).warnings == ()


def test_two_names_that_are_renamed_to_each_other_are_named_once_also_in_one_line(tmp_path: Path) -> None:
    for text in ("rename: {a: b, b: a}\n", "rename:\n  a: b\n  b: a\n"):
        _, faults = read(tmp_path, text)
        assert len(faults) == 1 and "are each renamed to the other" in faults[0]


def test_a_second_document_is_not_left_out_in_silence(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "deny: [a]\n---\ndeny: [b]\n")
    assert faults == [
        "vocabulary.yaml line 3: another document begins here: a vocabulary is one, without `---`"
    ]
    assert read(tmp_path, "---\ndeny: [a]\n...\n")[1] == []


def test_of_a_large_circle_a_few_names_are_told(tmp_path: Path) -> None:
    text = "tags:\n" + "".join(f"  w{number}: {{parent: w{(number + 1) % 3000}}}\n" for number in range(3000))
    (fault,) = read(tmp_path, text)[1]
    assert fault.startswith("vocabulary.yaml line 2: the parents go round in a circle: `w0` → `w1` → ")
    assert fault.endswith("… 2,990 more … → `w0`")


def test_the_line_is_named_in_which_a_file_ceases_to_be_utf_8(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "tags:\n  dog: {}\n  café: {}\n".encode("latin-1"))
    assert faults == ["vocabulary.yaml line 3: this is not UTF-8: save the file as UTF-8"]

"""`vocabulary.yaml`: names a person allows, denies and renames; clashes named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tigertag.config.vocabulary import read_vocabulary
from tigertag.model import Vocabulary


def read(tmp_path: Path, text: str | bytes) -> tuple[Vocabulary, list[str]]:
    path = tmp_path / "vocabulary.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    faults: list[str] = []
    return read_vocabulary(path, "vocabulary.yaml", faults), faults


def test_names_are_compared_folded_and_written_as_they_were_spelled(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "deny: [Indoors]\nrename: {Doggy: Dog, ÉTÉ: Summer}\n")
    assert faults == []
    assert (words.canonical("doggy "), words.canonical("été"), words.canonical("Cat")) == (
        "Dog",
        "Summer",
        "Cat",
    )
    assert not words.permits("INDOORS")
    assert words.permits("dog")


def test_a_list_of_allowed_names_holds_new_and_old_spellings(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "allow: [dog]\nrename: {doggy: dog}\n")
    assert faults == []
    assert [words.permits(name) for name in ("dog", "doggy", "cat")] == [True, True, False]


def test_words_that_yaml_takes_for_numbers_and_switches_are_names(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "deny: [no, 2021, 1.50, null_island]\nrename: {on: yes}\n")
    assert faults == []
    assert words.deny == {"no", "2021", "1.50", "null_island"}
    assert words.canonical("on") == "yes"


@pytest.mark.parametrize("text", ["", "# nothing\n", "allow:\ndeny:\nrename:\n", b"\xef\xbb\xbfdeny: []\n"])
def test_an_empty_file_permits_everything(tmp_path: Path, text: str | bytes) -> None:
    assert read(tmp_path, text) == (Vocabulary(), [])


def test_a_name_may_be_renamed_to_another_spelling_of_itself(tmp_path: Path) -> None:
    words, faults = read(tmp_path, "rename: {nasa: NASA}\n")
    assert (faults, words.canonical("Nasa")) == ([], "NASA")


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
        ("- a\n", "line 1: `allow:`, `deny:` or `rename:` is expected"),
        ("deny: [a\n", "line 2: this is not YAML: expected ',' or ']', but got '<stream end>'"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    assert read(tmp_path, text)[1] == [f"vocabulary.yaml {fault}"]


@pytest.mark.parametrize("text", [b"deny: [\xff]\n", b"deny: [\x01]\n", b"[" * 100_000])
def test_a_file_that_is_no_yaml_text_is_one_fault(tmp_path: Path, text: bytes) -> None:
    assert len(read(tmp_path, text)[1]) == 1

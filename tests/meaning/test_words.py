"""Words: those that ship, those of a file, those of the vocabulary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tigertag.errors import ConfigError
from tigertag.meaning.words import THRESHOLD, Word, general, merged, of_terms, read, word
from tigertag.model import LONGEST_NAME, Term, fold


def test_everyday_words_come_once_each_with_prompts_a_group_and_a_threshold() -> None:
    words = general()
    assert len(words) > 1000
    assert [name for name, times in Counter(fold(each.name) for each in words).items() if times > 1] == []
    for each in words:
        assert each.name == each.name.strip() and len(each.name) < LONGEST_NAME
        assert each.group and 0.5 <= each.threshold <= 1
        assert each.prompts and all(text.strip() == text and text for text in each.prompts)
        assert not any(sign in text for text in each.prompts for sign in "{}~=[];")


def test_what_excludes_each_other_is_alternative() -> None:
    assert {each.group for each in general() if each.is_alternative} == {
        "season",
        "time of day",
        "indoors or outdoors",
    }


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("owl", "a photo of an owl"),
        ("dog", "a photo of a dog"),
        ("Milky Way", "a photo of Milky Way"),
        ("glasses", "a photo of glasses"),
        ("dress", "a photo of a dress"),
    ],
)
def test_a_name_gets_its_article(name: str, prompt: str) -> None:
    assert word(name).prompts == (prompt, name)


def test_a_file_gives_names_and_entries(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(
        "words:\n- sailing boat\n- name: cottage road\n  prompts: our road; its trees\n  threshold: 80\n"
        "- name: by day\n  prompts: [daylight]\n  group: when\n  alternatives: true\n"
    )
    assert read(path) == (
        word("sailing boat"),
        Word("cottage road", ("our road; its trees",), "", 0.8),
        Word("by day", ("daylight",), "when", THRESHOLD, is_alternative=True),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- name: dog\n  prompt: a dog\n", "`dog` has `prompt`"),
        ("- name: dog\n  threshold: 101\n", "threshold of `dog`"),
        ("- 3\n", "`3` is no word"),
        ("- {prompts: [a]}\n", "is no word"),
        ("a: b\n", "no list of words"),
        ("[", "cannot be read"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"words\.yaml") as caught:
        read(path)
    assert fault in str(caught.value)


def test_tags_of_the_vocabulary_are_words_and_categories_are_none() -> None:
    terms = {"dog": Term("Dog", min_confidence=0.8), "animal": Term("animal", is_category=True)}
    (dog,) = of_terms(terms)
    assert (dog.name, dog.threshold) == ("Dog", 0.8)


def test_the_later_of_two_words_with_one_name_counts() -> None:
    assert merged([word("Dog"), word("cat"), word("dog", ["my dog"])]) == (
        word("dog", ["my dog"]),
        word("cat"),
    )

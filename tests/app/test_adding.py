"""`tags add`: a name in the owner's vocabulary, and nothing else of the file changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.engines import clip_models
from tigertag.app import vocabulary_file
from tigertag.config.vocabulary import read_vocabulary
from tigertag.meaning.words import Word, of_terms, word
from tigertag.model import Term

FILE = """\
# My words. Größe: nicht verändern!
deny: [indoors]   # never
tags:
  # animals first
  dog:
    synonyms: [hound]   # ours
  cat: {parent: pet}  # in braces

  boat:
  beach:
    prompts: [a beach]
    min_confidence: 60   # percent
  road:
    prompts:
      - a road
      - a street

    group: ways
rename: {doggy: dog}
# the end
"""


@pytest.fixture
def owner(tmp_path: Path) -> Terminal:
    """With a vocabulary beside the settings."""
    (tmp_path / "vocabulary.yaml").write_text(FILE, encoding="utf-8")
    return Terminal(tmp_path, {"ENGINE_METADATA_NAME": "metadata"})


def text(owner: Terminal) -> str:
    return (owner.folder / "vocabulary.yaml").read_bytes().decode()


def terms(owner: Terminal) -> dict[str, Term]:
    faults: list[str] = []
    found = read_vocabulary(owner.folder / "vocabulary.yaml", "it", faults)
    assert faults == []
    return dict(found.terms)


def added(owner: Terminal, *arguments: str) -> list[str]:
    """Lines that are new; none of the old ones may be gone."""
    before = text(owner).splitlines()
    owner.ok("tags", "add", *arguments)
    after = text(owner).splitlines()
    assert [line for line in after if line in before] == [line for line in before if line in after]
    return [line for line in after if line not in before]


def test_a_new_name_is_put_among_the_tags_and_nothing_else_is_changed(owner: Terminal) -> None:
    before = text(owner)
    new = added(
        owner, "sailing boat", "--prompt", "a boat: with sails", "--prompt", "a yacht", "--threshold", "70"
    )
    assert new == [
        "  sailing boat:",
        '    prompts: ["a boat: with sails", a yacht]',
        "    min_confidence: 70",
    ]
    assert text(owner).replace("\n".join(new) + "\n", "") == before
    assert terms(owner)["sailing boat"].prompts == ("a boat: with sails", "a yacht")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("dog", "  dog:", "  dog:\n    prompts: [my dog]\n    group: pets\n    min_confidence: 70"),
        (
            "cat",
            "  cat: {parent: pet}  # in braces",
            "  cat: {parent: pet, prompts: [my dog], group: pets, min_confidence: 70}  # in braces",
        ),
        ("boat", "  boat:", "  boat:\n    prompts: [my dog]\n    group: pets\n    min_confidence: 70"),
        (
            "beach",
            "  beach:\n    prompts: [a beach]\n    min_confidence: 60   # percent",
            "  beach:\n    group: pets\n    prompts: [a beach, my dog]\n    min_confidence: 70   # percent",
        ),
        (
            "Road",
            "  road:\n    prompts:\n      - a road\n      - a street\n\n    group: ways",
            "  road:\n    min_confidence: 70\n    prompts:\n      [a road, a street, my dog]\n\n    group: pets",  # noqa: E501
        ),
    ],
)
def test_what_a_tag_says_is_kept_and_added_to(
    owner: Terminal, name: str, old: str, new: str, ending: str
) -> None:
    file = owner.folder / "vocabulary.yaml"
    file.write_bytes(FILE.replace("\n", ending).encode())
    owner.ok("tags", "add", name, "--prompt", "my dog", "--group", "pets", "--threshold", "70")
    assert text(owner) == FILE.replace(old + "\n", new + "\n").replace("\n", ending)


def test_twice_is_once(owner: Terminal) -> None:
    owner.ok("tags", "add", "Sailing Boat", "--prompt", "a yacht", "--group", "ships")
    before = text(owner)
    said = owner.ok("tags", "add", "sailing boat", "--prompt", "a yacht")
    assert "says this of sailing boat already" in said and text(owner) == before


def test_without_a_vocabulary_one_is_made_and_said(owner: Terminal) -> None:
    file = owner.folder / "vocabulary.yaml"
    file.unlink()
    assert f"by night added in {file}, a new file" in owner.ok("tags", "add", "by night", "--group", "daytime")
    assert text(owner) == "tags:\n  by night:\n    group: daytime\n"


def test_a_dry_run_changes_nothing(owner: Terminal) -> None:
    assert "would be added" in owner.ok("tags", "add", "tree", "--dry-run")
    assert text(owner) == FILE and list(owner.folder.glob(".tigertag-*")) == []


@pytest.mark.parametrize(
    ("file", "arguments", "fault"),
    [
        (FILE, ("hound",), "`hound` is another name of `dog`"),
        (FILE, (" ",), "is no name or prompt"),
        (FILE, ("tree", "--prompt", "a\x00b"), "is no name or prompt"),
        (FILE, ("tree", "--threshold", "101"), "101"),
        ("tags: {dog: {parent: pet}}\n", ("tree",), "`tags` is written in braces"),
        (
            "tags:\n  dog:\n    prompts:\n    - a\n    # mine\n    - b\n",
            ("dog", "--prompt", "c"),
            "comments between",
        ),
        ("tags:\n  dog: {parent: pet # why\n    }\n", ("dog", "--prompt", "c"), "is as it was"),
        ("tags:\n  x: &a {parent: pet}\n  dog: *a\n", ("dog", "--prompt", "c"), "is as it was"),
    ],
)
def test_what_cannot_be_added_is_told_and_the_file_is_as_it_was(
    owner: Terminal, file: str, arguments: tuple[str, ...], fault: str
) -> None:
    (owner.folder / "vocabulary.yaml").write_text(file, encoding="utf-8")
    result = owner.run("tags", "add", *arguments)
    assert result.exit_code == 2 and fault in result.output, result.output
    assert text(owner) == file


def test_what_somebody_saves_meanwhile_is_kept(owner: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    read, file = read_vocabulary, owner.folder / "vocabulary.yaml"

    def read_late(path: Path, label: str, faults: list[str]) -> object:
        file.write_text("tags:\n  theirs:\n", encoding="utf-8")
        return read(path, label, faults)

    monkeypatch.setattr(vocabulary_file, "read_vocabulary", read_late)
    result = owner.run("tags", "add", "tree")
    assert result.exit_code == 2 and "changed by somebody else" in result.output
    assert text(owner) == "tags:\n  theirs:\n"


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ({}, "no engine that looks for words is set up"),
        (
            {"ENGINE_CLIP_MODEL": "{model}", "ENGINE_CLIP_WORDS": "general"},
            "does not look for it: add `vocabulary`",
        ),
    ],
)
def test_what_keeps_a_name_from_being_found_is_told(
    owner: Terminal, settings: dict[str, str], note: str
) -> None:
    model = str(clip_models.make(owner.folder / "model"))
    owner.settings |= {name: value.format(model=model) for name, value in settings.items()}
    assert note in owner.run("tags", "add", "tree").stderr


def test_a_tag_takes_from_an_everyday_word_what_it_does_not_say_itself() -> None:
    usual = Word("dog", ("a photo of a dog",), "animals", 0.7, is_alternative=False)
    terms = {
        "dog": Term("Dog", synonyms=("hound",)),
        "boat": Term("boat", prompts=("a {}", "{a} at sea"), group="ships", min_confidence=0.0),
        "tree": Term("tree"),
    }
    assert list(of_terms(terms, [usual])) == [
        Word("Dog", usual.prompts, "animals", 0.7),
        Word("boat", ("a boat", "a boat at sea"), "ships", 0.0, is_alternative=True),
        word("tree", group="vocabulary"),
    ]

"""What another vocabulary would change: told before it is used, and as it then comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import House
from tests.stage import tag
from tigertag.app.keywords import export_keywords, import_keywords
from tigertag.app.trying import Trial, try_vocabulary
from tigertag.config.vocabulary import read_vocabulary
from tigertag.errors import ConfigError


def tried(house: House, folder: Path, text: str) -> Trial:
    path = folder / "other.yaml"
    path.write_text(text)
    return try_vocabulary(house.app, path)


def furnish(house: House) -> None:
    """Four photos: two dogs in a meadow, one that shows a cat too, and one with nothing."""
    house.engine("seer", prefix="ai")
    for number in (1, 2):
        house.photo(str(number), tag("dog", 90), tag("meadow", 60), number=number)
    house.photo("3", tag("cat", 80), tag("dog", 40), number=3)
    house.photo("4", number=4)
    house.scan()


TEXT = """
deny: [meadow]
hierarchy: none
write_parents: true
tags:
  dog: {min_confidence: 50, parent: animal}
  cat: {parent: animal}
"""


def test_added_and_removed_tags_are_counted_with_some_photos(any_house: House, tmp_path: Path) -> None:
    furnish(any_house)
    found = tried(any_house, tmp_path, TEXT)
    assert (found.photos, found.changed) == (4, 3)
    assert {each.name: (each.added, each.removed) for each in found.tags} == {
        "ai_animal": (3, 0),
        "ai_meadow": (0, 2),
        "ai_dog": (0, 1),
    }
    animal, meadow, dog = found.tags
    assert sorted(animal.added_to) == ["Summer/1.jpg", "Summer/2.jpg", "Summer/3.jpg"]
    assert (sorted(meadow.removed_from), dog.removed_from) == (
        ["Summer/1.jpg", "Summer/2.jpg"],
        ["Summer/3.jpg"],
    )


def test_what_is_told_is_what_comes_and_telling_changes_nothing(any_house: House, tmp_path: Path) -> None:
    furnish(any_house)
    any_house.stage.wall.user_removes("1", "ai_dog")
    any_house.stage.wall.user_adds("2", "ai_animal")
    any_house.write(verify=True)
    before, asked = any_house.wall, any_house.mind().asked.total()
    found = tried(any_house, tmp_path, TEXT)
    assert (any_house.wall, any_house.mind().asked.total()) == (before, asked)
    path, faults = tmp_path / "other.yaml", list[str]()
    any_house.vocabulary = read_vocabulary(path, path.name, faults)
    any_house.write()
    after = any_house.wall
    added = sum(len(after[key] - tags) for key, tags in before.items())
    removed = sum(len(tags - after[key]) for key, tags in before.items())
    assert sum(each.removed for each in found.tags) == removed == 3
    # Photo 2 has it already, by its owner's hand.
    assert sum(each.added for each in found.tags) - 1 == added == 2
    assert any_house.mind().asked.total() == asked


def test_what_was_removed_by_hand_is_not_told_to_come(house: House, tmp_path: Path) -> None:
    furnish(house)
    house.stage.wall.user_removes("1", "ai_dog")
    house.write(verify=True)
    found = tried(house, tmp_path, "tags:\n  dog: {names: {de: Hund}}\nlanguage: de\n")
    assert {each.name: (each.added, each.removed) for each in found.tags} == {
        "ai_Hund": (2, 0),
        "ai_dog": (0, 2),
    }


def test_a_faulty_file_is_refused_with_all_its_faults(house: House, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        tried(house, tmp_path, "alow: [a]\nmax_tags: x\n")
    assert len(caught.value.faults) == 2


def test_keywords_are_added_to_the_file_that_is_in_use(house: House, tmp_path: Path) -> None:
    furnish(house)
    listed, file = tmp_path / "keywords.txt", tmp_path / "vocabulary.yaml"
    listed.write_text("animal\n\tdog\n\t\t{hound}\n\tno\n", encoding="utf-8")
    house.vocabulary_file = file
    assert import_keywords(house.app, listed, dry_run=True).added == ["animal", "dog", "no"]
    assert not file.exists()
    file.write_text("# mine\ndeny: [meadow]\n")
    file.chmod(0o640)
    import_keywords(house.app, listed)
    faults: list[str] = []
    words = read_vocabulary(file, file.name, faults)
    assert (faults, words.parents) == ([], {"dog": "animal", "no": "animal"})
    assert file.read_text().startswith("# mine\ndeny: [meadow]\n")
    assert (file.stat().st_mode & 0o777, [each.name for each in tmp_path.iterdir() if each.is_dir()]) == (
        0o640,
        [],
    )
    house.vocabulary = words
    again = import_keywords(house.app, listed)
    assert (again.added, again.known) == ([], 3)


def test_a_list_with_a_line_that_is_not_understood_adds_nothing(house: House, tmp_path: Path) -> None:
    listed = tmp_path / "keywords.txt"
    listed.write_text("a\n\t\tb\n  c\n")
    house.vocabulary_file = tmp_path / "vocabulary.yaml"
    with pytest.raises(ConfigError) as caught:
        import_keywords(house.app, listed, "lightroom")
    assert len(caught.value.faults) == 2
    assert not house.vocabulary_file.exists()


def test_a_vocabulary_that_cannot_be_added_to_is_left_as_it_is(house: House, tmp_path: Path) -> None:
    listed, file = tmp_path / "keywords.txt", tmp_path / "vocabulary.yaml"
    listed.write_text("a\n")
    file.write_text("{deny: [b]}\n")
    house.vocabulary_file = file
    with pytest.raises(ConfigError, match="is as it was"):
        import_keywords(house.app, listed)
    assert file.read_text() == "{deny: [b]}\n"


def test_the_librarys_tags_are_given_with_what_lies_above_them(house: House, tmp_path: Path) -> None:
    furnish(house)
    path, faults = tmp_path / "vocabulary.yaml", list[str]()
    path.write_text("hierarchy: base\ndeny: [meadow]\ntags: {sofa: }\n")
    house.vocabulary = read_vocabulary(path, path.name, faults)
    assert export_keywords(house.app, "digikam")[0] == ["furniture", "furniture/seat", "furniture/seat/sofa"]
    assert export_keywords(house.app, "lightroom", library=True)[0] == [
        "animal",
        "\tmammal",
        "\t\tcat",
        "\t\tdog",
        "furniture",
        "\tseat",
        "\t\tsofa",
    ]

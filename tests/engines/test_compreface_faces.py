"""What faces.yaml and the faces folder ask for, and what is said of bad files and names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tigertag.engines.compreface_faces import Faces, Wanted, trouble_with_name
from tigertag.errors import ConfigError


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def asked(wanted: Wanted) -> list[tuple[str, str]]:
    return [(example.subject, example.name) for example in wanted.examples]


def from_yaml(folder: Path, text: str) -> Wanted:
    (folder / "faces.yaml").write_text(text, encoding="utf-8")
    return Faces(folder, None).wanted()


def test_each_folder_is_a_person_with_the_files_at_any_depth(tmp_path: Path) -> None:
    fill(tmp_path, "Ben/b.jpg", "Anna/a.jpg", "Anna/old/c.png")
    assert asked(Faces(tmp_path, None).wanted()) == [
        ("Anna", "Anna/a.jpg"),
        ("Anna", "Anna/old/c.png"),
        ("Ben", "Ben/b.jpg"),
    ]


def test_hidden_and_system_files_are_no_examples(tmp_path: Path) -> None:
    fill(tmp_path, "Anna/a.jpg", "Anna/.DS_Store", "Anna/Thumbs.db", "Anna/@eaDir/a.jpg", ".trash/b.jpg")
    wanted = Faces(tmp_path, None).wanted()
    assert asked(wanted) == [("Anna", "Anna/a.jpg")] and wanted.problems == ()


def test_a_loose_picture_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "Anna/a.jpg", "Ben.jpg", "README.txt")
    (problem,) = Faces(tmp_path, None).wanted().problems
    assert problem.startswith("Ben.jpg lies loose")


def test_the_yaml_says_who_is_on_which_picture(tmp_path: Path) -> None:
    fill(tmp_path, "p1.jpg", "sub/p2.jpg", "p3.jpg")
    anna = "- tag: Anna\n  images:\n  - name: p1.jpg\n  - name: sub/p2.jpg\n"
    text = f"faces:\n{anna}- tag: 2021\n  images: [{{name: p3.jpg}}]\n"
    assert asked(from_yaml(tmp_path, text)) == [("Anna", "p1.jpg"), ("Anna", "sub/p2.jpg"), ("2021", "p3.jpg")]


def test_a_yaml_elsewhere_names_files_below_the_faces_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "faces", "p1.jpg")
    (tmp_path / "people.yaml").write_text("faces: [{tag: Anna, images: [{name: p1.jpg}]}]")
    assert asked(Faces(folder, tmp_path / "people.yaml").wanted()) == [("Anna", "p1.jpg")]


def test_a_yaml_alone_names_files_beside_it(tmp_path: Path) -> None:
    fill(tmp_path, "p1.jpg")
    (tmp_path / "faces.yaml").write_text("faces: [{tag: Anna, images: [{name: p1.jpg}]}]")
    assert asked(Faces(None, tmp_path / "faces.yaml").wanted()) == [("Anna", "p1.jpg")]


def test_a_missing_file_is_one_line_and_is_held(tmp_path: Path) -> None:
    fill(tmp_path, "p1.jpg")
    wanted = from_yaml(tmp_path, "faces: [{tag: Anna, images: [{name: gone.jpg}, {name: p1.jpg}]}]")
    assert wanted.problems == ("gone.jpg (Anna) is not there",)
    assert asked(wanted) == [("Anna", "p1.jpg")] and wanted.held == {("anna", "gone.jpg")}


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/hostname", "link.jpg", "linked/secret.jpg"])
def test_a_path_or_link_out_of_the_folder_is_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = fill(tmp_path / "faces", "p1.jpg")
    fill(tmp_path, "secret.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "linked").symlink_to(tmp_path)
    wanted = from_yaml(folder, f"faces: [{{tag: Anna, images: [{{name: {name}}}, {{name: p1.jpg}}]}}]")
    assert wanted.problems == (f"{name} (Anna) lies outside the faces folder",)
    assert asked(wanted) == [("Anna", "p1.jpg")]


def test_a_linked_person_and_a_linked_file_are_refused_by_name(tmp_path: Path) -> None:
    folder = fill(tmp_path / "faces", "Anna/a.jpg")
    fill(tmp_path / "away", "b.jpg")
    (folder / "Ben").symlink_to(tmp_path / "away")
    (folder / "Anna/b.jpg").symlink_to(tmp_path / "away/b.jpg")
    wanted = Faces(folder, None).wanted()
    assert asked(wanted) == [("Anna", "Anna/a.jpg")]
    assert wanted.problems == (
        "Anna/b.jpg (Anna) lies outside the faces folder",
        "Ben is a link; put the folder itself into the faces folder",
    )


def test_a_fifo_and_a_folder_are_no_files_and_hold_nobody_up(tmp_path: Path) -> None:
    fill(tmp_path, "Anna/a.jpg")
    os.mkfifo(tmp_path / "Anna/pipe.jpg")
    wanted = from_yaml(tmp_path, "faces: [{tag: Anna, images: [{name: Anna/pipe.jpg}, {name: Anna}]}]")
    assert wanted.problems == ("Anna/pipe.jpg (Anna) is no file", "Anna (Anna) is no file")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is empty"),
        ("x" * 51, "more than 50"),
        ("😀" * 26, "more than 50"),
        ("a;b", "`;`"),
        ("a/b", "`/`"),
        ("a\\b", "`\\`"),
        ("a\tb", "cannot be shown"),
    ],
)
def test_a_name_the_service_would_mistake_is_refused_before_it_is_sent(name: str, words: str) -> None:
    assert words in trouble_with_name(name)
    assert trouble_with_name("Zoë & José, 3rd #1 + %2F") == "" == trouble_with_name("x" * 50)


def test_a_bad_name_is_one_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    fill(tmp_path, "p1.jpg")
    images = "images: [{name: p1.jpg}]"
    wanted = from_yaml(
        tmp_path, f"faces: [{{tag: a;b, {images}}}, {{tag: '', {images}}}, {{tag: Anna, {images}}}]"
    )
    assert len(wanted.problems) == 2 and asked(wanted) == [("Anna", "p1.jpg")]


def test_names_that_differ_in_case_are_one_person_and_equal_files_one_example(tmp_path: Path) -> None:
    fill(tmp_path, "p1.jpg", "p2.jpg")
    (tmp_path / "p3.jpg").write_bytes(b"p1.jpg")
    pictures = "[{name: p2.jpg}, {name: p3.jpg}]"
    wanted = from_yaml(tmp_path, f"faces: [{{tag: Anna, images: [p1.jpg]}}, {{tag: ANNA, images: {pictures}}}]")
    assert asked(wanted) == [("Anna", "p1.jpg"), ("Anna", "p2.jpg")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: it is empty"),
        ("people: []", "line 1: `faces:` with a list"),
        ("faces: Anna", "line 1: `faces:` with a list"),
        ("faces:\n- Anna", "line 2: `tag:`"),
        ("faces:\n- tag: [Anna]\n  images: []", "line 2: `tag:`"),
        ("faces:\n- tag: Anna", "line 2: `images:` of Anna"),
        ("faces:\n- tag: Anna\n  images:\n  - file: p1.jpg", "line 4: `name:`"),
        ("faces:\n- tag: Anna\n  images: [", "line 3: this is not YAML"),
        ("faces:\n\t- tag: Anna", "line 2: this is not YAML"),
    ],
)
def test_a_malformed_yaml_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_yaml(tmp_path, text)
    assert f"faces.yaml {words}" in error.value.faults[0]


def test_all_faults_of_a_yaml_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        from_yaml(tmp_path, "faces:\n- tag: Anna\n- images: []\n")
    assert len(error.value.faults) == 2


def test_a_yaml_that_is_not_there_or_no_text_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        Faces(tmp_path, tmp_path / "none.yaml").wanted()
    (tmp_path / "faces.yaml").write_bytes(b"faces: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Faces(tmp_path, None).wanted()


def test_a_file_is_hashed_again_when_it_changed(tmp_path: Path) -> None:
    fill(tmp_path, "Anna/a.jpg")
    faces = Faces(tmp_path, None)
    (before,) = faces.wanted().examples
    (tmp_path / "Anna/a.jpg").write_bytes(b"another")
    (after,) = faces.wanted().examples
    assert before.sha256 != after.sha256


def test_the_example_file_is_what_the_reader_takes() -> None:
    example = Path(__file__).parents[2] / "faces.yaml.example"
    wanted = Faces(None, example).wanted()
    assert wanted.examples == () and all(problem.endswith("is not there") for problem in wanted.problems)
    assert len(wanted.problems) == 4

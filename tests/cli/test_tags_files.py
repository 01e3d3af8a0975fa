"""`tags try`, `tags import` and `tags export` as they are typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def listed(terminal: Terminal) -> Path:
    """A Lightroom list, and a terminal whose vocabulary says nothing yet."""
    path = terminal.folder / "keywords.txt"
    path.write_text("[PLACES]\n\tbeach\n\t\t{strand}\n", encoding="utf-8")
    return path


def test_a_vocabulary_is_tried_before_it_is_used(terminal: Terminal) -> None:
    terminal.scan()
    other = terminal.folder / "other.yaml"
    other.write_text("deny: [landscape]\nrename: {beach: seashore}\n")
    said = terminal.ok("tags", "try", str(other))
    assert said.startswith(f"With {other} 3 of 3 photos would change.\n")
    assert re.search(r"^landscape +0 +3 +- pictures/", said, re.MULTILINE)
    assert re.search(r"^seashore +1 +0 +\+ pictures/sea/b.jpg$", said, re.MULTILINE)
    rows = {row["name"]: (row["added"], row["removed"]) for row in terminal.json("tags", "try", str(other))}
    assert rows == {"landscape": (0, 3), "seashore": (1, 0), "beach": (0, 1)}
    assert "seashore" not in terminal.ok("tags")


def test_a_faulty_vocabulary_is_refused_with_file_and_line(terminal: Terminal) -> None:
    other = terminal.folder / "other.yaml"
    other.write_text("tags:\n  a: {parent: b}\n  b: {parent: a}\nalow: [x]\n")
    result = terminal.run("tags", "try", str(other))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"tigertag: {other} line 4: unknown key `alow` (did you mean `allow`?)\n"
        f"tigertag: {other} line 2: the parents go round in a circle: `a` → `b` → `a`\n"
    )


def test_a_list_is_imported_used_and_given_back(terminal: Terminal, listed: Path) -> None:
    file = terminal.folder / "vocabulary.yaml"
    would = terminal.ok("tags", "import", str(listed), "--dry-run")
    assert would == f"2 tags of a Lightroom keyword list would be added to {file}.\n"
    assert not file.exists()
    assert terminal.json("tags", "import", str(listed)) == [
        {"name": "PLACES", "file": str(file)},
        {"name": "beach", "file": str(file)},
    ]
    assert "0 tags of a Lightroom keyword list added" in terminal.ok("tags", "import", str(listed))
    assert terminal.ok("tags", "export", "--format", "lightroom") == listed.read_text()
    assert terminal.ok("tags", "export", "--format", "digikam") == "PLACES\nPLACES/beach\n"
    assert terminal.json("tags", "export", "--format", "digikam") == ["PLACES", "PLACES/beach"]
    terminal.scan()
    assert "landscape" in terminal.ok("tags", "export", "--format", "digikam", "--library").splitlines()


def test_lines_of_a_list_that_are_not_understood_are_named(terminal: Terminal, listed: Path) -> None:
    listed.write_text("a\n\t\tb\n", encoding="utf-8")
    result = terminal.run("tags", "import", str(listed), "--format", "lightroom")
    assert result.exit_code == 2
    assert f"{listed} line 2: `b` is more than one tab deeper" in result.stderr


def test_tags_tell_what_the_vocabulary_does_to_each(terminal: Terminal) -> None:
    terminal.scan()
    (terminal.folder / "vocabulary.yaml").write_text(
        "deny: [landscape]\nwrite_parents: true\ntags:\n  sea: {synonyms: [beach], parent: nature}\n"
    )
    said = terminal.ok("tags")
    assert re.search(r"^sea +tag +1 +1 +0 +metadata +also beach$", said, re.MULTILINE)
    assert re.search(r"^nature +tag +0 +1 +0 +metadata +above others$", said, re.MULTILINE)
    assert re.search(r"^landscape +tag +3 +0 +3 +metadata +denied: 3$", said, re.MULTILINE)
    [row] = [row for row in terminal.json("tags") if row["name"] == "landscape"]
    assert (row["said"], row["photos"], row["kept_back"]) == (3, 0, {"denied": 3})
    said = terminal.ok("tags", "explain", "sea/b.jpg")
    assert re.search(r"^  beach +100 % +metadata +written as sea$", said, re.MULTILINE)
    assert re.search(r"^  nature +100 % +metadata +written, above sea$", said, re.MULTILINE)

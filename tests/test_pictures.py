"""The sample photos of the demo."""

from __future__ import annotations

from pathlib import Path

from tests.pictures import make_library


def test_the_sample_library_is_made_once_and_then_left_alone(tmp_path: Path) -> None:
    made = make_library(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    (tmp_path / "loose.jpg").touch()
    touched = (tmp_path / "loose.jpg").stat().st_mtime_ns
    assert make_library(tmp_path) == made == len(before)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert after == {**before, tmp_path / "loose.jpg": touched}


def test_one_sample_lies_in_two_albums(tmp_path: Path) -> None:
    make_library(tmp_path)
    contents = [path.read_bytes() for path in tmp_path.rglob("*.jpg")]
    assert len(set(contents)) == len(contents) - 1

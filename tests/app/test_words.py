"""Zero-shot tags from a scan to a target: which words fit is decided when tags are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests import databases
from tests.cli.terminal import Terminal
from tests.engines import clip_models
from tests.engines.clip_models import COLOURS
from tigertag.engines.clip.towers import Towers
from tigertag.model import fold

WORDS = """
- red
- name: blue
  prompts: [a photo of blue]
- name: green
  threshold: 50
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """Three photos of one colour each, and an engine that knows colours."""
    model = clip_models.make(tmp_path / "model")
    (tmp_path / "words.yaml").write_text(WORDS)
    (tmp_path / "database").mkdir()
    with databases.empty_url(request.param, tmp_path / "database") as url:
        terminal = Terminal(
            tmp_path,
            {
                "DB_URL": url,
                "ENGINE_CLIP_MODEL": str(model),
                "ENGINE_CLIP_WORDS": str(tmp_path / "words.yaml"),
                "TARGET_XMP_NAME": "xmp",
            },
        )
        terminal.pictures.mkdir()
        for place, name in enumerate(("red", "green", "purple")):
            path = terminal.pictures / f"{name}.jpg"
            Image.new("RGB", (80, 60), COLOURS[name]).save(path, quality=95)
            os.utime(path, (place, place))
        yield terminal


def scan(library: Terminal) -> str:
    return library.scan("--executor", "threads")


def written(library: Terminal) -> dict[str, int]:
    """Photos by tag."""
    return {each["name"]: each["shown"] for each in library.json("tags") if each["shown"]}


def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> None:
        raise AssertionError("a photo was looked at")

    monkeypatch.setattr(Towers, "images", no)


def test_each_photo_gets_the_word_that_fits_and_no_other(library: Terminal) -> None:
    scan(library)
    assert written(library) == {"red": 1, "green": 1}
    (said,) = [each for each in library.json("tags", "explain", "red.jpg") if each["rule"] == "written"]
    assert said["said"] == "red" and said["engine"] == "clip" and 0.5 < said["confidence"] <= 1


def test_stored_vectors_are_searched(library: Terminal) -> None:
    scan(library)
    found = library.json("similar", "red.jpg")
    assert [each["path"].rpartition("/")[2] for each in found] == ["purple.jpg", "green.jpg"]
    (best, *_) = library.json("tags", "try", "purple")
    assert best["path"].endswith("purple.jpg") and best["fits"]


def test_a_new_word_looks_at_no_photo(library: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(library)
    no_images(monkeypatch)
    words = library.folder / "words.yaml"
    words.write_text(words.read_text() + "- purple\n")
    library.ok("write")
    assert written(library) == {"red": 1, "green": 1, "purple": 1}


def test_a_word_that_is_no_longer_looked_for_goes(library: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(library)
    no_images(monkeypatch)
    (library.folder / "words.yaml").write_text("- green\n")
    library.ok("write")
    assert written(library) == {"green": 1}


def test_a_second_scan_asks_nobody(library: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(library)
    no_images(monkeypatch)
    monkeypatch.setattr(Towers, "texts", lambda *_: pytest.fail("a word was learnt twice"))
    scan(library)
    assert written(library) == {"red": 1, "green": 1}


def test_the_tags_of_the_vocabulary_are_looked_for(library: Terminal) -> None:
    library.settings["ENGINE_CLIP_WORDS"] = "vocabulary"
    (library.folder / "vocabulary.yaml").write_text("tags:\n  purple:\n    synonyms: [violet]\n")
    library.settings["VOCABULARY"] = str(library.folder / "vocabulary.yaml")
    scan(library)
    assert written(library) == {"purple": 1}


def test_another_model_looks_anew_and_old_tags_stand_until_it_has(library: Terminal) -> None:
    scan(library)
    other = clip_models.make(library.folder / "other", seed=5)
    library.settings["ENGINE_CLIP_MODEL"] = str(other)
    library.ok("write")
    assert written(library) == {"red": 1, "green": 1}
    (other / "onnx" / "vision_model.onnx").rename(other / "vision.away")
    assert library.run("scan", str(library.pictures), "--executor", "threads").exit_code == 4
    assert written(library) == {"red": 1, "green": 1}
    (other / "vision.away").rename(other / "onnx" / "vision_model.onnx")
    assert "3" in scan(library)
    assert written(library) == {"red": 1, "green": 1}


def test_what_a_person_removed_stays_away_with_another_model(library: Terminal) -> None:
    scan(library)
    sidecar = library.pictures / "red.jpg.xmp"
    if not sidecar.exists():
        sidecar = library.pictures / "red.xmp"
    sidecar.write_text(sidecar.read_text().replace("<rdf:li>red</rdf:li>", ""))
    library.ok("write", "--verify")
    assert written(library) == {"green": 1}
    library.settings["ENGINE_CLIP_MODEL"] = str(clip_models.make(library.folder / "other", seed=5))
    scan(library)
    assert written(library) == {"green": 1}


def test_a_broken_text_tower_puts_the_engine_aside_and_the_others_go_on(library: Terminal) -> None:
    (library.folder / "model" / "onnx" / "text_model.onnx").write_bytes(b"no model")
    library.settings["ENGINE_COLOURS_NAME"] = "colours"
    result = library.run("scan", str(library.pictures), "--executor", "threads")
    assert result.exit_code == 4
    assert "text_model.onnx" in result.output
    assert any(fold(name) == "red" for name in written(library))


def test_a_broken_file_of_words_is_said_before_anything_starts(library: Terminal) -> None:
    (library.folder / "words.yaml").write_text("- name: red\n  treshold: 3\n- 7\n")
    result = library.run("scan", str(library.pictures))
    assert result.exit_code == 2
    assert "`red` has `treshold`" in result.output and "`7` is no word" in result.output

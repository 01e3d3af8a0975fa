"""`similar` and `tags look`, with a contact sheet, on vectors of a scan."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.terminal import Terminal
from tests.engines import clip_models
from tests.engines.clip_models import COLOURS


@pytest.fixture
def seen(tmp_path: Path) -> Terminal:
    """Six colours, each in two shades, looked at."""
    (tmp_path / "words.yaml").write_text("- red\n")
    terminal = Terminal(
        tmp_path,
        {
            "ENGINE_CLIP_MODEL": str(clip_models.make(tmp_path / "model")),
            "ENGINE_CLIP_WORDS": str(tmp_path / "words.yaml"),
        },
    )
    terminal.pictures.mkdir()
    for place, (name, rgb) in enumerate(COLOURS.items()):
        for shade, share in (("bright", 1.0), ("dark", 0.85)):
            path = terminal.pictures / f"{name} {shade}.jpg"
            red, green, blue = (round(level * share) for level in rgb)
            Image.new("RGB", (90, 60), (red, green, blue)).save(path, quality=95)
            os.utime(path, (place, place))
    terminal.scan("--executor", "threads")
    return terminal


def test_the_most_similar_photo_is_the_other_shade(seen: Terminal) -> None:
    for name in COLOURS:
        (found,) = seen.json("similar", f"{name} bright.jpg", "--limit", "1")
        assert found["path"].endswith(f"{name} dark.jpg")
        assert found["cosine"] > 0.9 and found["probability"] is None


def test_words_are_looked_for_without_a_scan(seen: Terminal) -> None:
    found = seen.json("tags", "look", "blue", "--limit", "2")
    fitting = [each["path"] for each in found if each["fits"]]
    assert sorted(fitting) == ["pictures/blue bright.jpg", "pictures/blue dark.jpg"]
    assert [each["probability"] for each in found] == sorted((e["probability"] for e in found), reverse=True)
    assert "blue fits 2 of 12 photos at 60 %." in seen.ok("tags", "look", "blue")


def test_the_threshold_decides_what_fits(seen: Terminal) -> None:
    assert "fits 0 of 12 photos at 100 %" in seen.ok("tags", "look", "red", "--threshold", "100")
    assert "fits 12 of 12 photos at 0 %" in seen.ok("tags", "look", "red", "--threshold", "0")


def test_words_that_fit_nothing_say_so(seen: Terminal) -> None:
    assert "fits 0 of 12 photos" in seen.ok("tags", "look", "sailing boat")


def test_a_contact_sheet_shows_the_photos_and_the_threshold(seen: Terminal, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    seen.ok("tags", "look", "green", "--limit", "4", "--sheet", str(sheet))
    with Image.open(sheet) as drawn:
        assert drawn.format == "PNG" and drawn.width == 1100
        red, green, blue = drawn.convert("RGB").getpixel((110, 110))  # type: ignore[misc]
        assert green > 150 and red < 90 and blue < 90
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(1 << 24) or ()}
        assert (192, 57, 43) in colours  # the line


def test_photos_that_are_gone_are_empty_frames(seen: Terminal, tmp_path: Path) -> None:
    (seen.pictures / "red dark.jpg").unlink()
    result = seen.run("similar", "red bright.jpg", "--limit", "1", "--sheet", str(tmp_path / "sheet.png"))
    assert result.exit_code == 0
    assert "1 photo could not be opened for the sheet" in result.output


def test_a_sheet_that_cannot_be_written_is_told(seen: Terminal, tmp_path: Path) -> None:
    result = seen.run("tags", "look", "red", "--sheet", str(tmp_path / "none" / "sheet.png"))
    assert result.exit_code == 8 and "sheet cannot be written" in result.output


def test_an_unknown_photo_is_told(seen: Terminal) -> None:
    result = seen.run("similar", "nothing.jpg")
    assert result.exit_code == 2 and "No photo is known as `nothing.jpg`" in result.output


def test_without_vectors_the_way_to_get_them_is_told(terminal: Terminal) -> None:
    terminal.scan()
    for command in (("similar", "a.jpg"), ("tags", "look", "dog")):
        result = terminal.run(*command)
        assert result.exit_code == 2 and "ENGINE_CLIP_ENABLED=true" in result.output


def test_without_the_extra_the_way_to_get_it_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.scan()
    monkeypatch.delitem(sys.modules, "tigertag.meaning.sight", raising=False)
    monkeypatch.setitem(sys.modules, "numpy", None)  # as where it is not installed
    result = terminal.run("similar", "a.jpg")
    assert result.exit_code == 2 and "with tigertag[clip] installed" in result.output


def test_another_model_is_not_asked_about_the_photos_of_the_first(seen: Terminal, tmp_path: Path) -> None:
    seen.settings["ENGINE_CLIP_MODEL"] = str(clip_models.make(tmp_path / "other", seed=3))
    result = seen.run("tags", "look", "purple")
    assert result.exit_code == 4 and "another model" in result.output
    assert json.loads(seen.run("tags", "look", "red", "--json").stdout)  # which was learnt

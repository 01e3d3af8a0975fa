"""The engine that docs/own-engine.md shows is right as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT, blocks, page
from tests.pictures import jpeg_bytes
from tigertag import plugins
from tigertag.contract.engine import Bench, EngineContract

_EXAMPLES = blocks(page("own-engine"), "python")


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the engine that the page shows; Python finds it."""
    (tmp_path / "brightness.py").write_text(_EXAMPLES[0])
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("brightness", None)


def test_the_engine_shown_is_short() -> None:
    assert len(_EXAMPLES[0].splitlines()) < 60


class TestTheEngineShown(EngineContract):
    @pytest.fixture
    def bench(self, own_engine: Path) -> Bench:
        plugin: Any = plugins.find("engine", "brightness.Brightness")
        return Bench(plugin, options={})


def test_the_engine_shown_tags_photos_by_its_dotted_path(own_engine: Path) -> None:
    (own_engine / "photos").mkdir()
    (own_engine / "photos" / "night.jpg").write_bytes(jpeg_bytes(1, daypart="night"))
    done = subprocess.run(
        [sys.executable, "-m", "tigertag", "scan", "photos"],
        cwd=own_engine,
        env={**os.environ, "PYTHONPATH": f".:{ROOT}", "ENGINE_BRIGHTNESS_NAME": "brightness.Brightness"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "night.jpg  dark" in done.stdout


def test_the_contract_shown_runs(own_engine: Path) -> None:
    (own_engine / "test_brightness.py").write_text(_EXAMPLES[1])
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            str(own_engine / "test_brightness.py"),
        ],
        cwd=own_engine,
        env={**os.environ, "PYTHONPATH": f".:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert " passed" in done.stdout and done.returncode == 0, done.stdout

"""The engines that docs/own-engine.md shows are right as they stand there."""

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
from tests.servers.base import Answer, Fault, Request, Service
from tigertag import plugins
from tigertag.contract import Bench, EngineContract, FakePermit, ask, photos, said
from tigertag.errors import PhotoError, PluginDown
from tigertag.model import Outcome

BRIGHTNESS, TAGBOX, CONTRACT = blocks(page("own-engine"), "python")


@pytest.fixture
def shown_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the engines that the page shows; Python finds them."""
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    (tmp_path / "tagbox.py").write_text(TAGBOX)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("brightness", None)
    sys.modules.pop("tagbox", None)


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f".:{ROOT}", **environment},
        capture_output=True,
        text=True,
    )


def test_the_engines_shown_are_short() -> None:
    assert len(BRIGHTNESS.splitlines()) < 60
    assert len(TAGBOX.splitlines()) < 100


class TestBrightness(EngineContract):
    @pytest.fixture
    def bench(self, shown_engines: Path) -> Bench:
        plugin: Any = plugins.find("engine", "brightness.Brightness")
        return Bench(plugin, options={})


def test_the_engine_shown_tags_photos_by_its_dotted_path(shown_engines: Path) -> None:
    (shown_engines / "photos").mkdir()
    (shown_engines / "photos" / "night.jpg").write_bytes(jpeg_bytes(1, daypart="night"))
    done = run(shown_engines, "tigertag", "scan", "photos", ENGINE_BRIGHTNESS_NAME="brightness.Brightness")
    assert done.returncode == 0, done.stderr
    assert "night.jpg  dark" in done.stdout


def test_the_contract_shown_runs(shown_engines: Path) -> None:
    (shown_engines / "test_brightness.py").write_text(CONTRACT)
    done = run(shown_engines, "pytest", "-q", "-p", "no:cacheprovider", "test_brightness.py")
    assert " passed" in done.stdout and done.returncode == 0, done.stdout


# ── the one that asks a service ───────────────────────────────────────────────────────────────────────────


class TagboxServer(Service):
    """What the page says that a Tagbox server is."""

    def kind(self, method: str, path: str) -> str:
        return path.strip("/")

    def answer(self, request: Request) -> Answer:
        if request.headers.get("x-key") != "box-key-0815":
            return Answer.of({"error": "no such key"}, 401)
        return Answer.of([{"tag": "dog", "confidence": 0.93}])


@pytest.fixture
def server() -> Iterator[TagboxServer]:
    with TagboxServer() as running:
        yield running


@pytest.fixture
def tagbox(shown_engines: Path, server: TagboxServer) -> Bench:
    plugin: Any = plugins.find("engine", "tagbox.Tagbox")
    options = {"api_url": server.url, "api_key": "box-key-0815"}
    return Bench(plugin, options, ("box-key-0815",), lambda: len(server.of("tag")))


class TestTagbox(EngineContract):
    @pytest.fixture
    def bench(self, tagbox: Bench) -> Bench:
        return tagbox


def test_a_service_that_has_too_much_to_do_is_asked_again(tagbox: Bench, server: TagboxServer) -> None:
    server.fail("tag", Fault(status=429))
    permit = FakePermit()
    (answer,) = said(ask(tagbox.start(), photos(1), permit)).values()
    assert [each.name for each in answer] == ["dog"]
    assert permit.outcomes == {Outcome.FREE: 1, Outcome.BILLED: 1}


def test_an_answer_that_cannot_be_read_is_that_photos_fault(tagbox: Bench, server: TagboxServer) -> None:
    server.fail("tag", Fault(body=b'[{"word": "dog"}]'))
    first, second = ask(tagbox.start(), photos(2))
    assert isinstance(first, PhotoError)
    assert len(said([second])) == 1


def test_a_wrong_key_puts_the_engine_aside(tagbox: Bench) -> None:
    with pytest.raises(PluginDown, match="ENGINE_TAGBOX_API_KEY"):
        ask(tagbox.start(api_key="another"), photos(1))

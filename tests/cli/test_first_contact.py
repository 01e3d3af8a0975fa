"""`tigertag scan PATH` with nothing set up: what is looked at, what is fetched for it, and who is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.engines import clip_models
from tests.servers.base import Fault
from tests.servers.hub import Hub
from tigertag.app import fetching
from tigertag.config import loading
from tigertag.engines.clip import ClipOptions
from tigertag.engines.clip.hub import Place
from tigertag.meaning.words import word

MODEL = ClipOptions.model_validate({}).model
VISION = "onnx/vision_model.onnx"


@pytest.fixture
def bare(terminal: Terminal) -> Terminal:
    """Three photos, and no settings."""
    terminal.settings.clear()
    return terminal


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Has the usual model, a tiny one; of its own cache nothing is there yet."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    monkeypatch.setattr("tigertag.meaning.words.general", lambda: (word("red"),))
    with Hub(clip_models.make(tmp_path / "shelf"), MODEL) as running:
        monkeypatch.setattr(Place, "source", running.url)
        monkeypatch.setattr(Place, "folder", tmp_path / "cache")
        yield running
        assert running.damage == []


@pytest.fixture
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the model has counts as much."""
    monkeypatch.setattr(fetching, "SMALL", 1000)


def scan(bare: Terminal, *more: str) -> tuple[int, str, str]:
    done = bare.run("scan", str(bare.pictures), "--executor", "threads", *more)
    return done.exit_code, done.stdout, done.stderr


def asked(hub: Hub) -> list[str]:
    return [each.path for each in hub.requests if each.method == "GET"]


def test_what_photos_show_is_looked_at_without_any_settings(bare: Terminal, hub: Hub) -> None:
    code, _, said = scan(bare)
    assert code == 0
    assert f"clip fetches the model {MODEL}, 4 kB, from {hub.url} into {bare.folder / 'cache'}" in said
    hub.go_away()
    lines = bare.lines("scan", str(bare.pictures), "--executor", "threads")
    assert {each["id"] for each in lines if each["type"] == "engine"} == {
        "metadata",
        "places",
        "colours",
        "quality",
        "clip",
    }
    status = {each["id"]: each for each in bare.json("status") if each["type"] == "engine"}
    assert status["clip"]["done"] == 3


@pytest.mark.usefixtures("much")
def test_much_is_not_fetched_where_nobody_can_be_asked(bare: Terminal, hub: Hub) -> None:
    code, said, faults = scan(bare)
    assert (code, faults) == (0, "")
    assert f"clip takes no part: it needs the model {MODEL}, 4 kB, from {hub.url} into" in said
    assert "`tigertag scan --yes` fetches it (ENGINE_CLIP_ENABLED=false does without)" in said
    assert asked(hub) == []
    code, said, _ = scan(bare)
    assert code == 0 and "Nothing to do: all 3 photos are up to date." in said


@pytest.mark.usefixtures("much")
def test_much_is_fetched_with_a_yes_and_tells_how_it_gets_on(bare: Terminal, hub: Hub) -> None:
    code, _, said = scan(bare, "--yes")
    assert code == 0
    assert "clip: 4 kB of 4 kB fetched" in said
    assert any(path.endswith(VISION) for path in asked(hub))


@pytest.mark.usefixtures("much")
@pytest.mark.parametrize("answer", ["y\n", "\n"])
def test_on_a_terminal_a_person_is_asked(
    bare: Terminal, hub: Hub, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("tigertag.cli.opening.is_watched", lambda: True)
    done = bare.run("scan", str(bare.pictures), "--executor", "threads", given=answer)
    assert done.exit_code == 0
    assert f"clip needs the model {MODEL}" in done.stderr and "Fetch it now? [y/N]" in done.stderr
    assert bool(asked(hub)) == (answer == "y\n")


@pytest.mark.usefixtures("much")
def test_an_engine_that_settings_ask_for_is_not_asked_about(bare: Terminal, hub: Hub) -> None:
    bare.settings["ENGINE_CLIP_ENABLED"] = "true"
    code, _, said = scan(bare)
    assert code == 0 and f"clip fetches the model {MODEL}" in said, said
    assert asked(hub)


def test_without_a_network_the_others_look_and_one_line_says_so(bare: Terminal, hub: Hub) -> None:
    hub.go_away()
    code, said, faults = scan(bare)
    assert (code, faults) == (0, "")
    (line,) = [each for each in said.splitlines() if "clip" in each]
    assert f"clip takes no part: the model `{MODEL}` is not here yet" in line and "cannot be reached" in line
    assert " on 3 photos" in said


def test_without_a_network_an_engine_that_was_asked_for_is_put_aside(bare: Terminal, hub: Hub) -> None:
    bare.settings |= {"ENGINE_CLIP_ENABLED": "true", "ENGINE_METADATA_ENABLED": "true"}
    hub.go_away()
    code, said, faults = scan(bare)
    assert code == 4 and " on 3 photos" in said
    (line,) = faults.splitlines()
    assert line.startswith("tigertag: ") and "cannot be reached" in line


def test_a_fetch_that_is_cut_off_is_one_line_and_goes_on_the_next_time(bare: Terminal, hub: Hub) -> None:
    hub.fail(f"GET {VISION}", Fault(cut=300), when=lambda request: "range" not in request.headers)
    hub.fail(f"GET {VISION}", Fault(reset="before"), times=50)
    code, said, faults = scan(bare)
    assert code == 4 and " on 3 photos" in said
    (_, line) = faults.splitlines()
    assert f"fetching {VISION} of the model" in line and "broke off" in line
    hub.heal()
    before = len(hub.requests)
    assert scan(bare)[0] == 0
    fetched = [each for each in hub.requests[before:] if each.kind == f"GET {VISION}"]
    assert [each.headers.get("range") for each in fetched] == ["bytes=300-"]


def test_a_dry_run_asks_no_hub(bare: Terminal, hub: Hub) -> None:
    scan(bare, "--engine", "metadata")
    code, said, _ = scan(bare, "--dry-run")
    assert code == 0 and "clip would say first what it must fetch" in said
    assert hub.requests == []


@pytest.mark.parametrize("settings", [{}, {"ENGINE_METADATA_NAME": "metadata"}])
def test_without_the_extra_the_end_says_how_to_get_it(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """Not to those who have chosen their engines."""
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    bare.settings |= settings
    assert ("pip install 'tigertag[clip]'" in bare.scan()) == (not settings)


def test_where_nothing_could_be_scanned_nothing_is_offered(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    done = bare.run("scan", str(bare.folder / "pictrues"), "--executor", "threads")
    assert done.exit_code == 5 and "Is the disk mounted, and the path right?" in done.stderr
    assert "pip install" not in done.stdout


def test_an_engine_whose_extra_is_missing_says_how_to_get_it(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("tigertag.engines.clip")]:
        monkeypatch.delitem(sys.modules, name)
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "onnxruntime" else real(name, *more)
    )
    bare.settings["ENGINE_CLIP_ENABLED"] = "true"
    code, _, faults = scan(bare)
    assert code == 2 and "onnxruntime" in faults and "pip install 'tigertag[clip]'" in faults

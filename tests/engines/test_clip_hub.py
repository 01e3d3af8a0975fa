"""A model by its name: fetched once, taken up where it was cut off, used without a network afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import clip_models
from tests.servers.base import Fault
from tests.servers.hub import Hub
from tigertag.contract.engine import ask, said
from tigertag.contract.stand_ins import FakeMemory, photos
from tigertag.engines.clip import ClipEngine, ClipOptions
from tigertag.errors import PluginDown
from tigertag.model import fingerprint

VISION = "onnx/vision_model.onnx"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(clip_models.make(tmp_path / "shelf")) as running:
        yield running
        assert running.damage == []


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's library waits up to half a minute between its tries."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def engine(hub: Hub, cache: Path, **options: object) -> ClipEngine:
    given = {"model": hub.name, "hub": hub.url, "cache": cache, **options}
    return ClipEngine(ClipOptions.model_validate(given), FakeMemory())


def down(found: ClipEngine) -> str:
    with pytest.raises(PluginDown) as caught:
        found.start()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_is_fetched_once(hub: Hub, cache: Path) -> None:
    first = engine(hub, cache)
    first.start()
    assert said(ask(first, photos(2)))
    asked = len(hub.requests)
    second = engine(hub, cache)
    second.start()
    assert len(hub.requests) == asked
    assert fingerprint(first.settings) == fingerprint(second.settings)


def test_a_fetched_model_needs_no_network(hub: Hub, cache: Path) -> None:
    engine(hub, cache).start()
    hub.go_away()
    later = engine(hub, cache)
    later.start()
    assert said(ask(later, photos(1))) and later.understand(["a dog"])


def test_a_fetched_model_is_that_of_the_folder(hub: Hub, cache: Path) -> None:
    fetched = engine(hub, cache)
    fetched.start()
    folder = ClipEngine(ClipOptions.model_validate({"model": str(hub.folder)}), FakeMemory())
    assert fingerprint(fetched.settings) == fingerprint(folder.settings)


def test_nothing_is_fetched_before_the_start(hub: Hub, cache: Path) -> None:
    waiting = engine(hub, cache)
    assert waiting.settings["model"] == hub.name
    (finding,) = waiting.check()
    assert finding.ok and "will fetch" in finding.text
    assert hub.requests == []


def test_a_download_that_was_cut_off_goes_on_there(hub: Hub, cache: Path) -> None:
    size = (hub.folder / VISION).stat().st_size
    hub.fail(f"GET {VISION}", Fault(cut=size // 2), times=50)
    assert f"fetching {VISION} of the model `tiny/clip` broke off" in down(engine(hub, cache))
    hub.heal()
    later = engine(hub, cache)
    later.start()
    assert said(ask(later, photos(1)))


@pytest.mark.parametrize("name", ["tokenizer_config.json", "tokenizer.json", "onnx/text_model.onnx"])
def test_whatever_file_was_cut_off_is_there_in_the_end(hub: Hub, cache: Path, name: str) -> None:
    """Also one that a model can be without: that this model has it is not known before it was fetched."""
    hub.fail(f"GET {name}", Fault(cut=1), times=50)
    down(engine(hub, cache))
    hub.heal()
    later = engine(hub, cache)
    later.start()
    folder = ClipEngine(ClipOptions.model_validate({"model": str(hub.folder)}), FakeMemory())
    assert later.settings == folder.settings


def test_a_wrong_checksum_is_told(hub: Hub, cache: Path) -> None:
    hub.lies[VISION] = "0" * 64
    reason = down(engine(hub, cache))
    assert VISION in reason and "SHA-256 is not the one that the hub promised" in reason
    (finding,) = engine(hub, cache).check()
    assert not finding.ok
    hub.lies.clear()
    Path(reason.partition("Delete ")[2].partition(" and scan")[0]).unlink()
    engine(hub, cache).start()


def test_a_missing_tower_is_named(hub: Hub, cache: Path) -> None:
    (hub.folder / "onnx" / "text_model.onnx").unlink()
    reason = down(engine(hub, cache))
    assert reason.startswith("the model `tiny/clip` has no onnx/text_model.onnx on the hub: ")


def test_an_unknown_model_is_named(hub: Hub, cache: Path) -> None:
    assert "knows no model `tiny/other`" in down(engine(hub, cache, model="tiny/other"))


def test_an_unknown_revision_is_named(hub: Hub, cache: Path) -> None:
    assert "has no revision `v9`" in down(engine(hub, cache, revision="v9"))


def test_what_is_no_name_is_told(hub: Hub, cache: Path) -> None:
    assert "`tiny/clip/or/so` is no name of a model" in down(engine(hub, cache, model="tiny/clip/or/so"))


def test_without_a_network_a_folder_is_advised(hub: Hub, cache: Path) -> None:
    hub.go_away()
    reason = down(engine(hub, cache))
    assert "cannot be reached" in reason and "MODEL" in reason


def test_a_large_file_that_lies_elsewhere_gets_no_token_and_its_signature_is_not_told(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_cnry0123456789")
    with Hub(hub.folder) as elsewhere:
        place = f"{elsewhere.url}/{hub.name}/resolve/main/{VISION}?signature=cnry"
        hub.fail(f"GET {VISION}", Fault.redirect(place))
        engine(hub, cache).start()
        (asked,) = elsewhere.requests
        assert "authorization" not in asked.headers
        assert "authorization" in hub.of(f"GET {VISION}")[0].headers
    (cache / "models--tiny--clip" / "snapshots").rename(cache / "away")
    for blob in (cache / "models--tiny--clip" / "blobs").iterdir():
        blob.unlink()
    hub.fail(f"GET {VISION}", Fault.redirect(place))
    reason = down(engine(hub, cache))
    assert "broke off" in reason and "cnry" not in reason


@pytest.mark.parametrize("status", [500, 403, 401])
def test_a_hub_that_refuses_is_told(hub: Hub, cache: Path, status: int) -> None:
    hub.fail("*", Fault(status=status), times=1000)
    assert "tiny/clip" in down(engine(hub, cache))

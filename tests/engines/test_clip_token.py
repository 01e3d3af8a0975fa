"""The hub's token goes to the hub and nowhere else (E13, I15)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import clip_models
from tests.servers.base import Answer, Fault, Request, Service
from tests.servers.hub import Hub
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.clip import ClipEngine, ClipOptions
from tigertag.errors import PluginDown

TOKEN = "hf_cnry/0123456789"


class Elsewhere(Service):
    """A host that gives a file to whoever asks."""

    def answer(self, request: Request) -> Answer:
        return Answer(200, b"{}")


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(clip_models.make(tmp_path / "shelf")) as running:
        yield running


def reason(hub: Hub, folder: Path) -> str:
    options = {"model": hub.name, "hub": hub.url, "cache": folder / "cache"}
    engine = ClipEngine(ClipOptions.model_validate(options), FakeMemory())
    with pytest.raises(PluginDown) as caught:
        engine.start()
    return str(caught.value)


@pytest.mark.parametrize("kind", ["HEAD config.json", "GET config.json", "GET onnx/vision_model.onnx"])
def test_a_redirect_takes_no_token_along(hub: Hub, tmp_path: Path, kind: str) -> None:
    with Elsewhere() as elsewhere:
        hub.fail(kind, Fault.redirect(f"{elsewhere.url}/config.json"), times=99)
        said = reason(hub, tmp_path)
        assert elsewhere.requests or kind.startswith("HEAD")
        assert any(TOKEN in str(request.headers) for request in hub.requests) and TOKEN not in said
        assert not any(TOKEN in str(request.headers) + request.target for request in elsewhere.requests)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_no_token_stands_in_what_is_said(hub: Hub, tmp_path: Path, status: int) -> None:
    headers = {"X-Error-Message": f"who is {TOKEN}?"}
    hub.fail("*", Fault(status=status, body=TOKEN.encode(), headers=headers), times=999)
    assert TOKEN not in reason(hub, tmp_path) and any(TOKEN in str(each.headers) for each in hub.requests)

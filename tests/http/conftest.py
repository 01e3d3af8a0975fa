from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.echo import Echo


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server
        assert server.damage == []


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

"""An engine that has to be put aside in the middle of a run is named once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.terminal import Terminal
from tests.servers.base import Fault
from tests.servers.imagga import Imagga


@pytest.fixture
def imagga(terminal: Terminal) -> Iterator[Imagga]:
    """It rejects the key from the first photo on."""
    with Imagga() as service:
        service.fail("tags", Fault(status=401), times=9)
        terminal.settings |= {
            f"ENGINE_IMAGGA_{name.upper()}": str(value) for name, value in service.options.items()
        }
        yield service


@pytest.mark.usefixtures("imagga")
@pytest.mark.parametrize("more", [(), ("--json",), ("--quiet",)])
def test_an_engine_that_is_put_aside_is_named_once(terminal: Terminal, more: tuple[str, ...]) -> None:
    done = terminal.run("scan", str(terminal.pictures), *more)
    assert done.exit_code == 4
    assert done.stderr.count("Imagga rejected the API key") == 1

"""Small plugins that tests name by dotted path: `tests.plugins_for_tests.Painter`. They do nothing."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from tigertag.model import Memory
from tigertag.options import CommaList, EngineOptions, Options, SourceOptions, TargetOptions


class _Plugin:
    def __init__(self, options: Options, memory: Memory) -> None:
        self.options = options
        self.memory = memory


class Painter(_Plugin):
    """An engine that needs a key."""

    class Options(EngineOptions):
        api_key: SecretStr = Field(description="Its key.")
        api_url: str = "http://localhost"
        level: int = Field(3, ge=1, le=9)
        model_name: str = "small"
        faces_folder: Path | None = None
        faces_config: Path | None = None
        pin: SecretStr = SecretStr("")

        @field_validator("api_url")
        @classmethod
        def _speaks_http(cls, url: str) -> str:
            if not url.startswith("http"):
                raise ValueError(f"{url} does not begin with http:// or https://")
            return url

        @field_validator("pin")
        @classmethod
        def _digits(cls, pin: SecretStr) -> SecretStr:
            if pin.get_secret_value().strip("0123456789"):
                raise ValueError(f"{pin.get_secret_value()} holds more than digits")
            return pin


class Poet(_Plugin):
    """An engine that needs nothing."""

    class Options(EngineOptions):
        style: str = "short"


class Album(_Plugin):
    """A source."""

    class Options(SourceOptions):
        path: str
        sections: CommaList = ()


class Wall(_Plugin):
    """A target."""

    class Options(TargetOptions):
        path: str = "here"


class Stranger:
    """No plugin: it has no options."""

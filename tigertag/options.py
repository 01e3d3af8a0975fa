"""The base of every plugin's options: frozen, unknown keys forbidden, secrets as `SecretStr`.

`ENGINE_<ID>_MIN_CONFIDENCE` becomes the field `min_confidence`; a field's description is the one line that
`.env.example` and `tigertag engines` show for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tigertag.model import EnginePolicy


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
"""`a, b` → `("a", "b")`."""


class Options(BaseModel):
    """What every plugin's options share."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class SourceOptions(Options):
    """Options of every source."""


class TargetOptions(Options):
    """Options of every target."""


class EngineOptions(Options):
    """Options of every engine: which photos it may see, and what of its answers becomes tags."""

    prefix: str = Field("", description="Put before each tag: `tti` gives `tti_dog`. None by default.")
    min_confidence: float = Field(0, ge=0, le=100, description="Percent; tags below it are not written.")
    max_tags: int | None = Field(None, ge=1, description="Tags a photo gets from this engine at most.")
    concurrency: int = Field(2, ge=1, le=64, description="Requests under way at the same time.")
    only: CommaList = Field((), description="Globs over section/album/path; only these photos are shown.")
    except_: CommaList = Field((), alias="except", description="Globs; these photos are never shown.")
    order: Literal["newest", "oldest", "path"] = Field(
        "newest", description="Which photos come first: newest, oldest or path."
    )

    def policy(self) -> EnginePolicy:
        """What of the engine's answers becomes tags."""
        return EnginePolicy(
            min_confidence=self.min_confidence / 100, max_tags=self.max_tags, prefix=self.prefix
        )

"""The base of every plugin's options: frozen, unknown keys forbidden, secrets as `SecretStr`.

`ENGINE_<ID>_MIN_CONFIDENCE` becomes the field `min_confidence`; a field's description is the one line that
`.env.example` and `tigertag engines` show for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import time
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tigertag.model import Budget, EnginePolicy, EngineRules, Hours, Rate


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
"""`a, b` → `("a", "b")`."""


def among(groups: Sequence[str]) -> AfterValidator:
    """Refuses a list that names what is not in `groups`, by name."""

    def known(value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [word for word in value if word not in groups]
        if unknown:
            raise ValueError(f"there is no group `{unknown[0]}`; there are {', '.join(groups)}")
        return value

    return AfterValidator(known)


def address(text: str, *, example: str, keys: str) -> str:
    """The address of a service, without a slash at its end; `keys` tells where a key belongs, not being in it.

    Raises ValueError, to follow the setting's name.
    """
    try:
        parts = urlsplit(text.strip())
        plain = parts.scheme.lower() in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        plain = None
    if not plain:
        raise ValueError(f"is no address such as {example}")
    if "@" in parts.netloc:
        raise ValueError(f"holds a user name or password: {keys}")
    if parts.query or parts.fragment:
        raise ValueError(f"holds a ? or #: give the address only, such as {example}")
    return text.strip().rstrip("/")


def _rate(value: object) -> object:
    if not isinstance(value, str | int | float):
        return value
    found = re.fullmatch(r"(\d+|\d*\.\d+)(/(s|sec|second|min|minute))?", _squeezed(value))
    calls = float(found[1]) if found else 0
    if not found or not calls or math.isinf(calls):
        raise ValueError(f"`{value}` is no rate such as `5/s` or `30/min`")
    return Rate(calls, "min" if (found[3] or "").startswith("min") else "s")


def _budget(value: object) -> object:
    if not isinstance(value, str | int | float):
        return value
    found = re.fullmatch(r"(\d{1,9})/(day|d|month)", _squeezed(value))
    if not found or not int(found[1]):
        raise ValueError(f"`{value}` is no budget such as `300/day` or `2000/month`")
    return Budget(int(found[1]), "month" if found[2] == "month" else "day")


def _hours(value: object) -> object:
    if not isinstance(value, str | int | float):
        return value
    clock = r"([01]?\d|2[0-4])(?::([0-5]\d))?"
    found = re.fullmatch(f"{clock}[-–]{clock}", _squeezed(value))
    if not found or any(found[hour] == "24" and int(found[hour + 1] or 0) for hour in (1, 3)):
        raise ValueError(f"`{value}` are no hours such as `22-06` or `22:30-06:15`")
    start, end = (time(int(found[hour]) % 24, int(found[hour + 1] or 0)) for hour in (1, 3))
    if start == end:
        raise ValueError(f"`{value}` begin and end together: leave the setting out for all day")
    return Hours(start, end)


def _squeezed(value: object) -> str:
    return "".join(str(value).casefold().split())


class Options(BaseModel):
    """What every plugin's options share."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class SourceOptions(Options):
    """Options of every source."""


class TargetOptions(Options):
    """Options of every target."""

    follow: bool = Field(False, description="Removes its own tags here, too, where you removed them elsewhere.")


class EngineOptions(Options):
    """Options of every engine: which photos it may see, and what of its answers becomes tags."""

    prefix: str = Field("", description="Put before each tag: `tti` gives `tti_dog`. None by default.")
    min_confidence: float = Field(0, ge=0, le=100, description="Percent; tags below it are not written.")
    max_tags: int | None = Field(None, ge=1, description="Tags a photo gets from this engine at most.")
    concurrency: int = Field(2, ge=1, le=64, description="Requests under way at the same time.")
    rate: Annotated[Rate | None, BeforeValidator(_rate)] = Field(
        None, description="Calls per second or minute at most: `5/s`, `30/min`; a plain number is per second."
    )
    budget: Annotated[Budget | None, BeforeValidator(_budget)] = Field(
        None, description="Calls per day or month (UTC) at most, over all runs: `300/day`, `2000/month`."
    )
    cost_per_call: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="What a call costs in your currency; for forecast and summary.",
    )
    hours: Annotated[Hours | None, BeforeValidator(_hours)] = Field(
        None, description="Only asked at these hours, local time: `22-06`."
    )
    only: CommaList = Field((), description="Globs over section/album/path; only these photos are shown.")
    except_: CommaList = Field((), alias="except", description="Globs; these photos are never shown.")
    order: Literal["newest", "oldest", "path"] = Field(
        "newest", description="Which photos come first: newest, oldest or path."
    )

    def rules(self) -> EngineRules:
        """How much, how fast and when the engine may be asked."""
        return EngineRules(self.rate, self.budget, self.hours, self.cost_per_call)

    def policy(self) -> EnginePolicy:
        """What of the engine's answers becomes tags."""
        return EnginePolicy(
            min_confidence=self.min_confidence / 100, max_tags=self.max_tags, prefix=self.prefix
        )

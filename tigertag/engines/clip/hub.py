"""A model by its name: fetched from a hub on first use, then taken from the cache, without the network."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of httpx, or its successor
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tigertag.engines.clip import files
from tigertag.engines.clip.files import Files
from tigertag.errors import PluginDown

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A model on a hub."""

    name: str
    """`Xenova/clip-vit-base-patch32`."""
    precision: str = ""
    revision: str | None = None
    endpoint: str | None = None
    """Where the hub is; None: where HF_ENDPOINT says, else huggingface.co."""
    cache: Path | None = None
    """None: the cache that the hub's own tools share (HF_HOME)."""


def cached(place: Place) -> Files | None:
    """The model, where all of it was fetched before. Asks nobody."""
    found = [_cached(place, name) for name in _needed(place)]
    if None in found:
        return None
    config = found[0]
    assert config is not None
    return files.find(config.parent, place.precision)


def fetched(place: Place) -> Files:
    """The model; what is not in the cache is fetched, with progress, from where it was cut off.

    Raises PluginDown that says what could not be had, and why.
    """
    there = cached(place)
    if there is not None:
        return there
    log.info("fetching the model %s", place.name)
    folder = Path(_fetch(place, files.CONFIG)).parent
    # What a model may be without comes first: once all that is needed is here, nobody asks for it again.
    for name in _optional(place):
        _fetch_if_there(place, name)
    for name in _needed(place)[1:]:
        _fetch(place, name)
    return files.find(folder, place.precision)


def _needed(place: Place) -> list[str]:
    towers = [files.tower_names(tower, place.precision)[0] for tower in ("vision", "text")]
    return [files.CONFIG, files.PIXELS, files.TOKENIZER, *towers]


def _optional(place: Place) -> list[str]:
    return [files.TOKENS, *(f"{name}_data" for name in _needed(place)[-2:])]


def _cached(place: Place, name: str) -> Path | None:
    try:
        found = try_to_load_from_cache(
            place.name, name, cache_dir=place.cache, revision=place.revision or "main"
        )
    except HFValidationError as error:
        raise PluginDown(f"`{place.name}` is no name of a model: {_first(error)}") from error
    return Path(found) if isinstance(found, str) else None


def _fetch(place: Place, name: str) -> str:
    try:
        return hf_hub_download(
            place.name, name, revision=place.revision, cache_dir=place.cache, endpoint=place.endpoint
        )
    except RepositoryNotFoundError as error:
        raise PluginDown(f"the hub knows no model `{place.name}`, or shows it to nobody") from error
    except RevisionNotFoundError as error:
        raise PluginDown(f"the model `{place.name}` has no revision `{place.revision}`") from error
    except LocalEntryNotFoundError as error:
        raise PluginDown(
            f"the model `{place.name}` is not here yet, and the hub cannot be reached to fetch {name}; "
            "without a network put the model into a folder and name that as MODEL"
        ) from error
    except EntryNotFoundError as error:
        raise PluginDown(f"the model `{place.name}` has no {name} on the hub") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        raise PluginDown(
            f"fetching {name} of the model `{place.name}` broke off ({_first(error)}); "
            "the next scan goes on there"
        ) from error


def _fetch_if_there(place: Place, name: str) -> None:
    try:
        _fetch(place, name)
    except PluginDown as error:
        if not isinstance(error.__cause__, EntryNotFoundError) or isinstance(
            error.__cause__, LocalEntryNotFoundError
        ):
            raise


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__

"""A model by its name: fetched from a hub on first use, then taken from the cache, without the network."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: of httpx, or its successor
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from tigertag.engines.clip import files, large
from tigertag.engines.clip.files import Files
from tigertag.errors import PluginDown
from tigertag.model.fetching import Fetch

_PATIENCE = 10.0
"""Seconds that a question about a file may take."""


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

    @property
    def source(self) -> str:
        return (self.endpoint or constants.ENDPOINT).rstrip("/")

    @property
    def folder(self) -> Path:
        return self.cache or Path(constants.HF_HUB_CACHE)


def cached(place: Place) -> Files | None:
    """The model, where all of it was fetched before. Asks nobody."""
    found = [_cached(place, name) for name in _needed(place)]
    if None in found:
        return None
    config = found[0]
    assert config is not None
    return files.find(config.parent, place.precision)


def missing(place: Place) -> Fetch:
    """What `fetched` would fetch, as the hub says. Raises PluginDown as that does."""
    _quieten()
    size = 0
    for name in [*_needed(place), *_optional(place)]:
        if _cached(place, name) is None:
            url = hf_hub_url(place.name, name, revision=place.revision, endpoint=place.source)
            with _told(place, name, is_cut_off=False):
                size += _size(url, place, is_needed=name in _needed(place))
    return Fetch(f"the model {place.name}", size, place.source, str(place.folder))


def _quieten() -> None:
    """What the hub's library would warn of is told here, once."""
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _size(url: str, place: Place, *, is_needed: bool) -> int:
    try:
        return get_hf_file_metadata(url, timeout=_PATIENCE, endpoint=place.source).size or 0
    except LocalEntryNotFoundError:
        raise
    except EntryNotFoundError:
        if is_needed:
            raise
        return 0


def fetched(place: Place, tell: Callable[[int], None] = lambda size: None) -> Files:
    """The model; what is not in the cache is fetched, from where it was cut off, and `tell` hears how much.

    Raises PluginDown that says what could not be had, and why.
    """
    there = cached(place)
    if there is not None:
        return there
    _quieten()
    folder = Path(_fetch(place, files.CONFIG, tell)).parent
    # What a model may be without comes first: once all that is needed is here, nobody asks for it again.
    for name in _optional(place):
        _fetch_if_there(place, name, tell)
    for name in _needed(place)[1:]:
        _fetch(place, name, tell)
    return files.find(folder, place.precision)


def _needed(place: Place) -> list[str]:
    towers = [files.tower_names(tower, place.precision)[0] for tower in ("vision", "text")]
    return [files.CONFIG, files.PIXELS, files.TOKENIZER, *towers]


def _optional(place: Place) -> list[str]:
    return [files.TOKENS, *(f"{name}_data" for name in _needed(place)[-2:])]


def _cached(place: Place, name: str) -> Path | None:
    try:
        found = try_to_load_from_cache(
            place.name, name, cache_dir=place.folder, revision=place.revision or "main"
        )
    except HFValidationError as error:
        raise PluginDown(
            f"`{place.name}` is no name of a model: {_first(error)}; MODEL is a name such as "
            "Xenova/clip-vit-base-patch32, or a folder"
        ) from error
    return Path(found) if isinstance(found, str) else None


def _fetch(place: Place, name: str, tell: Callable[[int], None]) -> str:
    with _told(place, name, is_cut_off=True):
        if ".onnx" in name and _cached(place, name) is None:
            _fetch_large(place, name, tell)
        return hf_hub_download(
            place.name,
            name,
            revision=place.revision,
            cache_dir=place.folder,
            endpoint=place.source,
            tqdm_class=_heard_by(tell),
        )


def _fetch_large(place: Place, name: str, tell: Callable[[int], None]) -> None:
    """Puts it where the hub's library looks for it."""
    url = hf_hub_url(place.name, name, revision=place.revision, endpoint=place.source)
    facts = get_hf_file_metadata(url, timeout=_PATIENCE, endpoint=place.source)
    if facts.etag and facts.size is not None:
        folder = repo_folder_name(repo_id=place.name, repo_type="model")
        blob = place.folder / folder / "blobs" / facts.etag
        lock = place.folder / ".locks" / folder / f"{facts.etag}.lock"
        large.fetch(large.Large(url, facts.size, blob, lock), tell)


def _fetch_if_there(place: Place, name: str, tell: Callable[[int], None]) -> None:
    try:
        _fetch(place, name, tell)
    except PluginDown as error:
        if not isinstance(error.__cause__, EntryNotFoundError) or isinstance(
            error.__cause__, LocalEntryNotFoundError
        ):
            raise


def _heard_by(tell: Callable[[int], None]) -> Any:
    """What the hub's library takes for a progress bar: it draws nothing."""

    class Heard:
        def __init__(self, *_: object, initial: int = 0, **__: object) -> None:
            self.n = initial
            tell(initial)

        def update(self, size: float | None = 1) -> None:
            tell(int(size or 0))

        def __enter__(self) -> Heard:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def __getattr__(self, name: str) -> Callable[..., None]:
            """`close`, `refresh`, `set_description`: there is nothing to draw."""
            return lambda *_, **__: None

    return Heard


@contextmanager
def _told(place: Place, name: str, *, is_cut_off: bool) -> Iterator[None]:
    """What the hub's library raises, in one line with the next step."""
    try:
        yield
    except RepositoryNotFoundError as error:
        raise PluginDown(
            f"the hub {place.source} knows no model `{place.name}`, or shows it to nobody: correct MODEL"
        ) from error
    except RevisionNotFoundError as error:
        raise PluginDown(
            f"the model `{place.name}` has no revision `{place.revision}`: correct REVISION"
        ) from error
    except LocalEntryNotFoundError as error:
        raise _unreachable(place, name) from error
    except EntryNotFoundError as error:
        raise PluginDown(
            f"the model `{place.name}` has no {name} on the hub: choose one with towers in ONNX files, or "
            "another PRECISION"
        ) from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        is_away = isinstance(error, HTTPError) and not isinstance(error, HfHubHTTPError)
        if is_away or (not is_cut_off and not isinstance(error, HfHubHTTPError)):
            raise _unreachable(place, name) from error
        raise PluginDown(
            f"fetching {name} of the model `{place.name}` broke off ({_first(error)}); "
            "the next scan goes on there"
        ) from error


def _unreachable(place: Place, name: str) -> PluginDown:
    return PluginDown(
        f"the model `{place.name}` is not here yet, and the hub {place.source} cannot be reached to fetch "
        f"{name}; without a network put the model into a folder and name that as MODEL"
    )


def _first(error: Exception) -> str:
    """Without the hub's token, should it be sent back, and without what stands behind an address: a hub signs
    those that it sends on to.
    """
    said, token = str(error), get_token() or ""
    for spelling in filter(None, (token, quote(token), quote(token, safe=""), quote_plus(token))):
        said = said.replace(spelling, "***")
    said = re.sub(r"\?[^\s)'\"]*", "", said.strip().partition("\n")[0])
    return said[:200] or type(error).__name__

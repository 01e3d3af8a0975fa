"""Where tasks run: threads of this process, processes of this machine, a cluster.

`--executor processes`, `processes?workers=4`, `threads`, `dask://host:8786`, `dask://local?workers=4`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tigertag.errors import ConfigError

if TYPE_CHECKING:
    from tigertag.pipeline.workshop import Workers

DEFAULT = "processes"


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Place:
    """What an address says."""

    kind: str
    """`threads`, `processes` or `dask`."""
    host: str = ""
    """Of a Dask scheduler, with its port; empty: here."""
    workers: int = 0


def find(address: str) -> Place:
    """What an address means. Nothing is opened or started. Raises ConfigError."""
    try:
        place = _read(address)
    except ValueError as error:
        raise ConfigError(
            f"`{_shown(address)}` is no executor{f' ({error})' if str(error) else ''}: write processes, "
            "processes?workers=4, threads, dask://host:8786 or dask://local?workers=4"
        ) from error
    if place.kind == "dask" and find_spec("distributed") is None:
        raise ConfigError(
            f"`{_shown(address)}` needs Dask, which is not installed: pip install 'tigertag[cluster]'"
        )
    return place


def open_workers(address: str) -> Workers:
    """The workers at an address; none of this machine starts before the first task, but Dask's own.

    Raises ConfigError, PluginDown.
    """
    # Imported here: commands that only look need no decoder, and Dask is an extra that takes a second.
    place = find(address)
    if place.kind == "threads":
        from tigertag.executors.threads import Threads  # noqa: PLC0415

        return Threads(place.workers or cores())
    if place.kind == "processes":
        from tigertag.executors.processes import Processes  # noqa: PLC0415

        return Processes(place.workers or cores())
    from tigertag.executors import cluster  # noqa: PLC0415

    return cluster.open_remote(place.host) if place.host else cluster.open_local(place.workers or cores())


def _shown(address: str) -> str:
    """The address without what may be a password in it, wherever the mistake is."""
    before, mark, after = address.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    return f"{scheme}//***@{after}" if slashes else f"***@{after}" if mark else address


def _read(address: str) -> Place:
    """Raises ValueError, with a reason where there is more to say than how it is written."""
    short, mark, query = address.partition("?")
    url = urlsplit(address if "://" in address else f"{short}://{mark}{query}")
    if url.path or url.fragment or url.username is not None:
        raise ValueError
    workers = _number(dict(parse_qsl(url.query, keep_blank_values=True)))
    if url.scheme in ("threads", "processes") and not url.netloc:
        return Place(url.scheme, workers=workers)
    if url.scheme != "dask" or not url.hostname:
        raise ValueError
    if url.hostname == "local" and url.port is None:
        return Place("dask", workers=workers)
    if workers:
        raise ValueError("a scheduler has the workers that it has")
    return Place("dask", url.netloc if url.port else f"{url.netloc}:8786")


def _number(query: dict[str, str]) -> int:
    """The number of workers, 0 where it is left open."""
    said = query.pop("workers", None)
    if query or (said is not None and not (said.isdigit() and 1 <= int(said) <= 256)):
        raise ValueError("what may follow the `?` is workers=1 to workers=256")
    return int(said) if said is not None else 0

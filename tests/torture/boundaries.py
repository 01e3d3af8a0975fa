"""The boundaries that are tortured, by the name that `--only` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.torture import (
    archive,
    concurrency,
    config,
    database,
    disk,
    kills,
    library,
    pictures,
    secrets,
    syscalls,
    wire,
    xmp,
)
from tests.torture.trial import Trial

Trials = Callable[[bool], Iterator[Trial]]
"""The trials of a boundary, each as soon as it is over: all, or (False) a few that are always the same."""

BOUNDARIES: Mapping[str, Trials] = {
    "kills": kills.trials,
    "syscalls": syscalls.trials,
    "database": database.trials,
    "concurrency": concurrency.trials,
    "plex": wire.plex,
    "imagga": wire.imagga,
    "compreface": wire.compreface,
    "openai": wire.openai,
    "library": library.trials,
    "secrets": secrets.trials,
    "pictures": pictures.trials,
    "disk": disk.trials,
    "configuration": config.trials,
    "archive": archive.trials,
    "xmp": xmp.trials,
}

"""Tags on photos and clips in Plex: read by multi-get, written by batched edits, read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from tigertag.errors import ConfigError, ItemError, Unreachable
from tigertag.model import Change, Finding, Item, Memory, Presence, Shown, Written
from tigertag.options import TargetOptions
from tigertag.plexserver import Pace, PlexConnection, PlexOptions
from tigertag.targets.plex_edits import needed, why_refused
from tigertag.targets.plex_habits import Habits
from tigertag.targets.plex_look import PlexView, Seen
from tigertag.targets.plex_writing import Writing


class PlexTargetOptions(TargetOptions, PlexOptions):
    """Which server."""

    batch: int = Field(200, ge=1, le=400, description="Photos that one edit may change.")


class PlexTarget:
    """The photos of one Plex server."""

    Options = PlexTargetOptions

    def __init__(self, options: PlexTargetOptions, memory: Memory, pace: Pace | None = None) -> None:
        self._options = options
        self._pace = pace or Pace()
        self._plex = PlexConnection(options, self._pace)
        self._view = PlexView(self._plex)
        self._habits = Habits(self._plex, memory)

    @property
    def identity(self) -> str:
        return f"plex:{self._plex.machine}"

    @property
    def label(self) -> str:
        """`Plex on nas`; by its address where it cannot be asked."""
        try:
            return f"Plex on {self._plex.name}"
        except (ConfigError, Unreachable):
            return f"Plex at {self._options.url}"

    def accepts(self, item: Item) -> bool:
        return item.source == self.identity

    def read(self, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        seen = self._view.look_at_batch([item.key for item in items])
        return [_shown(item, seen.get(item.key)) for item in items]

    def write(self, changes: Sequence[Change]) -> Iterator[Written | ItemError]:
        wanted = []
        for change in changes:
            todo = needed(change)
            bad = next((name for name in todo.add if why_refused(name)), None)
            if bad is not None:
                yield _refused(change.item, bad)
            elif todo.add or todo.remove:
                wanted.append(todo)
            else:
                yield Written(change.item, change.shown)
        if wanted:
            yield from Writing(self._plex, self._view, self._habits, self._options.batch, self._pace).outcomes(
                wanted
            )

    def check(self) -> Iterable[Finding]:
        try:
            server = f'Plex "{self._plex.name}" {self._plex.version} at {self._options.url}'
        except ConfigError as error:
            yield from (Finding(False, fault) for fault in error.faults)
        except Unreachable as error:
            yield Finding(False, str(error), "Start Plex, or correct PLEX_URL.")
        else:
            yield Finding(True, f"{server} answers and takes the token")

    def close(self) -> None:
        self._plex.close()


def _shown(item: Item, seen: Seen | None) -> Shown:
    if seen is None:
        return Shown(item, presence=Presence.GONE)
    if not seen.is_the_photo_of(item):
        return Shown(item, presence=Presence.OTHER)
    return Shown(item, seen.tags)


def _refused(item: Item, name: str) -> ItemError:
    shown = ascii(name if len(name) <= 60 else name[:60] + "…")
    return ItemError(
        f"{item.path}: the tag {shown} was not sent to Plex: {why_refused(name)}. "
        "Rename or deny it in vocabulary.yaml.",
        item,
        again=False,
    )

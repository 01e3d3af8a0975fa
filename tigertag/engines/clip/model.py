"""A model that is found, fetched and loaded: from photos and texts to vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

from tigertag.engines.clip import facts, files, hub
from tigertag.engines.clip.facts import Facts
from tigertag.engines.clip.files import Files
from tigertag.engines.clip.options import ClipOptions
from tigertag.engines.clip.pixels import Floats, prepared, rendition_for
from tigertag.engines.clip.towers import Towers, middle
from tigertag.errors import PluginDown
from tigertag.media.strip import frames_of
from tigertag.model import Photo, Rendition
from tigertag.model.fetching import Fetch


class Model:
    """What `ENGINE_CLIP_MODEL` names."""

    def __init__(self, options: ClipOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._files: Files | None = None
        self._towers: Towers | None = None

    def here(self) -> Files | None:
        """Its files, where they are on this computer. Raises PluginDown where a folder lacks something."""
        if self._files is None:
            folder = Path(self._options.model).expanduser()
            if folder.is_absolute() or folder.is_dir() or self._options.model.startswith("."):
                self._files = files.find(folder, self._options.precision)
            else:
                self._files = hub.cached(self._place)
        return self._files

    def to_fetch(self) -> Fetch:
        """What is not here, as the hub says. Raises PluginDown."""
        return hub.missing(self._place)

    def fetch(self, tell: Callable[[int], None]) -> None:
        """Raises PluginDown."""
        if self.here() is None:
            hub.fetched(self._place, tell)

    @cached_property
    def known(self) -> Facts:
        """Raises PluginDown where it is not here, or none that can be used."""
        here = self.here()
        if here is None:
            raise PluginDown(f"the model {self._options.model} is not here yet")
        return facts.read(here)

    @property
    def rendition(self) -> Rendition:
        """What it wants to be shown of a photo. Raises PluginDown."""
        return rendition_for(self.known.pixels)

    def load(self) -> Towers:
        """Once; it is fetched where it is not here. Raises PluginDown."""
        with self._lock:
            if self._towers is None:
                found = self.here() or hub.fetched(self._place)
                found.digests()
                self._files = found
                self._towers = Towers(found, self.known, self._options.provider, self._options.threads)
            return self._towers

    def pixels(self, photo: Photo) -> list[Floats]:
        """A photo as numbers; a video by each of its frames. Raises PhotoError, PluginDown."""
        size = (photo.width, photo.height)
        frames = frames_of(photo, self.rendition)
        return [prepared(frame.jpeg(self.rendition), self.known.pixels, size) for frame in frames]

    def texts(self, texts: Sequence[str]) -> Floats:
        """A row for each. Raises PluginDown."""
        return self.load().texts(texts)

    def images(self, photos: Sequence[Sequence[Floats]]) -> list[Floats]:
        """The vector of each photo: of a video the middle of those of its frames. Raises PluginDown."""
        rows = self.load().images([frame for frames in photos for frame in frames])
        ends = accumulate(map(len, photos), initial=0)
        return [middle(rows[start:stop]) for start, stop in pairwise(ends)]

    @property
    def _place(self) -> hub.Place:
        options = self._options
        return hub.Place(
            options.model, options.precision, options.revision or None, options.hub or None, options.cache
        )

"""An engine that looks at every photo in a worker, as one with a model of its own would."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from PIL import Image

from tigertag.local import LocalEngine
from tigertag.model import JSON, Analysis, Annotation, Kind, Photo, Rendition

_SEEN = Rendition(long_side=64)


class Looker(LocalEngine):
    """Says of each photo that it was seen, and how bright it is."""

    name = "looker"
    version = "1"
    batch_size = 4
    renditions: Sequence[Rendition] = (_SEEN,)
    does = "looks"
    settings: Mapping[str, JSON] = {}

    def answer(self, photo: Photo) -> Analysis:
        with Image.open(io.BytesIO(photo.jpeg(_SEEN))) as picture:
            light = picture.convert("L").resize((1, 1)).tobytes()[0]
        return Analysis(photo, (Annotation(Kind.TAG, "seen"), Annotation(Kind.MEASURE, "light", value=light)))


class Onlooker(Looker):
    """The same in a thread of the coordinator, as one that asks a service would."""

    name = "onlooker"
    runs_in = "thread"
    renditions: Sequence[Rendition] = (_SEEN, Rendition(long_side=48))

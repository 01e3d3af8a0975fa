"""What kind of file a photo lies in, where that is worth saying: videos, and pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tigertag.media.video_file import Film
from tigertag.model import JSON

VIDEO = "video"
"""The tag of a video, and the name of its group."""


def file_measures(film: Film | None, pages: int, size: tuple[int, int]) -> Iterator[tuple[str, JSON]]:
    """Of a video its duration in seconds, FFmpeg's name of its codec, the pixels of an upright frame, frames a
    second; of a file with several pages their number.
    """
    if film is not None:
        if film.seconds is not None:
            yield "duration", round(film.seconds, 3)
        yield "codec", film.codec
        yield from zip(("frame width", "frame height"), size, strict=True)
        if film.rate is not None:
            yield "frames per second", round(film.rate, 3)
    if pages > 1:
        yield "pages", pages

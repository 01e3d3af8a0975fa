"""A frame of a video: `tigertag[video]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av
from PIL import Image, ImageStat

from tigertag.media.anatomy import Unfit

PLACES = (0.5, 0.25, 0.75)
"""Where in a video a frame is looked for, as fractions of its length: the middle, unless it is blank there."""
_BLANK = 8.0
"""Standard deviation of the grey values, 0..255, under which a frame shows nothing."""
_MOST_FRAMES = 250
"""Frames that are decoded to get to one that can be shown."""


def frame(stream: BinaryIO, most_pixels: int) -> Image.Image:
    """An upright frame that stands for the video: of those at PLACES the first that is not blank.

    Raises Unfit.
    """
    try:
        with av.open(stream, mode="r", metadata_errors="replace") as film:
            if not film.streams.video:
                raise Unfit("is a video without a picture")
            shown = next(_not_blank(film, most_pixels), None)
    except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
        raise Unfit(f"is a video that cannot be decoded ({_reason(error)})") from error
    if shown is None:
        raise Unfit("is a video that cannot be decoded (no frame was found)")
    return shown


def _not_blank(film: av.container.InputContainer, most_pixels: int) -> Iterator[Image.Image]:
    """Those that show something, then those that do not."""
    blank = []
    for place in PLACES:
        found = _at(film, place, most_pixels)
        if found is not None and ImageStat.Stat(found.convert("L")).stddev[0] >= _BLANK:
            yield found
        elif found is not None:
            blank.append(found)
    yield from blank


def _at(film: av.container.InputContainer, place: float, most_pixels: int) -> Image.Image | None:
    stream = film.streams.video[0]
    stream.codec_context.thread_count = 1
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > most_pixels:
        raise Unfit(f"is too large ({width} × {height} pixels; at most {most_pixels // 1_000_000} million)")
    if film.duration:
        film.seek(int(film.duration * place))  # to the frame before it that stands for itself
    for number, decoded in enumerate(film.decode(stream)):
        if not decoded.is_corrupt:
            turned: Image.Image = decoded.to_image()  # type: ignore[no-untyped-call]
            return turned.rotate(decoded.rotation, expand=True) if decoded.rotation % 360 else turned
        if number >= _MOST_FRAMES:
            break
    return None


def _reason(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "strerror", "") or error).split())
    return text[:200] or type(error).__name__

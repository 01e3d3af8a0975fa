"""Frames of a video, and what its container says of it: `tigertag[video]`.

A video is seen through up to FRAMES frames, spread evenly over it: of five those at 10, 30, 50, 70 and 90 % of
its length. Those on which nothing is to be seen are left out. The one that is most like the others stands for
the video, so that neither a black start nor a single odd scene does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageChops, ImageStat

from tigertag.media.anatomy import Unfit
from tigertag.media.video_file import Film

FRAMES = 5
"""Frames that are looked at; fewer of a video so large that they would not fit into memory together."""

_BLANK = 8.0
"""Standard deviation of the grey values, 0..255, under which a frame shows nothing."""
_NEAR = 0.05
"""How far before its place a frame may be, as a fraction of the length."""
_MOST_DECODED = 1_000_000_000
"""Pixels that are decoded on the way to a place between two frames that stand for themselves: about 10 s."""
_MOST_SKIPPED = 1000
"""The same in frames."""
_STEP = 2.0
"""Seconds from a frame that is looked at to the next, where a video does not say how long it is."""
_SMALL = (32, 32)
_FAULTS = (av.FFmpegError, ValueError, ArithmeticError, LookupError, MemoryError)
"""What PyAV raises for damaged films; LookupError where a stream turns up that the head does not name."""


def facts(stream: BinaryIO) -> Film:
    """What the container says; nothing is decoded. Raises Unfit."""
    with _opened(stream) as (film, shown):
        codec = shown.codec_context
        return Film(
            seconds=film.duration / av.time_base if film.duration and film.duration > 0 else None,
            codec=codec.codec.canonical_name,
            width=codec.width,
            height=codec.height,
            rate=float(shown.average_rate) if shown.average_rate else None,
            said={name.casefold(): value for name, value in (film.metadata | shown.metadata).items()},
        )


def first_frame(stream: BinaryIO, most_pixels: int) -> Image.Image:
    """An upright frame, to see how large they are. Raises Unfit."""
    with _opened(stream) as (film, shown):
        _check_size(shown, most_pixels)
        reading = _Reading(film, shown)
        found = next(chain(_searched(reading, 1, near=1.0), _one_after_the_other(reading, 1)), None)
        if found is not None:
            return _upright(found)
    raise Unfit("is a video that cannot be decoded (no frame was found)")


def frames(stream: BinaryIO, most_pixels: int) -> list[Image.Image]:
    """Upright frames of one size: the one that stands for the video, then the others in their order.

    Together they have at most `most_pixels`. Raises Unfit.
    """
    with _opened(stream) as (film, shown):
        _check_size(shown, most_pixels)
        number = min(FRAMES, most_pixels // (shown.codec_context.width * shown.codec_context.height))
        reading = _Reading(film, shown)
        # None: it cannot be searched, or does not say how long it is.
        taken = list(_searched(reading, number)) or list(_one_after_the_other(reading, number))
        if not taken:
            raise Unfit("is a video that cannot be decoded (no frame was found)")
        once = {each.pts if each.pts is not None else -place: each for place, each in enumerate(taken)}
        return _in_order([_upright(each) for each in once.values()])


def places(number: int) -> tuple[float, ...]:
    """So many places in a video, as fractions of its length: `(0.1, 0.3, 0.5, 0.7, 0.9)`."""
    return tuple((2 * each + 1) / (2 * number) for each in range(number))


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its picture. Raises Unfit, also for what goes wrong while it is open."""
    try:
        with av.open(stream, mode="r", metadata_errors="replace") as film:
            shown = next((one for one in film.streams.video if not _is_cover(one)), None)
            if shown is None:
                raise Unfit("is a video without a picture")
            if shown.codec_context is None:
                raise Unfit("is a video that cannot be decoded (FFmpeg does not know its codec)")
            shown.codec_context.thread_count = 1
            yield film, shown
    except _FAULTS as error:
        raise Unfit(f"is a video that cannot be decoded ({_reason(error)})") from error


def _is_cover(stream: VideoStream) -> bool:
    """A still picture that a program put beside the film."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _check_size(shown: VideoStream, most_pixels: int) -> None:
    width, height = shown.codec_context.width, shown.codec_context.height
    if not width or not height:
        raise Unfit("is a video that cannot be decoded (it does not say how large it is)")
    if width * height > most_pixels:
        raise Unfit(f"is too large ({width} × {height} pixels; at most {most_pixels // 1_000_000} million)")


@dataclass(slots=True)
class _Reading:
    """A film under way, and how much of it was decoded only to get further."""

    film: InputContainer
    shown: VideoStream
    skipped: int = 0

    @property
    def may_skip(self) -> bool:
        pixels = self.shown.codec_context.width * self.shown.codec_context.height
        return self.skipped < _MOST_SKIPPED and self.skipped * pixels < _MOST_DECODED

    def decoded(self) -> Iterator[av.VideoFrame]:
        """From here on; ends where it cannot be decoded any further."""
        try:
            for found in self.film.decode(self.shown):
                if not found.is_corrupt:
                    yield found
        except (av.FFmpegError, LookupError):
            return


def _searched(reading: _Reading, number: int, near: float = _NEAR) -> Iterator[av.VideoFrame]:
    """Frames at so many places, or so `near` before them, or as near as can be got to; mostly one for each.

    Where the next place follows the same frame that stands for itself, it is not decoded from there once more.
    """
    start, length = _span(reading.film)
    left = deque(start + length * place for place in places(number) if length > 0)
    before = -math.inf
    while left:
        last: av.VideoFrame | None = None
        first: float | None = None
        try:
            # To the frame before it that stands for itself.
            reading.film.seek(int(left[0] * av.time_base))
        except av.FFmpegError:
            left.popleft()
            continue
        for found in reading.decoded():
            first, last = found.time if first is None else first, found
            if found.time is not None and found.time < left[0] - near * length and reading.may_skip:
                reading.skipped += 1
                continue
            yield found
            left.popleft()
            goes_on = left and reading.may_skip and first is not None and first <= before
            before, last = found.time or before, None
            if not goes_on:
                break
        else:
            if last is not None:
                yield last
            left.popleft()


def _span(film: InputContainer) -> tuple[float, float]:
    """When it starts, and how long it is, in seconds; 0 where it does not say."""
    return (film.start_time or 0) / av.time_base, max(0, film.duration or 0) / av.time_base


def _one_after_the_other(reading: _Reading, number: int) -> Iterator[av.VideoFrame]:
    """So many from the start on: at their places where the length is known, else a few seconds apart."""
    film = reading.film
    start, length = _span(film)
    wanted = [
        start + length * place if length > 0 else _STEP * each for each, place in enumerate(places(number))
    ]
    try:
        film.seek(min(0, film.start_time or 0))
    except av.FFmpegError:
        return
    for found in reading.decoded():
        if found.time is None or found.time >= wanted[0]:
            yield found
            wanted.pop(0)
        if not wanted or not reading.may_skip:
            return
        reading.skipped += 1


def _upright(frame: av.VideoFrame) -> Image.Image:
    turned: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return turned.rotate(frame.rotation, expand=True) if frame.rotation % 360 else turned


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────────────


def _in_order(shown: Sequence[Image.Image]) -> list[Image.Image]:
    """The one that stands for all, then the others, all in its size; without blank ones, unless all are."""
    small = [each.resize(_SMALL) for each in shown]
    middle = (len(shown) - 1) / 2
    kept = [place for place, each in enumerate(small) if not _is_blank(each)]
    if not kept:
        return [shown[round(middle)]]
    best = min(
        kept, key=lambda place: (_apart(small[place], [small[each] for each in kept]), abs(place - middle))
    )
    chosen = [shown[best], *(shown[place] for place in kept if place != best)]
    return [each if each.size == chosen[0].size else each.resize(chosen[0].size) for each in chosen]


def _is_blank(small: Image.Image) -> bool:
    return ImageStat.Stat(small.convert("L")).stddev[0] < _BLANK


def _apart(one: Image.Image, others: Sequence[Image.Image]) -> int:
    """How much a frame differs from the others, in steps that are no noise of a codec."""
    return round(
        sum(sum(ImageStat.Stat(ImageChops.difference(one, each)).mean) for each in others) / len(others)
    )


def _reason(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "strerror", "") or error).split())
    return text[:200] or type(error).__name__

"""A video as Pillow would see it, and the way to its frames, which is not there without `tigertag[video]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

from PIL import Image, ImageFile

from tigertag.errors import MissingDecoder

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess


@dataclass(frozen=True, slots=True)
class Film:
    """What the container of a video says of it."""

    seconds: float | None
    codec: str
    """As FFmpeg calls it: `h264`, `hevc`, `av1`."""
    width: int
    height: int
    """Pixels of a frame as it is stored, which may be lying."""
    rate: float | None
    """Frames a second, on average."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Its metadata, by names in lower case: `creation_time`."""


class VideoFile(ImageFile.ImageFile):
    """Not registered with Pillow. Until `measure` it is 1 × 1, and nothing of it is decoded. It has no EXIF."""

    format = "VIDEO"
    format_description = "video"

    def _open(self) -> None:
        self._size, self._mode = (1, 1), "RGB"

    def measure(self, most_pixels: int) -> None:
        """Decodes a frame. Raises MissingDecoder, Unfit."""
        try:
            from tigertag.media.film import first_frame  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingDecoder("video") from error
        shown = first_frame(self._from_start(), most_pixels)
        self.im, self._size = shown.im, shown.size

    def facts(self) -> Film:
        """Decodes nothing. Raises MissingDecoder, Unfit."""
        try:
            from tigertag.media.film import facts  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingDecoder("video") from error
        return facts(self._from_start())

    def _from_start(self) -> BinaryIO:
        stream = cast(BinaryIO, self.fp)
        stream.seek(0)
        return stream

    def getexif(self) -> Image.Exif:
        return Image.Exif()

    def load(self) -> PixelAccess | None:
        return Image.Image.load(self)


def frames_in(stream: BinaryIO, most_pixels: int) -> list[Image.Image]:
    """The frame that stands for a video, then the others. Raises MissingDecoder, Unfit."""
    try:
        from tigertag.media.film import frames  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDecoder("video") from error
    return frames(stream, most_pixels)

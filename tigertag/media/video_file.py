"""A video as Pillow would see it: the frame that stands for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

from PIL import Image, ImageFile

from tigertag.errors import MissingDecoder

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess


class VideoFile(ImageFile.ImageFile):
    """Not registered with Pillow. Until `measure` it is 1 × 1, and nothing of it is decoded. It has no EXIF."""

    format = "VIDEO"
    format_description = "video"

    def _open(self) -> None:
        self._size, self._mode = (1, 1), "RGB"

    def measure(self, most_pixels: int) -> None:
        """Decodes the frame. Raises MissingDecoder, Unfit."""
        try:
            from tigertag.media.film import frame  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingDecoder("video") from error
        stream = cast(BinaryIO, self.fp)
        stream.seek(0)
        shown = frame(stream, most_pixels)
        self.im, self._size = shown.im, shown.size

    def getexif(self) -> Image.Exif:
        return Image.Exif()

    def load(self) -> PixelAccess | None:
        return Image.Image.load(self)

"""A camera raw file as Pillow sees it: its metadata at once, its picture when it is loaded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, cast

from PIL import Image, ImageFile

from tigertag.errors import MissingDecoder
from tigertag.media import raw, tiff
from tigertag.media.anatomy import Unfit
from tigertag.media.tiff import Read

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

_MOST_EXIF = 4 << 20
_MOST_XMP = 4 << 20
_PREVIEW_WITHIN = 64 << 20
_XMP = 700


def reading(stream: BinaryIO) -> Read:
    """Reads from an open file; its position is moved."""

    def read(at: int, length: int) -> bytes:
        stream.seek(at)
        return stream.read(length)

    return read


class RawFile(ImageFile.ImageFile):
    """Not registered with Pillow, which would take it for many a TIFF. Loading raises MissingDecoder, Unfit."""

    format = "RAW"
    format_description = "camera raw file"

    def _open(self) -> None:
        stream = cast(BinaryIO, self.fp)
        self._directories = list(tiff.directories(reading(stream)))
        self._size = raw.upright_size(self._directories)
        self._mode = "RGB"
        self._is_half = False
        self._is_loaded = False
        if self._directories and _XMP in self._directories[0]:
            field = self._directories[0][_XMP]
            self.info["xmp"] = reading(stream)(field.start, min(field.length, _MOST_XMP))

    def getexif(self) -> Image.Exif:
        """The file's own directories are EXIF; a container without them has it in its preview."""
        stream = cast(BinaryIO, self.fp)
        exif = Image.Exif()
        stream.seek(0)
        head = stream.read(4)
        if head in (b"II*\0", b"MM\0*"):
            stream.seek(0)
            exif.load_from_fp(stream)
        elif self._directories:
            # Olympus and Panasonic put a word of their own where TIFF has its 42.
            mark = b"II*\0" if head[:2] == b"II" else b"MM\0*"
            exif.load(b"Exif\0\0" + mark + stream.read(_MOST_EXIF))
        elif shown := self._preview():
            return shown.getexif()
        return exif

    def _preview(self) -> Image.Image | None:
        stream = cast(BinaryIO, self.fp)
        stream.seek(0)
        data = stream.read(_PREVIEW_WITHIN)
        try:
            span = raw.raw(data).within
        except Unfit:
            return None
        return Image.open(io.BytesIO(data[slice(*span)]), formats=("JPEG",)) if span else None

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Half the size where that is enough: a pixel of it is a whole cell of the sensor."""
        width, height = self.size
        if size and size[0] <= width // 2 and size[1] <= height // 2 and not self._is_half:
            self._is_half = True
            self._size = (width + 1) // 2, (height + 1) // 2
        return None

    def load(self) -> PixelAccess | None:
        if not self._is_loaded:
            try:
                from tigertag.media.develop import develop  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise MissingDecoder("raw") from error
            stream = cast(BinaryIO, self.fp)
            stream.seek(0)
            developed = develop(stream, half=self._is_half)
            self.im, self._size, self._is_loaded = developed.im, developed.size, True
        return Image.Image.load(self)

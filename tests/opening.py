"""Pictures saved in a form, and opened as a run opens them."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageChops, ImageStat

from tests.pictures import draw
from tigertag.media import OpenPhoto, open_photo
from tigertag.model import Rendition

SMALL = (64, 48)


def saved(form: str, picture: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (picture or draw(1, SMALL)).save(file, form, **options)
    return file.getvalue()


def opened(content: bytes, name: str = "Summer/a.jpg") -> OpenPhoto:
    return open_photo(io.BytesIO(content), name)


def content_id(content: bytes) -> str:
    with opened(content) as photo:
        return photo.content_id


def rendered(content: bytes, rendition: Rendition | None = None) -> Image.Image:
    with opened(content) as photo:
        return Image.open(io.BytesIO(photo.jpeg(rendition or Rendition())))


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

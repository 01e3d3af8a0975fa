"""Pictures with metadata of all kinds, and what the metadata engine says of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

from PIL import Image, PngImagePlugin

from tests.pictures import draw
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.engines.metadata import MetadataEngine, MetadataOptions
from tigertag.media import open_photo
from tigertag.model import Analysis, Kind

NOW = datetime(2024, 12, 31, 12)


def block(
    details: Mapping[int, object] | None = None,
    *,
    exif: Mapping[int, object] | None = None,
    place: Mapping[int, object] | None = None,
) -> bytes:
    """EXIF from the tags of its three directories."""
    made = Image.Exif()
    made.update(exif or {})
    made.get_ifd(0x8769).update(details or {})
    made.get_ifd(0x8825).update(place or {})
    return made.tobytes()


def photo(
    exif: bytes = b"", *, form: str = "JPEG", size: tuple[int, int] = (64, 48), xmp: bytes = b""
) -> bytes:
    """A picture with these blocks."""
    file = io.BytesIO()
    if form == "PNG":
        texts = PngImagePlugin.PngInfo()
        if xmp:
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        draw(1, size).save(file, form, exif=exif, pnginfo=texts)
    else:
        draw(1, size).save(file, form, exif=exif, xmp=xmp)
    return file.getvalue()


def answer(content: bytes, words: Sequence[str] = ()) -> Analysis:
    options = MetadataOptions.model_validate({"words": tuple(words)} if words else {})
    engine = MetadataEngine(options, FakeMemory(), lambda: NOW)
    with open_photo(io.BytesIO(content), "a.jpg") as opened:
        (found,) = engine.analyze([opened], FakePermit())
    assert isinstance(found, Analysis)
    return found


def tags(content: bytes, *words: str) -> list[str]:
    """The tags of the named groups, else of the usual ones."""
    return [one.name for one in answer(content, words).annotations if one.kind is Kind.TAG]


def measures(content: bytes) -> dict[str, float]:
    found = answer(content).annotations
    return {one.name: float(str(one.value)) for one in found if one.kind is Kind.MEASURE}

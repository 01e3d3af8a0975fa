"""A sheet of small pictures with their scores, to be looked at by a person."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageDraw

from tigertag.app.context import App, build_source
from tigertag.app.resembling import Match, Searched
from tigertag.app.scanning import source_at
from tigertag.config import Declared
from tigertag.errors import DiskError, TigerTagError
from tigertag.media.photo import open_photo
from tigertag.model import Item, Rendition, Source

_COLUMNS = 5
_SIDE = 220
"""Pixels of a picture, and of the room that it has."""
_LABEL = 34
_LINE = 26
_PAPER, _INK, _LACK, _MARK = "#ffffff", "#222222", "#dddddd", "#c0392b"


def draw(app: App, found: Searched, path: Path) -> int:
    """Writes the sheet as PNG; how many photos could not be shown. Raises DiskError.

    Where a threshold was asked about, a line lies between those that fit and those that do not.
    """
    pictures: list[Image.Image | None] = []
    with app.looking() as database, ExitStack() as stack:
        sources: dict[str, Source | None] = {}
        for match in found.matches:
            identity = match.item.source
            if identity not in sources:
                built = (build_source(database, each, stack) for each in _declared(app, identity))
                sources[identity] = next((each for each in built if _is(each, identity)), None)
            pictures.append(_picture(sources[identity], match.item))
    sheet = arranged(found, pictures)
    try:
        sheet.save(path, "PNG")
    except OSError as error:
        raise DiskError(f"The sheet cannot be written to {path}: {error.strerror or error}") from error
    return pictures.count(None)


def _declared(app: App, identity: str) -> Iterator[Declared]:
    """Sources that may be the one with that identity: those set up, and the folder that was named to scan."""
    yield from (each for each in app.settings.sources if each.enabled)
    root = identity.partition(":")[2].partition(":")[2]
    if root and Path(root).exists():
        yield source_at(app, root)


def _is(source: Source, identity: str) -> bool:
    try:
        return source.identity == identity
    except TigerTagError:
        return False  # it does not answer: its photos are shown as empty frames, and counted


def _picture(source: Source | None, item: Item) -> Image.Image | None:
    if source is None:
        return None
    try:
        with source.open(item) as stream, open_photo(stream, item.path) as photo:
            jpeg = photo.jpeg(Rendition(long_side=_SIDE))
    except TigerTagError:
        return None
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return picture.convert("RGB")


def arranged(found: Searched, pictures: Sequence[Image.Image | None]) -> Image.Image:
    """The pictures in rows with their scores below; those that fit above the line, the others below it."""
    fit = [n for n, match in enumerate(found.matches) if match.fits]
    rest = [n for n, match in enumerate(found.matches) if not match.fits]
    has_line = any(match.probability is not None for match in found.matches)
    rows = [-(-len(part) // _COLUMNS) for part in (fit, rest)]
    height = sum(rows) * (_SIDE + _LABEL) + (_LINE if has_line else 0)
    sheet = Image.new("RGB", (_COLUMNS * _SIDE, max(1, height)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    places: dict[int, tuple[int, int]] = {}
    top = 0
    for part, count in ((fit, rows[0]), (rest, rows[1])):
        if part is rest and has_line:
            pen.line((0, top + _LINE // 2, sheet.width, top + _LINE // 2), fill=_MARK, width=3)
            pen.text((4, top), f"{found.threshold:.0%}", fill=_MARK)
            top += _LINE
        for n, number in enumerate(part):
            places[number] = n % _COLUMNS * _SIDE, top + n // _COLUMNS * (_SIDE + _LABEL)
        top += count * (_SIDE + _LABEL)
    _fill(sheet, pen, found.matches, pictures, places)
    return sheet


def _fill(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    matches: Sequence[Match],
    pictures: Sequence[Image.Image | None],
    places: Mapping[int, tuple[int, int]],
) -> None:
    for number, (left, top) in places.items():
        picture, match = pictures[number], matches[number]
        if picture is None:
            pen.rectangle((left + 4, top + 4, left + _SIDE - 4, top + _SIDE - 4), fill=_LACK)
        else:
            picture.thumbnail((_SIDE - 8, _SIDE - 8))
            sheet.paste(picture, (left + (_SIDE - picture.width) // 2, top + (_SIDE - picture.height) // 2))
        score = "" if match.probability is None else f"{match.probability:.0%}  "
        name = match.path.rpartition("/")[2].encode("ascii", "replace").decode()[:34]
        pen.text((left + 6, top + _SIDE), f"{score}cosine {match.cosine:.3f}\n{name}", fill=_INK)

"""Searching stored vectors: photos like a photo, and photos that words fit. No photo is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.orm import Session

from tigertag.app import calibrating
from tigertag.app.calibrating import Sureness
from tigertag.app.context import App, build_engine
from tigertag.app.named import photo_named
from tigertag.app.words import Understands, contrasts, word_engines
from tigertag.config import Declared
from tigertag.errors import ConfigError, PluginDown
from tigertag.meaning.packing import bytes_of
from tigertag.meaning.words import THRESHOLD, Word, word
from tigertag.model import Item, fingerprint
from tigertag.store import find, items, photos, revisions, vectors
from tigertag.store.database import Database
from tigertag.store.tables import Revision

if TYPE_CHECKING:
    from tigertag.meaning.calibration import Calibration
    from tigertag.meaning.sight import Lens


@dataclass(frozen=True, slots=True)
class Match:
    """A photo that was found, by one item where it lies."""

    path: str
    cosine: float
    """-1..1."""
    probability: float | None
    """0..1; None where photos were compared with each other."""
    fits: bool
    """Whether it would get the tag; of a photo like another always."""
    item: Item


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found, best first."""

    matches: list[Match]
    photos: int
    """That were compared."""
    fitting: int
    """Of them those that the words fit."""
    threshold: float = 0.0
    sureness: Sureness | None = None
    """What the probabilities rest on; None where there are none."""


def similar(app: App, name: str, most: int) -> Searched:
    """The photos most like the one that `name` means, without itself. Raises ConfigError."""
    with app.looking() as database, database.reading() as session:
        found = photo_named(session, name)
        _, revision = _in_force(app, session)
        from tigertag.meaning.sight import nearest, unpacked  # noqa: PLC0415 - numpy comes with the extra

        row, _, _ = find.item_row(session, found[0])
        data = vectors.of_photo(session, row.photo_id or 0, revision.id)
        if data is None:
            raise ConfigError(f"`{name}` was not looked at yet: tigertag scan")
        best = nearest(_unpacked(session, revision.id), unpacked(data, 1)[0], most + 1)
        best = [each for each in best if each.photo_id != row.photo_id][:most]
        shown = _places(session, [each.photo_id for each in best])
        matches = []
        for each in best:
            if each.photo_id in shown:  # it lies somewhere still
                path, item = shown[each.photo_id]
                matches.append(Match(path, each.cosine, None, fits=True, item=item))
        return Searched(matches, vectors.count(session, revision.id), len(matches))


def look_for(app: App, text: str, most: int, threshold: float | None = None) -> Searched:
    """The photos that the words fit best, and as many around the threshold; `threshold` is 0..1.

    Words that were not learnt are put to the model, which is loaded for that. Raises ConfigError, PluginDown.
    """
    wanted = word(text, threshold=THRESHOLD if threshold is None else threshold)
    with app.looking() as database, database.reading() as session:
        declared, revision = _in_force(app, session)
        lens = _lens(database, session, declared, revision, wanted)
        sureness = calibrating.known(session, declared.id).get(revision.id, calibrating.unknown())
        sure, cosines, ids = _scored(session, revision.id, lens, sureness.calibration)
        order = sorted(range(len(ids)), key=lambda place: (-sure[place], ids[place]))
        border = next((n for n, place in enumerate(order) if sure[place] < wanted.threshold), len(order))
        picked = sorted({*range(min(most, len(order))), *_around(border, most, len(order))})
        shown = _places(session, [ids[order[n]] for n in picked])
        matches = []
        for place in (order[n] for n in picked):
            if ids[place] in shown:  # it lies somewhere still
                path, item = shown[ids[place]]
                fits = sure[place] >= wanted.threshold
                matches.append(Match(path, cosines[place], sure[place], fits, item))
        return Searched(matches, len(ids), border, wanted.threshold, sureness)


def sureness(app: App) -> dict[str, Sureness]:
    """Of each engine that has looked at photos, what the probabilities of its newest model rest on."""
    found = {}
    with app.looking() as database, database.reading() as session:
        there = set(vectors.revisions(session)) if word_engines(app) else set()
        for declared in word_engines(app):
            newest = revisions.newest(session, declared.id)
            if newest is not None and newest.id in there:
                known = calibrating.known(session, declared.id)
                found[declared.id] = known.get(newest.id) or calibrating.unknown()
    return found


def _around(border: int, most: int, count: int) -> range:
    """The places on both sides of the threshold: half of them above it."""
    return range(max(0, border - most // 2), min(count, border + most - most // 2))


def _in_force(app: App, session: Session) -> tuple[Declared, Revision]:
    """The first engine that has vectors, and its newest revision that has some. Raises ConfigError."""
    there = set(vectors.revisions(session))
    for declared in word_engines(app):
        newest = revisions.newest(session, declared.id)
        if newest is not None and newest.id in there:
            return declared, newest
    raise ConfigError(
        "No photo has been looked at by an engine that understands words: set ENGINE_CLIP_ENABLED=true "
        "(with tigertag[clip] installed), and run `tigertag scan`"
    )


def _lens(database: Database, session: Session, declared: Declared, revision: Revision, wanted: Word) -> Lens:
    from tigertag.meaning.sight import Lens, texts_of  # noqa: PLC0415

    contrast = contrasts(session, declared).get(revision.id)
    if contrast is None:
        raise ConfigError(f"The engine {declared.id} has learnt no words yet: tigertag write")
    texts = texts_of([wanted], contrast)
    meant = vectors.words(session, revision.id, texts)
    missing = [text for text in texts if text not in meant]
    if missing:
        with ExitStack() as stack:
            engine = build_engine(database, declared, stack)
            if fingerprint(dict(engine.settings)) != revision.fingerprint:
                raise PluginDown(
                    f"{declared.id} has another model than the one that looked at the photos: tigertag scan"
                )
            engine.start()
            understood = cast("Understands", engine).understand(missing)
        meant |= dict(zip(missing, map(bytes_of, understood), strict=True))
    return Lens([wanted], meant, contrast)


def _scored(
    session: Session, revision_id: int, lens: Lens, calibration: Calibration
) -> tuple[list[float], list[float], list[int]]:
    """How probable and how close the one word of the lens is for each photo, and which photo that is."""
    sure: list[float] = []
    cosines: list[float] = []
    ids: list[int] = []
    for photo_ids, block in _unpacked(session, revision_id):
        cosines += lens.cosines(block)[:, 0].tolist()
        odds = lens.logits(lens.margins(block))[:, 0].astype(float)
        sure += calibration.probabilities(odds).tolist()
        ids += photo_ids
    return sure, cosines, ids


def _unpacked(session: Session, revision_id: int) -> Iterator[tuple[list[int], Any]]:
    from tigertag.meaning.sight import unpacked  # noqa: PLC0415

    for block in vectors.blocks(session, revision_id):
        yield block.photos, unpacked(block.data, len(block.photos))


def _places(session: Session, photo_ids: Sequence[int]) -> dict[int, tuple[str, Item]]:
    """Path and item of each photo, of several items the first; a photo that lies nowhere any more has none."""
    there = photos.items_of(session, [(photo, "") for photo in photo_ids])
    found: dict[int, tuple[str, Item]] = {}
    for row_id, (item, photo_id) in items.by_ids(session, sorted(there)).items():
        if photo_id is not None:
            found.setdefault(photo_id, (items.glob_path(item.section, item.path), there[row_id]))
    return found

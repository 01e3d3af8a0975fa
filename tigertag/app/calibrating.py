"""How sure words are: a model's default, sharpened by what the owner has said about tags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from tigertag.model import JSON, Vocabulary, fold
from tigertag.store import evidence, runs, vectors
from tigertag.store.database import Database
from tigertag.vocabulary.lexicon import Lexicon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tigertag.meaning.calibration import Calibration, Floats
    from tigertag.meaning.sight import Lens
    from tigertag.meaning.words import Word

_KEY = "calibration:"
"""Before a revision's row: where an engine remembers its curve."""
_MOST = 5_000
"""Verdicts, and tags of the owner's, that are looked at: the newest."""
_GROWTH = 0.1
"""A curve is fitted anew when so much more, or less, is known: at each new verdict tags would come and go."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """The curve of a model, and what it rests on."""

    calibration: Calibration
    fits: int = 0
    """Answers of the owner that a tag fits a photo that the model has looked at."""
    fits_not: int = 0

    @property
    def is_own(self) -> bool:
        """Whether the owner's answers have sharpened it."""
        return self.calibration.known > 0

    @property
    def name(self) -> str:
        return "own" if self.is_own else "default"

    def __str__(self) -> str:
        from tigertag.meaning.calibration import FEWEST  # noqa: PLC0415 - numpy comes with the extra

        said = f"{self.fits:,} tags of yours, {self.fits_not:,} that you removed"
        if self.is_own:
            return f"your own calibration, from {said}"
        return f"the model's default calibration; yours would take {FEWEST} of each, and there are {said}"


def known(session: Session, engine: str) -> dict[int, Sureness]:
    """Of each model of an engine, by revision, what is remembered."""
    found = {}
    for key, value in runs.remembered(session, f"engine:{engine}"):
        if key.startswith(_KEY) and isinstance(value, Mapping):
            found[int(key.removeprefix(_KEY))] = _read(value)
    return found


def unknown() -> Sureness:
    """Of a model that nobody has said anything about."""
    return _read({})


def calibrate(
    database: Database, engine: str, vocabulary: Vocabulary, lenses: Mapping[int, Lens]
) -> dict[int, Sureness]:
    """Fits the curve of each model to the owner's answers where much has changed, and remembers it; in a
    database that is only looked at it is not remembered.
    """
    from tigertag.meaning.calibration import of_answers  # noqa: PLC0415

    found: dict[int, Sureness] = {}
    for revision, lens in lenses.items():
        with database.reading() as session:
            before = known(session, engine).get(revision)
            pairs = _answers(session, vocabulary, revision, lens)
        fits = sum(each.fits for each, _, _ in pairs)
        now = Sureness(unknown().calibration, fits, len(pairs) - fits)
        if before is not None and not _has_changed(before, now):
            found[revision] = before
            continue
        found[revision] = now
        if pairs:
            found[revision] = Sureness(of_answers(*_scored(lens, pairs)), fits, len(pairs) - fits)
        if (pairs or before is not None) and not database.read_only:
            _remember(database, engine, revision, found[revision])
    return found


def _has_changed(before: Sureness, now: Sureness) -> bool:
    """For a default each answer counts, for a curve a tenth of them."""
    if not before.is_own:
        return (before.fits, before.fits_not) != (now.fits, now.fits_not)
    moved = (abs(now.fits - before.fits), abs(now.fits_not - before.fits_not))
    return moved[0] > _GROWTH * before.fits or moved[1] > _GROWTH * before.fits_not


def _answers(
    session: Session, vocabulary: Vocabulary, revision: int, lens: Lens
) -> list[tuple[evidence.Judged, list[int], bytes]]:
    """What the owner said of photos that the model looked at: with the places of the words, and the vector."""
    places = _places(vocabulary, lens.words)
    judged = evidence.judged(session, places.keys(), _MOST)
    meant = vectors.of_photos(session, {each.photo_id for each in judged}, revision)
    return [(each, places[each.canonical], meant[each.photo_id]) for each in judged if each.photo_id in meant]


def _places(vocabulary: Vocabulary, words: Sequence[Word]) -> dict[str, list[int]]:
    """By the folded canonical name, which words become that tag."""
    lexicon = Lexicon(vocabulary)
    found: dict[str, list[int]] = {}
    for place, each in enumerate(words):
        found.setdefault(fold(lexicon.canonical(each.name, "en")), []).append(place)
    return found


def _scored(
    lens: Lens, pairs: Sequence[tuple[evidence.Judged, list[int], bytes]]
) -> tuple[Floats, NDArray[np.bool_]]:
    import numpy as np  # noqa: PLC0415

    from tigertag.meaning.sight import unpacked  # noqa: PLC0415

    rows = unpacked(b"".join(data for _, _, data in pairs), len(pairs))
    logits = lens.logits_of(rows, [places for _, places, _ in pairs])
    return logits.astype(np.float64), np.array([each.fits for each, _, _ in pairs])


def _remember(database: Database, engine: str, revision: int, found: Sureness) -> None:
    curve = found.calibration
    said: dict[str, JSON] = {"fits": found.fits, "fits_not": found.fits_not}
    if found.is_own:
        said |= {"slope": curve.slope, "offset": curve.offset, "floor": curve.floor, "known": curve.known}
    database.transact(lambda session: runs.remember(session, f"engine:{engine}", f"{_KEY}{revision}", said))


def _read(value: Mapping[str, JSON]) -> Sureness:
    """As `_remember` left it."""
    from tigertag.meaning.calibration import Calibration  # noqa: PLC0415

    def number(name: str, default: float) -> float:
        found = value.get(name)
        return float(found) if isinstance(found, int | float) else default

    curve = Calibration(
        number("slope", 1.0), number("offset", 0.0), int(number("known", 0)), number("floor", -math.inf)
    )
    return Sureness(curve, int(number("fits", 0)), int(number("fits_not", 0)))

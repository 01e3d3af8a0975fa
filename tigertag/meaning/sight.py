"""Words against vectors: what of a vocabulary fits a photo, and how probably."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tigertag.meaning.calibration import Calibration
from tigertag.meaning.contrast import NEUTRAL, Contrast
from tigertag.meaning.packing import bytes_of
from tigertag.meaning.words import Word
from tigertag.model import JSON, Annotation, Kind, fingerprint

Floats = NDArray[np.float32]

_VERSION = 1
"""Goes up when the same vectors and words would give other tags."""


def unpacked(data: bytes, rows: int) -> Floats:
    """So many vectors that lie one behind the other, a row each."""
    return np.frombuffer(data, "<f2").astype(np.float32).reshape(rows, -1)


def texts_of(words: Sequence[Word], contrast: Contrast) -> list[str]:
    """Every text that a model must know to look for the words, each once."""
    neutral = NEUTRAL if contrast.needs_neutral else ()
    return list(dict.fromkeys([*neutral, *(prompt for each in words for prompt in each.prompts)]))


class Lens:
    """The words as one model understands them; words that it was never asked about are not looked for."""

    def __init__(self, words: Sequence[Word], meant: Mapping[str, bytes], contrast: Contrast) -> None:
        """`meant`: the vectors of texts, as `packing` has them."""
        self.words = tuple(each for each in words if all(prompt in meant for prompt in each.prompts))
        self.contrast = contrast
        rows = [_mean(each.prompts, meant) for each in self.words]
        self.matrix: Floats = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
        known = [text for text in NEUTRAL if text in meant]
        width = self.matrix.shape[1]
        is_relative = contrast.needs_neutral and bool(known) and bool(rows)
        self.neutral: Floats = _mean(known, meant) if is_relative else np.zeros(width, np.float32)
        # One product gives how much closer a word is than what says nothing.
        self._relative = np.ascontiguousarray((self.matrix - self.neutral).T)

    def margins(self, vectors: Floats) -> Floats:
        """How much closer each vector, a row, is to each word, a column, than to the neutral texts."""
        return np.asarray(vectors @ self._relative, np.float32)

    def cosines(self, vectors: Floats) -> Floats:
        """How close each vector is to each word: -1..1."""
        return np.asarray(vectors @ self.matrix.T, np.float32)

    def logits(self, margins: Floats) -> Floats:
        """Margins as the model's own odds."""
        return np.asarray(
            margins * np.float32(self.contrast.scale) + np.float32(self.contrast.bias), np.float32
        )

    def least(self, calibration: Calibration) -> Floats:
        """The margin from which each word is as probable as its threshold asks."""
        asked = np.clip(np.array([each.threshold for each in self.words]), 1e-9, 1 - 1e-9)
        return np.asarray((calibration.least(asked) - self.contrast.bias) / self.contrast.scale, np.float32)

    def logits_of(self, vectors: Floats, words: Sequence[Sequence[int]]) -> Floats:
        """For each vector, a row, the highest logit among words of its own, by their places."""
        margins = [
            float((vector @ self._relative[:, list(places)]).max())
            for vector, places in zip(vectors, words, strict=True)
        ]
        return self.logits(np.array(margins, np.float32))


class Sight:
    """What becomes of an engine's vectors: tags, by models (revisions) and words."""

    def __init__(
        self,
        words: Sequence[Word],
        lenses: Mapping[int, Lens],
        calibrations: Mapping[int, Calibration] = MappingProxyType({}),
    ) -> None:
        """`calibrations`: of the models, by revision, that a person's answers have sharpened."""
        self._words = tuple(words)
        self._lenses = lenses
        self._calibrations = calibrations

    @property
    def fingerprint(self) -> str:
        """Differs where other tags may come of the same vectors."""
        words: list[JSON] = [
            [each.name, list(each.prompts), each.group, each.threshold, each.is_alternative]
            for each in self._words
        ]
        lenses: list[JSON] = [
            [revision, len(lens.words), lens.contrast.kind, lens.contrast.scale, lens.contrast.bias]
            for revision, lens in sorted(self._lenses.items())
        ]
        curves: list[JSON] = [
            [revision, each.slope, each.offset, str(each.floor)]
            for revision, each in sorted(self._calibrations.items())
            if each.known
        ]
        return fingerprint([_VERSION, words, lenses, curves])

    def tags(self, values: Sequence[JSON]) -> list[list[Annotation]]:
        """The words that fit each photo, the most probable first; `values` as `said_of` gives them.

        An annotation's value is the bare cosine.
        """
        found: list[list[Annotation]] = [[] for _ in values]
        for revision, places in _by_revision(values).items():
            lens = self._lenses.get(revision)
            rows = {place: bytes_of(_field(values[place], "vector")) for place in places}
            width = 0 if lens is None else 2 * lens.matrix.shape[1]
            fitting = [place for place, data in rows.items() if len(data) == width]
            if lens is not None and fitting:
                vectors = unpacked(b"".join(rows[place] for place in fitting), len(fitting))
                curve = self._calibrations.get(revision, Calibration())
                for place, row, margins in self._hits(lens, curve, vectors):
                    found[fitting[place]] = self._annotations(lens, curve, row, margins, vectors[place])
        return found

    def _hits(
        self, lens: Lens, curve: Calibration, vectors: Floats
    ) -> Iterator[tuple[int, NDArray[np.intp], Floats]]:
        """The rows that something fits: which words, and by how much."""
        margins = lens.margins(vectors)
        rows, columns = np.nonzero(margins >= lens.least(curve))
        bounds = [*np.flatnonzero(np.diff(rows, prepend=-1)), len(rows)]
        for start, end in pairwise(bounds):
            row, hit = int(rows[start]), columns[start:end]
            yield row, hit, margins[row, hit]

    def _annotations(
        self, lens: Lens, curve: Calibration, hit: NDArray[np.intp], margins: Floats, vector: Floats
    ) -> list[Annotation]:
        """Of alternatives only the most probable."""
        sure = curve.probabilities(lens.logits(margins).astype(np.float64))
        neutral = float(vector @ lens.neutral)
        taken: set[str] = set()
        found = []
        for place in sorted(range(len(hit)), key=lambda place: (-sure[place], lens.words[hit[place]].name)):
            each = lens.words[hit[place]]
            if each.is_alternative and each.group in taken:
                continue
            if each.is_alternative:
                taken.add(each.group)
            cosine = round(float(margins[place]) + neutral, 4)
            found.append(
                Annotation(Kind.TAG, each.name, round(float(sure[place]), 4), language="en", value=cosine)
            )
        return found


def _by_revision(values: Sequence[JSON]) -> dict[int, list[int]]:
    """Places by the model whose vectors stand there."""
    found: dict[int, list[int]] = {}
    for place, value in enumerate(values):
        revision = _field(value, "revision")
        if isinstance(revision, int):
            found.setdefault(revision, []).append(place)
    return found


def _field(value: JSON, name: str) -> JSON:
    return value.get(name) if isinstance(value, Mapping) else None


@dataclass(frozen=True, slots=True)
class Found:
    """A photo in a search, and how close it is."""

    photo_id: int
    cosine: float


def nearest(blocks: Iterator[tuple[Sequence[int], Floats]], wanted: Floats, most: int) -> list[Found]:
    """The closest photos of all, exactly; of equals the older row first. Memory holds a block and the best."""
    best: list[tuple[float, int]] = []
    for photos, vectors in blocks:
        closeness = vectors @ wanted
        top = np.argsort(-closeness, kind="stable")[:most]
        best += [(-float(closeness[place]), photos[place]) for place in top]
        best = sorted(best)[:most]
    return [Found(photo, -distance) for distance, photo in best]


def _mean(texts: Sequence[str], meant: Mapping[str, bytes]) -> Floats:
    """The middle of what the texts mean, at length 1."""
    middle = np.stack([unpacked(meant[text], 1)[0] for text in texts]).mean(axis=0)
    return np.asarray(middle / (np.linalg.norm(middle) or 1), np.float32)

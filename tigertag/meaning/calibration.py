"""Probabilities that hold: of what is said to be 70 percent sure, 70 in 100 are right.

J. Platt, *Probabilistic Outputs for Support Vector Machines*, 1999: a logistic curve over the score, fitted to
known answers. The fit is drawn to the default, so that few answers change it little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 20
"""Known answers of each kind below which the default stands."""
_DEEPEST = 0.05
"""Share of the refused answers that may lie below the floor."""
_PULL = 1.0
"""How many answers' worth the default counts for."""
_STEPS = 50
_ENOUGH = 1e-9
_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = sigmoid(slope · logit + offset), and below the floor no more than the default."""

    slope: float = 1.0
    offset: float = 0.0
    known: int = 0
    """Answers that it was fitted to; 0: the model's default."""
    floor: float = -math.inf
    """The logit below which hardly anything was refused, for it was never offered: nothing is known there."""

    def probabilities(self, logits: Floats) -> Floats:
        """0..1 for each; they rise with the logits."""
        scores = self.slope * logits + self.offset
        return _sigmoid(np.where(logits < self.floor, np.minimum(scores, logits), scores))

    def least(self, probabilities: Floats) -> Floats:
        """The logit from which each of these is reached. They are within 0..1, without the ends."""
        asked = np.log(probabilities / (1 - probabilities))
        return np.maximum((asked - self.offset) / self.slope, np.minimum(asked, self.floor))


def of_answers(logits: Floats, truths: NDArray[np.bool_]) -> Calibration:
    """The curve of what a person has said about tags, or the default where that is too little.

    What was refused had been offered first, so it lies high; what a person tagged may lie anywhere. They are
    compared only from where offers begin: the floor.
    """
    refused = logits[~truths]
    if len(refused) < FEWEST:
        return Calibration()
    floor = float(np.quantile(refused, _DEEPEST))
    here = logits >= floor
    found = fit(logits[here], truths[here])
    return replace(found, floor=floor) if found.known else found


def fit(logits: Floats, truths: NDArray[np.bool_]) -> Calibration:
    """From answers that are known; too few, or all the same, leave the default.

    Newton's method on the likelihood, with a normal prior around slope 1 and offset 0. A slope below 0 would
    say that the model knows less than nothing, and is left out.
    """
    if min(int(truths.sum()), int((~truths).sum())) < FEWEST:
        return Calibration()
    # Logits may be large: a unit that fits them keeps the steps of both parameters alike.
    unit = max(1.0, float(np.abs(logits).mean()))
    inputs = np.stack([logits / unit, np.ones_like(logits)], axis=1)
    start = np.array([unit, 0.0])
    wanted = truths.astype(np.float64)
    pull = np.array([_PULL / unit**2, _PULL / 100])

    def loss(at: Floats) -> float:
        scores = inputs @ at
        unlikely = np.logaddexp(0, scores) - wanted * scores
        return float(unlikely.sum() + (pull * (at - start) ** 2).sum() / 2)

    at = np.zeros(2)  # where the curve is steepest everywhere, so that the first steps are good ones
    for _ in range(_STEPS):
        guess = _sigmoid(inputs @ at)
        slope = inputs.T @ (guess - wanted) + pull * (at - start)
        curve = (inputs * (guess * (1 - guess))[:, None]).T @ inputs + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        while loss(at - step) > loss(at) and np.abs(step).max() > _ENOUGH:
            step = step / 2
        at = at - step
        if np.abs(step).max() <= _ENOUGH:
            break
    return Calibration(float(at[0] / unit), float(at[1]), len(logits)) if at[0] > 0 else Calibration()


def error(probabilities: Floats, truths: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: the mean distance of what was said from what was, by tenths of certainty."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = 0.0
    for place in range(bins):
        here = places == place
        if here.any():
            total += float(here.sum()) * abs(float(probabilities[here].mean()) - float(truths[here].mean()))
    return total / max(1, len(probabilities))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_MOST, _MOST))), np.float64)

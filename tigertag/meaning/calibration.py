"""Probabilities that hold: of what is said to be 70 percent sure, 70 in 100 are right.

J. Platt, *Probabilistic Outputs for Support Vector Machines*, 1999: a logistic curve over the score, fitted to
known answers. The fit is drawn to the default, so that few answers change it little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 20
"""Known answers of each kind below which the default stands."""
_PULL = 1.0
"""How many answers' worth the default counts for."""
_STEPS = 50
_ENOUGH = 1e-9
_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = sigmoid(slope · logit + offset)."""

    slope: float = 1.0
    offset: float = 0.0
    known: int = 0
    """Answers that it was fitted to; 0: the model's default."""

    def probabilities(self, logits: Floats) -> Floats:
        """0..1 for each."""
        return _sigmoid(self.slope * logits + self.offset)


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

"""How the closeness of a picture and a word becomes a probability.

A model that was trained with a softmax (CLIP, MobileCLIP) learnt to compare texts only: how close one text is
says little, how much closer it is than another says much. So a word is compared with texts that say nothing in
particular, such as "a photo". A model that was trained with a sigmoid (SigLIP) learnt to say of each text by
itself whether it fits.

Both are estimates by people who never saw the photos at hand: `calibration.fit` sharpens them where verdicts
tell more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

NEUTRAL = ("a photo", "a photo of something", "an image", "a picture of a thing")
"""Texts that fit every photo alike."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Probability = sigmoid(scale · (cosine - that of neutral texts) + bias); SigLIP has no neutral text."""

    kind: Literal["softmax", "sigmoid"]
    scale: float
    bias: float

    @classmethod
    def of(cls, kind: Literal["softmax", "sigmoid"]) -> Contrast:
        """The default of a family.

        Softmax: training of CLIP keeps the scale at 100 at most (Radford et al. 2021, 2.5), and the published
        models are there. The bias asks for a cosine that is 0.03 above that of the neutral texts. Sigmoid: what
        SigLIP learnt is in its weights, and not in the configuration that comes with separate towers, so these
        are round numbers of that order, an estimate.
        """
        return cls("softmax", 100.0, -3.0) if kind == "softmax" else cls("sigmoid", 115.0, -14.0)

    @property
    def needs_neutral(self) -> bool:
        return self.kind == "softmax"

    def probability(self, cosine: float, neutral: float = 0.0) -> float:
        """0..1."""
        logit = self.scale * (cosine - (neutral if self.needs_neutral else 0.0)) + self.bias
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

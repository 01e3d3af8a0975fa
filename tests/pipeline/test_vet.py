"""What of an answer is stored."""

from __future__ import annotations

import math

import pytest

from tigertag.contract.stand_ins import photos
from tigertag.model import Analysis, Annotation, Box, Kind
from tigertag.pipeline.vet import MOST_ANNOTATIONS, vetted


def answer(*annotations: Annotation) -> Analysis:
    return vetted(Analysis(photos(1)[0], annotations))


def test_good_annotations_stay_as_they_are() -> None:
    dog = Annotation(Kind.TAG, "dog", 0.9, Box(0.1, 0.1, 0.5, 0.5), "en")
    assert answer(dog).annotations == (dog,)
    assert answer(dog).dropped == 0


@pytest.mark.parametrize(
    "bad",
    [
        Annotation(Kind.TAG, ""),
        Annotation(Kind.TAG, "   "),
        Annotation(Kind.TAG, "dog", math.nan),
        Annotation(Kind.TAG, "dog", -0.1),
        Annotation(Kind.TAG, "dog", 1e308),
        Annotation(Kind.TAG, "two\nlines"),
        Annotation(Kind.TAG, "nul\0"),
        Annotation(Kind.TAG, "half \ud83d"),
        Annotation(Kind.TAG, "x" * 501),
        Annotation(Kind.PERSON, "Anna", 0.9, Box(0, 0, 1.5, 1)),
    ],
)
def test_a_bad_annotation_is_dropped_and_counted(bad: Annotation) -> None:
    good = Annotation(Kind.TAG, "dog", 0.5)
    assert answer(good, bad).annotations == (good,)
    assert answer(good, bad).dropped == 1


def test_names_are_stripped() -> None:
    assert answer(Annotation(Kind.TAG, " dog ")).annotations[0].name == "dog"


def test_of_too_many_the_surest_are_kept_in_their_order() -> None:
    many = [Annotation(Kind.TAG, f"t{number}", number / 2000) for number in range(2000)]
    kept = answer(*many)
    assert len(kept.annotations) == MOST_ANNOTATIONS
    assert kept.dropped == 1000
    assert [each.name for each in kept.annotations] == [f"t{number}" for number in range(1000, 2000)]

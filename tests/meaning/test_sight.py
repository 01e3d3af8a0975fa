"""Zero-shot on drawn pictures whose right answer is known: precision, recall, calibration; exact search."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.engines import clip_models
from tests.engines.clip_models import COLOURS
from tests.engines.drawn import photo
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.clip import ClipEngine, ClipOptions
from tigertag.meaning import calibration
from tigertag.meaning.contrast import Contrast
from tigertag.meaning.packing import bytes_of, pack
from tigertag.meaning.sight import Lens, Sight, nearest, texts_of, unpacked
from tigertag.meaning.words import Word, word
from tigertag.model import Analysis, Annotation

WORDS = [word(name) for name in [*COLOURS, "dog", "boat"]]
SOFTMAX = Contrast("softmax", 20.0, -14.0)


def engine(folder: Path) -> ClipEngine:
    made = ClipEngine(ClipOptions.model_validate({"model": str(clip_models.make(folder))}), FakeMemory())
    made.start()
    return made


def lens(found: ClipEngine, words: list[Word]) -> Lens:
    texts = texts_of(words, found.contrast)
    return Lens(words, dict(zip(texts, map(bytes_of, found.understand(texts)), strict=True)), found.contrast)


def drawn(dice: np.random.Generator, share: float) -> tuple[Image.Image, str]:
    """Noise all over, and in a part of the picture one colour, which is what it shows."""
    names = list(COLOURS)
    name = names[int(dice.integers(len(names)))]
    pixels = dice.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    height = round(64 * share)
    colour = np.array(COLOURS[name]) + dice.normal(0, 25, (height, 64, 3))
    pixels[:height] = colour.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels), name


def pictures(
    found: ClipEngine, seed: int, count: int, least: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Vectors of drawn pictures, and which of the words each of them shows."""
    dice = np.random.default_rng(seed)
    shown = [drawn(dice, float(dice.uniform(least, 1))) for _ in range(count)]
    answers = found.analyze([photo(picture) for picture, _ in shown], None)  # type: ignore[arg-type]
    vectors = []
    for answer in answers:
        assert isinstance(answer, Analysis)
        vectors.append(unpacked(bytes_of(answer.annotations[0].value), 1)[0])
    truths = np.array([[each.name == name for each in WORDS] for _, name in shown])
    return np.stack(vectors), truths


def test_precision_and_recall_on_drawn_pictures(tmp_path: Path) -> None:
    found = engine(tmp_path)
    sight = Sight(WORDS, {1: lens(found, WORDS)})
    vectors, truths = pictures(found, 3, 120, 0.4)
    right = said = 0
    for vector, truth in zip(vectors, truths, strict=True):
        tags = {each.name for each in tags_of(sight, value(*vector.tolist()))}
        said += len(tags)
        right += len(tags & {each.name for each, is_true in zip(WORDS, truth, strict=True) if is_true})
    assert right / said > 0.97 and right / len(vectors) > 0.97, (right, said)


def test_what_is_fitted_to_some_pictures_holds_for_others(tmp_path: Path) -> None:
    found = engine(tmp_path)
    seen = lens(found, WORDS)
    errors = {}
    for seed in (1, 2):
        vectors, truths = pictures(found, seed, 400, 0.02)
        logits = seen.logits(seen.margins(vectors)).astype(np.float64).ravel()
        if seed == 1:
            curve = calibration.fit(logits, truths.ravel())
        errors[seed] = calibration.error(curve.probabilities(logits), truths.ravel())
    assert errors[2] < 0.05, errors


def test_a_fit_finds_the_curve_that_answers_were_drawn_from() -> None:
    dice = np.random.default_rng(0)
    logits = dice.normal(0, 40, 20_000)
    truths = dice.random(20_000) < 1 / (1 + np.exp(-np.clip(0.1 * logits - 1, -60, 60)))
    curve = calibration.fit(logits, truths)
    assert curve.slope == pytest.approx(0.1, rel=0.05) and curve.offset == pytest.approx(-1, abs=0.1)
    assert calibration.error(curve.probabilities(logits), truths) < 0.01


def test_too_few_answers_leave_the_default() -> None:
    truths = np.array([True] * 19 + [False] * 100)
    assert calibration.fit(np.linspace(-3, 3, 119), truths) == calibration.Calibration()


def test_answers_that_contradict_the_model_do_not_turn_it_around() -> None:
    logits = np.linspace(-3, 3, 200)
    assert calibration.fit(logits, logits < 0) == calibration.Calibration()


def test_the_calibration_error_is_the_distance_from_what_was() -> None:
    sure = np.array([0.95] * 10)
    assert calibration.error(sure, np.array([True] * 5 + [False] * 5)) == pytest.approx(0.45)


# ---- words ------------------------------------------------------------------------------------------------


def flat(words: list[Word], rows: dict[str, list[float]], contrast: Contrast) -> Sight:
    return Sight(words, {1: Lens(words, {text: bytes_of(row) for text, row in rows.items()}, contrast)})


def tags_of(sight: Sight, said: dict[str, Any]) -> list[Annotation]:
    """Of one photo."""
    (found,) = sight.tags([said])
    return found


def value(*vector: float) -> dict[str, Any]:
    return {"revision": 1, "vector": pack(vector)}


def test_a_word_is_compared_with_what_says_nothing() -> None:
    sight = flat([Word("dog", ("d",))], {"d": [1, 0], "a photo": [0, 1]}, Contrast("softmax", 10, 0))
    (tag,) = tags_of(sight, value(0.8, 0.6))
    assert tag.confidence == pytest.approx(1 / (1 + math.exp(-10 * 0.2)), abs=0.01)
    assert tag.value == pytest.approx(0.8, abs=0.001)
    assert tags_of(sight, value(0.6, 0.8)) == []


def test_a_sigmoid_needs_nothing_to_compare_with() -> None:
    sight = flat([Word("dog", ("d",), threshold=0.1)], {"d": [1, 0]}, Contrast("sigmoid", 10, -8))
    (tag,) = tags_of(sight, value(0.6, 0.8))
    assert tag.confidence == pytest.approx(1 / (1 + math.exp(2)), abs=0.01)


def test_prompts_count_by_their_middle() -> None:
    rows: dict[str, list[float]] = {"d": [1, 0], "e": [0, 1]}
    sight = flat([Word("dog", ("d", "e"))], rows, Contrast("sigmoid", 20, -10))
    (tag,) = tags_of(sight, value(math.sqrt(0.5), math.sqrt(0.5)))
    assert tag.value == pytest.approx(1, abs=0.001)


def test_of_alternatives_only_the_best_fits() -> None:
    words = [Word(name, (name,), "season", 0.5, True) for name in ("summer", "winter")] + [
        Word("dog", ("dog",))
    ]
    rows: dict[str, list[float]] = {"summer": [1, 0], "winter": [0.9, 0.4359], "dog": [1, 0.1]}
    sight = flat(words, rows, Contrast("sigmoid", 20, -10))
    assert [each.name for each in tags_of(sight, value(1, 0))] == ["summer", "dog"]


def test_nothing_fits_is_an_answer() -> None:
    sight = flat([Word("dog", ("d",))], {"d": [1, 0]}, Contrast("sigmoid", 20, -10))
    assert tags_of(sight, value(0, 1)) == []
    assert tags_of(sight, {"revision": 9, "vector": pack([1, 0])}) == []
    assert tags_of(sight, value(1, 0, 0)) == []


def test_a_word_that_was_not_learnt_is_not_looked_for() -> None:
    sight = flat([Word("dog", ("d",)), Word("cat", ("c",))], {"d": [1, 0]}, Contrast("sigmoid", 20, -10))
    assert [each.name for each in tags_of(sight, value(1, 0))] == ["dog"]


def test_the_fingerprint_tells_of_other_words_thresholds_and_models() -> None:
    rows: dict[str, list[float]] = {"d": [1, 0]}
    prints = {
        flat(words, rows, contrast).fingerprint
        for words in ([Word("dog", ("d",))], [Word("dog", ("d",), threshold=0.7)], [Word("hound", ("d",))])
        for contrast in (Contrast("sigmoid", 20, -10), SOFTMAX)
    }
    assert len(prints) == 6


def test_many_photos_of_several_models_get_what_each_gets_alone() -> None:
    words = [Word(name, (name,)) for name in ("dog", "cat")]
    lenses = {
        1: Lens(words, {"dog": bytes_of([1, 0]), "cat": bytes_of([0, 1])}, Contrast("sigmoid", 20, -10)),
        2: Lens(words, {"dog": bytes_of([1, 0, 0])}, Contrast("sigmoid", 20, -10)),
    }
    sight = Sight(words, lenses)
    shown: list[dict[str, Any]] = [
        {"revision": 2, "vector": pack([1, 0, 0])},
        {"revision": 1, "vector": pack([0, 1])},
        {"revision": 3, "vector": pack([0, 1])},
        {"revision": 1, "vector": pack([0.1, 0.1])},
        {"revision": 1, "vector": pack([1, 1])},
        {"revision": 1, "vector": pack([1, 1, 1])},
    ]
    together = [[tag.name for tag in tags] for tags in sight.tags(shown)]
    assert together == [["dog"], ["cat"], [], [], ["cat", "dog"], []]
    assert together == [[tag.name for tag in tags_of(sight, each)] for each in shown]


# ---- search -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_a_search_in_blocks_finds_what_a_search_at_once_finds(size: int) -> None:
    dice = np.random.default_rng(1)
    vectors = dice.normal(size=(200, 8)).astype(np.float32)
    wanted = vectors[17]
    blocks = ((range(at, min(at + size, 200)), vectors[at : at + size]) for at in range(0, 200, size))
    found = [each.photo_id for each in nearest(blocks, wanted, 10)]
    assert found == np.argsort(-(vectors @ wanted), kind="stable")[:10].tolist()

"""Colours on drawn pictures whose shares are known, on CSS's colours, and on real photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageColor

from tests.engines.drawn import bars, framed, photo
from tests.pictures import draw
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.colours import BLACK_AND_WHITE, ColoursEngine, ColoursOptions, described
from tigertag.engines.colours_palette import COLOURS, chroma_of, oklab, word_of
from tigertag.engines.hash import HashEngine
from tigertag.engines.quality import QualityEngine
from tigertag.local import SMALL_COPY
from tigertag.media.photo import open_photo
from tigertag.model import Annotation, EnginePolicy, Kind, Vocabulary
from tigertag.pipeline.policy import Policy, wanted

SHARED = Path(__file__).parents[2] / "../shared/photos"


def answer(picture: Image.Image) -> tuple[Annotation, ...]:
    engine = ColoursEngine(ColoursOptions.model_validate({}), FakeMemory())
    (found,) = said(ask(engine, [photo(picture)])).values()
    return found


def tags(picture: Image.Image) -> dict[str, float]:
    return {one.name: one.confidence for one in answer(picture) if one.kind is Kind.TAG}


def measured(picture: Image.Image) -> dict[str, float]:
    return {one.name: float(str(one.value)) for one in answer(picture) if one.kind is Kind.MEASURE}


def shares(picture: Image.Image) -> dict[str, float]:
    return {
        name.removeprefix("share of "): value
        for name, value in measured(picture).items()
        if name.startswith("share of ")
    }


def written(found: tuple[Annotation, ...]) -> list[str]:
    policy: EnginePolicy = ColoursOptions.model_validate({}).policy()
    chosen = wanted({"colours": found}, Policy({"colours": policy}, Vocabulary()))
    return [tag.name for tag in chosen]


class TestColours(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(ColoursEngine, options={})


class TestWords:
    def test_oklab_has_the_values_of_its_author(self) -> None:
        """https://bottosson.github.io/posts/oklab: white, and red as CSS Color 4 gives it."""
        assert oklab(255, 255, 255) == pytest.approx((1, 0, 0), abs=1e-4)
        assert oklab(255, 0, 0) == pytest.approx((0.62796, 0.22486, 0.12585), abs=1e-4)
        assert chroma_of(255, 0, 255) == pytest.approx(0.3225, abs=1e-3)

    @pytest.mark.parametrize("word", COLOURS)
    def test_a_colour_of_the_palette_has_its_word(self, word: str) -> None:
        assert {word_of(*ImageColor.getrgb(name)[:3]) for name in COLOURS[word].split()} == {word}

    @pytest.mark.parametrize(
        ("colour", "word"),
        [
            ((226, 163, 174), "pink"),
            ((213, 28, 60), "red"),
            ((116, 36, 52), "red"),
            ((234, 129, 39), "orange"),
            ((114, 74, 56), "brown"),
            ((80, 52, 26), "brown"),
            ((241, 191, 21), "yellow"),
            ((100, 89, 26), "olive"),
            ((57, 150, 74), "green"),
            ((47, 93, 58), "green"),
            ((156, 198, 156), "green"),
            ((53, 215, 206), "turquoise"),
            ((39, 108, 189), "blue"),
            ((17, 48, 116), "blue"),
            ((145, 162, 187), "blue"),
            ((155, 140, 202), "purple"),
            ((135, 94, 150), "purple"),
            ((138, 132, 137), "grey"),
            ((189, 183, 191), "grey"),
            ((43, 41, 43), "black"),
        ],
    )
    def test_words_agree_with_the_centres_of_the_iscc_nbs_names(
        self, colour: tuple[int, int, int], word: str
    ) -> None:
        """P. Centore, *sRGB Centroids for the ISCC-NBS Colour System*, 2016; "light violet" is purple here."""
        assert word_of(*colour) == word

    @pytest.mark.parametrize(
        ("colour", "word"),
        [
            ("#78b0e0", "blue"),  # a clear sky
            ("#3c5a2c", "green"),  # a wood in summer
            ("#c8b48c", "beige"),  # dry sand
            ("#5b3a26", "brown"),  # dark wood
            ("#30a8a0", "turquoise"),  # a lagoon
            ("#f4d03f", "yellow"),  # rape
            ("#7a7c80", "grey"),  # concrete
            ("#fafafa", "white"),  # snow in the sun
            ("#0c0e14", "black"),  # the sky at night
        ],
    )
    def test_what_photos_are_full_of_has_the_word_a_person_would_say(self, colour: str, word: str) -> None:
        assert word_of(*ImageColor.getrgb(colour)[:3]) == word


class TestShares:
    def test_shares_are_those_of_the_pixels(self) -> None:
        found = shares(bars(("blue", 250), ("green", 150), ("white", 100)))
        assert found == pytest.approx({"blue": 0.5, "green": 0.3, "white": 0.2}, abs=0.02)

    def test_the_largest_comes_first(self) -> None:
        assert list(shares(bars(("yellow", 100), ("red", 300)))) == ["red", "yellow"]

    def test_specks_are_not_told(self) -> None:
        assert "yellow" not in shares(bars(("red", 395), ("yellow", 5)))

    def test_a_fine_pattern_stays_what_it_is(self) -> None:
        picture = Image.new("RGB", (400, 400), "red")
        for row in range(0, 400, 8):
            picture.paste("blue", (0, row, 400, row + 4))
        found = shares(picture)
        assert found["red"] + found["blue"] > 0.8

    @pytest.mark.parametrize("colour", ["black", "white", "#804020"])
    @pytest.mark.parametrize(("sides", "ends"), [(20, 20), (0, 60), (120, 0)])
    def test_a_frame_or_bars_count_for_nothing(self, colour: str, sides: int, ends: int) -> None:
        inner = bars(("blue", 240), ("yellow", 160))
        assert shares(framed(inner, colour, sides, ends)) == pytest.approx(
            {"blue": 0.6, "yellow": 0.4}, abs=0.04
        )

    def test_a_background_is_no_frame(self) -> None:
        moon = framed(Image.new("RGB", (100, 100), "#f0ece0"), "black", 300, 200)
        assert shares(moon)["black"] > 0.9

    def test_a_picture_of_one_colour_is_all_of_it(self) -> None:
        assert shares(Image.new("RGB", (300, 200), "green")) == {"green": 1}

    @pytest.mark.parametrize("size", [(1, 1), (1, 400), (3000, 2)])
    def test_any_shape_will_do(self, size: tuple[int, int]) -> None:
        assert shares(Image.new("RGB", size, "blue")) == {"blue": 1}


class TestBlackAndWhite:
    def test_a_grey_photo_is_black_and_white_and_nothing_else(self) -> None:
        grey = draw(1).convert("L").convert("RGB")
        assert tags(grey) == {BLACK_AND_WHITE: 1} and measured(grey)["chroma"] < 0.015

    @pytest.mark.parametrize("seed", range(4))
    def test_a_photo_in_colour_is_not(self, seed: int) -> None:
        assert BLACK_AND_WHITE not in tags(draw(seed))

    def test_one_coloured_thing_is_enough(self) -> None:
        picture = draw(1).convert("L").convert("RGB")
        picture.paste("red", (100, 100, 200, 200))
        assert BLACK_AND_WHITE not in tags(picture)

    def test_a_frame_in_colour_does_not_hide_it(self) -> None:
        assert tags(framed(draw(1).convert("L").convert("RGB"), "#802020", 20, 20)) == {BLACK_AND_WHITE: 1}


class TestWhatIsWritten:
    def test_a_colour_that_covers_half_of_it(self) -> None:
        assert written(answer(bars(("blue", 220), ("green", 180)))) == ["blue"]

    def test_no_colour_where_none_covers_half_of_it(self) -> None:
        assert written(answer(bars(("blue", 100), ("green", 90), ("red", 80)))) == []

    def test_grey_black_and_white_only_where_there_is_nothing_else(self) -> None:
        most = bars(("grey", 350), ("red", 50))
        assert tags(most)["grey"] == pytest.approx(0.44, abs=0.02) and written(answer(most)) == []

    def test_one_word_a_photo(self) -> None:
        assert written(answer(draw(1).convert("L").convert("RGB"))) == [BLACK_AND_WHITE]

    def test_real_photos_get_one_word_at_most_and_the_right_one(self) -> None:
        if not SHARED.is_dir():
            pytest.skip("the real photos are not here")
        found = {}
        for name in ("BlueAngels", "Everglades1", "NewYork", "Pool", "KeyWest"):
            with (SHARED / f"{name}.jpg").open("rb") as stream, open_photo(stream, name) as real:
                found[name] = written(tuple(described(real.jpeg(SMALL_COPY))))
        assert found == {
            "BlueAngels": ["blue"],
            "Everglades1": ["green"],
            "NewYork": [BLACK_AND_WHITE],
            "Pool": [],
            "KeyWest": ["green"],
        }


def test_the_engines_that_look_at_pixels_want_one_copy() -> None:
    wanted_of = [engine.renditions for engine in (ColoursEngine, QualityEngine, HashEngine)]
    assert wanted_of == [(SMALL_COPY,)] * 3

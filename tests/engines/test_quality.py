"""Quality on drawn pictures whose sharpness, exposure and noise are known, and on real photos."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from tests.engines.drawn import bars, photo
from tests.pictures import draw
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory
from tigertag.engines.quality import QualityEngine, QualityOptions, faults
from tigertag.engines.quality_measures import measures
from tigertag.media.photo import open_photo
from tigertag.model import Annotation, Kind, Photo, Vocabulary
from tigertag.pipeline.policy import Policy, wanted

SHARED = Path(__file__).parents[2] / "../shared/photos"


def answer(shown: Photo) -> tuple[Annotation, ...]:
    engine = QualityEngine(QualityOptions.model_validate({}), FakeMemory())
    (found,) = said(ask(engine, [shown])).values()
    return found


def measured(picture: Image.Image) -> dict[str, float]:
    found = answer(photo(picture))
    return {one.name: float(str(one.value)) for one in found if one.kind is Kind.MEASURE}


def written(shown: Image.Image | Photo) -> list[str]:
    """The tags under the default policy."""
    found = answer(photo(shown) if isinstance(shown, Image.Image) else shown)
    policy = Policy({"quality": QualityOptions.model_validate({}).policy()}, Vocabulary())
    return [tag.name for tag in wanted({"quality": found}, policy)]


def noisy(sigma: float, grey: int = 128, size: tuple[int, int] = (512, 384)) -> Image.Image:
    """Grey with Gaussian noise."""
    dice = random.Random(7)
    picture = Image.new("L", size)
    picture.putdata([round(dice.gauss(grey, sigma)) for _ in range(size[0] * size[1])])
    return picture.convert("RGB")


def checked(low: int, high: int, cell: int = 1, size: tuple[int, int] = (256, 256)) -> Image.Image:
    """A chessboard of two greys."""
    picture = Image.new("L", size)
    picture.putdata(
        [high if (x // cell + y // cell) % 2 else low for y in range(size[1]) for x in range(size[0])]
    )
    return picture.convert("RGB")


class TestQuality(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(QualityEngine, options={})


class TestMeasures:
    def test_sharpness_is_the_variance_of_the_laplacian(self) -> None:
        """On a chessboard of single pixels it is plus or minus eight times half the step: (8 · 5)² = 1600."""
        assert measures(checked(123, 133)).sharpness == pytest.approx(1600)

    def test_the_sharpest_part_decides(self) -> None:
        picture = Image.new("RGB", (512, 512), "grey")
        picture.paste(checked(123, 133, size=(128, 128)), (128, 128))
        assert measures(picture).sharpness == pytest.approx(1600, rel=0.1)

    def test_an_even_slope_is_not_sharp(self) -> None:
        assert measures(Image.linear_gradient("L").convert("RGB")).sharpness == pytest.approx(0)

    def test_another_blur_changes_a_blurred_picture_less(self) -> None:
        sharp = draw(3)
        looks = [measures(sharp.filter(ImageFilter.GaussianBlur(radius))).blur for radius in (0, 1, 2, 4)]
        assert looks == sorted(looks) and looks[0] < 0.5 and 0.8 < looks[-1] <= 1

    def test_a_shake_to_one_side_is_a_blur(self) -> None:
        shaken = draw(3).filter(ImageFilter.BoxBlur((8, 0)))
        assert measures(shaken).blur > 0.7

    @pytest.mark.parametrize("sigma", [2, 5, 12])
    def test_noise_is_its_standard_deviation(self, sigma: float) -> None:
        assert measures(noisy(sigma)).noise == pytest.approx(sigma, rel=0.12)

    def test_noise_is_measured_where_the_picture_is_smooth(self) -> None:
        picture = noisy(3)
        picture.paste(checked(40, 200, 4), (0, 0))
        assert measures(picture).noise == pytest.approx(3, rel=0.15)

    def test_a_clipped_sky_tells_nothing_of_noise(self) -> None:
        picture = noisy(4)
        picture.paste("white", (0, 0, 512, 200))
        assert measures(picture).noise == pytest.approx(4, rel=0.15)

    def test_clipped_shares_are_those_of_the_pixels(self) -> None:
        found = measured(bars(("white", 100), ("grey", 250), ("black", 150)))
        assert found["clipped highlights"] == pytest.approx(0.2, abs=0.01)
        assert found["clipped shadows"] == pytest.approx(0.3, abs=0.01)
        assert found["brightness"] == pytest.approx(0.2 + 0.5 * 128 / 255, abs=0.01)

    def test_the_spread_is_that_of_the_channel_that_has_most(self) -> None:
        assert measures(bars(("#800000", 50), ("#800064", 50))).spread == 100

    @pytest.mark.parametrize("size", [(1, 1), (2, 5), (1, 500), (500, 3)])
    def test_any_shape_will_do(self, size: tuple[int, int]) -> None:
        assert measures(Image.new("RGB", size, "grey")).brightness == pytest.approx(128 / 255)


class TestFaults:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_good_picture_gets_no_tag(self, seed: int) -> None:
        assert written(draw(seed)) == []

    @pytest.mark.parametrize("seed", range(6))
    def test_a_blurred_picture_is_blurry(self, seed: int) -> None:
        assert written(draw(seed).filter(ImageFilter.GaussianBlur(6))) == ["blurry"]

    def test_more_blur_is_never_less_sure(self) -> None:
        picture = draw(2)
        sure = [
            faults(measures(picture.filter(ImageFilter.GaussianBlur(radius))))["blurry"]
            for radius in (0, 1, 2, 3, 4, 6)
        ]
        assert sure == sorted(sure) and sure[0] < 0.2 and sure[-1] == 1

    def test_a_sharp_subject_before_a_soft_background_is_not_blurry(self) -> None:
        picture = draw(1).filter(ImageFilter.GaussianBlur(8))
        picture.paste(draw(4).crop((200, 200, 360, 360)), (240, 160))
        assert written(picture) == []

    def test_fog_is_not_blur(self) -> None:
        pale = draw(5).point(lambda level: 150 + level // 10)
        assert "blurry" not in written(pale)

    def test_a_burnt_out_picture_is_overexposed(self) -> None:
        assert written(draw(1).point(lambda level: min(255, level * 3))) == ["overexposed"]

    def test_snow_is_not_overexposed(self) -> None:
        snow = draw(1).point(lambda level: 200 + level // 5)
        assert "overexposed" not in written(snow)

    def test_a_white_sky_over_dark_land_is_not_overexposed(self) -> None:
        land = draw(1).point(lambda level: level // 3)
        land.paste("white", (0, 0, 640, 240))
        assert "overexposed" not in written(land)

    def test_a_dark_picture_is_underexposed(self) -> None:
        assert written(draw(1).point(lambda level: level // 6)) == ["underexposed"]

    def test_a_night_with_lights_is_not_underexposed(self) -> None:
        night = draw(2, daypart="night").point(lambda level: level // 12)
        for place in range(20, 620, 60):
            night.paste("#ffe0a0", (place, 200, place + 24, 224))
        assert written(night) == []

    def test_dusk_is_not_underexposed(self) -> None:
        dusk = draw(2).point(lambda level: 30 + level // 5)
        assert "underexposed" not in written(dusk)

    @pytest.mark.parametrize("colour", ["black", "white", "#c0392b"])
    def test_nothing_to_be_seen_is_blank_and_nothing_else(self, colour: str) -> None:
        assert written(Image.new("RGB", (640, 480), colour)) == ["blank"]

    def test_the_noise_of_a_covered_lens_is_blank(self) -> None:
        assert written(noisy(1, grey=4)) == ["blank"]

    def test_two_colours_of_one_brightness_are_not_blank(self) -> None:
        assert "blank" not in written(bars(("#ff0000", 300), ("#008200", 300)))


class TestRealPhotos:
    NAMES = ("GreatWall", "Glasses", "Planes", "Orchid", "NewYork", "Chicago3", "Me (2)", "Butterfly2")
    """Among them those with the least contrast, the softest background, the darkest and the most detail."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_good_one_gets_no_tag_and_a_blurred_one_gets_it(self, name: str) -> None:
        if not SHARED.is_dir():
            pytest.skip("the real photos are not here")
        with (SHARED / f"{name}.jpg").open("rb") as stream, open_photo(stream, name) as real:
            assert written(real) == []
            with Image.open(SHARED / f"{name}.jpg", formats=("JPEG",)) as file:
                file.thumbnail((512, 512))
                assert written(file.filter(ImageFilter.GaussianBlur(3))) == ["blurry"]

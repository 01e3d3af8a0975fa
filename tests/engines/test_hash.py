"""Hashes on drawn pictures with known answers, and what they forgive."""

from __future__ import annotations

import io
import math
from itertools import combinations
from statistics import median

import pytest
from PIL import Image

from tests.engines.drawn import photo
from tests.pictures import draw
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory, FakePhoto
from tigertag.engines.hash import HashEngine, HashOptions, difference_hash, perceptual_hash
from tigertag.model import Kind, Photo


def hashes(shown: Photo) -> dict[str, int]:
    engine = HashEngine(HashOptions.model_validate({}), FakeMemory())
    (found,) = said(ask(engine, [shown])).values()
    assert all(one.kind is Kind.MEASURE and len(str(one.value)) == 16 for one in found)
    return {one.name: int(str(one.value), 16) for one in found}


def apart(one: dict[str, int], other: dict[str, int]) -> int:
    """The most bits by which two answers differ in either hash."""
    return max((one[name] ^ other[name]).bit_count() for name in one)


def saved(picture: Image.Image, quality: int) -> FakePhoto:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return FakePhoto(file.getvalue())


class TestHash(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(HashEngine, options={})


class TestDifferenceHash:
    @pytest.mark.parametrize(
        ("turn", "bits"),
        [
            (None, 0),  # top black, bottom white: no cell differs from the one beside it
            (Image.Transpose.ROTATE_90, 2**64 - 1),  # brighter to the right
            (Image.Transpose.ROTATE_270, 0),
        ],
    )
    def test_a_slope(self, turn: Image.Transpose | None, bits: int) -> None:
        slope = Image.linear_gradient("L")
        assert difference_hash(slope if turn is None else slope.transpose(turn)) == bits

    def test_rows_go_from_the_upper_left_and_the_first_is_the_highest_bit(self) -> None:
        picture = Image.new("L", (9, 8))
        picture.putpixel((1, 0), 255)
        picture.putpixel((8, 7), 255)
        assert f"{difference_hash(picture):016x}" == "8000000000000001"


class TestPerceptualHash:
    def test_it_is_that_of_the_formula(self) -> None:
        """DCT-II written out, on a picture of the size that the hash works on."""
        picture = draw(3).convert("L").resize((32, 32))
        level = {(x, y): int(str(picture.getpixel((x, y)))) for x in range(32) for y in range(32)}
        waves = [
            sum(
                brightness * math.cos(math.pi * v * (2 * y + 1) / 64) * math.cos(math.pi * u * (2 * x + 1) / 64)
                for (x, y), brightness in level.items()
            )
            for v in range(8)
            for u in range(8)
        ]
        bits = "".join("1" if wave > median(waves) else "0" for wave in waves)
        assert f"{perceptual_hash(picture):064b}" == bits

    def test_half_of_the_bits_are_set(self) -> None:
        assert perceptual_hash(draw(1).convert("L")).bit_count() == 32


class TestFindingAgain:
    @pytest.mark.parametrize("seed", range(5))
    def test_a_copy_that_was_scaled_and_saved_badly_is_close(self, seed: int) -> None:
        original = draw(seed, (960, 640))
        third = original.resize((320, 213), Image.Resampling.LANCZOS)
        assert apart(hashes(photo(original)), hashes(saved(third, 50))) <= 8

    def test_other_pictures_are_not(self) -> None:
        found = [hashes(photo(draw(seed))) for seed in range(8)]
        assert min(apart(one, other) for one, other in combinations(found, 2)) > 8

    def test_a_copy_in_grey_is_close(self) -> None:
        assert apart(hashes(photo(draw(1))), hashes(photo(draw(1).convert("L").convert("RGB")))) <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2000, 2)])
def test_any_shape_will_do(size: tuple[int, int]) -> None:
    assert hashes(photo(Image.new("RGB", size, "grey")))["dhash"] == 0

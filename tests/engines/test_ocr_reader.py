"""Drawn words, read by the library that `tigertag[ocr]` installs; 350 MB, so most machines go without."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.engines.drawn import photo
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory, FakePermit
from tigertag.engines.ocr import OcrEngine, OcrOptions
from tigertag.errors import PhotoError, PluginDown
from tigertag.media import open_photo
from tigertag.model import Annotation, Kind, Photo

pytest.importorskip("rapidocr", reason="tigertag[ocr] is not installed: 350 MB")

from tigertag.engines import ocr_reader
from tigertag.engines.ocr_reader import Reader

UPRIGHT = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation → how an upright picture is turned to be stored so."""


def written(
    *words: str, size: tuple[int, int] = (480, 320), at: tuple[int, int] = (40, 60), height: int = 36
) -> Image.Image:
    """Black on white, a line each; `at` is the left upper corner of the first."""
    picture = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=height)
    for row, line in enumerate(words):
        pen.text((at[0], at[1] + row * height * 3 // 2), line, fill="black", font=font)
    return picture


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture
def engine(reader: Reader) -> OcrEngine:
    return OcrEngine(OcrOptions.model_validate({}), FakeMemory(), open_reader=lambda: reader)


def found_on(engine: OcrEngine, shown: Photo) -> tuple[Annotation, ...]:
    (found,) = said(ask(engine, [shown])).values()
    return found


def lines(engine: OcrEngine, picture: Image.Image) -> list[str]:
    return [str(one.value) for one in found_on(engine, photo(picture)) if one.kind is Kind.TEXT]


class TestOcr(EngineContract):
    @pytest.fixture
    def bench(self, reader: Reader) -> Bench:
        return Bench(OcrEngine, options={}, extra={"open_reader": lambda: reader})

    @pytest.fixture
    def shown(self) -> Sequence[Photo]:
        return [photo(written(words), f"{words}.png") for words in ("Harbour", "EXIT 42")]


class TestReading:
    def test_lines_from_the_top(self, engine: OcrEngine) -> None:
        words = ("Wine Bar", "Open 9 to 17", "harbour@example.org")
        assert lines(engine, written(*words)) == list(words)

    def test_a_box_is_where_the_line_stands(self, engine: OcrEngine) -> None:
        found = found_on(engine, photo(written("HARBOUR", size=(800, 400), at=(400, 200), height=48)))
        (box,) = (one.box for one in found if one.box)
        assert (box.x, box.y) == pytest.approx((0.5, 0.52), abs=0.03)
        assert 0.25 < box.width < 0.4 and 0.08 < box.height < 0.18

    @pytest.mark.parametrize("orientation", UPRIGHT)
    def test_a_photo_that_is_stored_turned(self, engine: OcrEngine, orientation: int) -> None:
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        stored = written("HARBOUR", at=(40, 20)).transpose(UPRIGHT[orientation])
        stored.save(file, "JPEG", exif=exif)
        with open_photo(io.BytesIO(file.getvalue()), "turned.jpg") as turned:
            found = [one for one in found_on(engine, turned) if one.kind is Kind.TEXT]
        assert [(one.value, one.box is not None and one.box.y < 0.3) for one in found] == [("HARBOUR", True)]

    def test_words_that_stand_on_their_head(self, engine: OcrEngine) -> None:
        turned = written("EMERGENCY EXIT").transpose(Image.Transpose.ROTATE_180)
        assert lines(engine, turned) == ["EMERGENCY EXIT"]

    @pytest.mark.parametrize(
        "picture",
        [Image.new("RGB", (480, 320), "white"), Image.linear_gradient("L").convert("RGB")],
        ids=["blank", "slope"],
    )
    def test_no_text_is_an_answer(self, engine: OcrEngine, picture: Image.Image) -> None:
        assert found_on(engine, photo(picture)) == ()

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (2000, 2)])
    def test_any_shape_will_do(self, engine: OcrEngine, size: tuple[int, int]) -> None:
        assert found_on(engine, photo(Image.new("RGB", size, "grey"))) == ()

    def test_a_strip_that_one_line_fills(self, engine: OcrEngine) -> None:
        assert lines(engine, written("HARBOUR", size=(190, 38), at=(4, 0))) == ["HARBOUR"]


class TestTheTag:
    def tags(self, engine: OcrEngine, picture: Image.Image) -> list[str]:
        """As they would be written with the default policy."""
        least = OcrOptions.model_validate({}).policy().min_confidence
        found = found_on(engine, photo(picture))
        return [one.name for one in found if one.kind is Kind.TAG and one.confidence >= least]

    def test_a_page_has_it(self, engine: OcrEngine) -> None:
        page = ["The quick brown fox jumps", "over the lazy dog and then", "it sleeps until the morning"] * 2
        assert self.tags(engine, written(*page, height=20, at=(40, 40), size=(360, 300))) == ["text"]

    def test_a_sign_in_a_view_does_not(self, engine: OcrEngine) -> None:
        assert self.tags(engine, written("EXIT", height=40, size=(640, 480))) == []


class TestTheLibrary:
    def test_nothing_is_fetched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no(*_: object) -> NoReturn:
            raise AssertionError("connected to read")

        monkeypatch.setattr(socket.socket, "connect", no)
        monkeypatch.setattr(socket, "getaddrinfo", no)
        engine = OcrEngine(OcrOptions.model_validate({}), FakeMemory())
        engine.start()
        assert lines(engine, written("HARBOUR")) == ["HARBOUR"]

    @pytest.mark.skipif(sys.platform != "linux", reason="threads of this process are listed in /proc")
    def test_it_keeps_to_one_thread(self) -> None:
        fresh = OcrEngine(OcrOptions.model_validate({}), FakeMemory(), open_reader=Reader)
        before = len(list(Path("/proc/self/task").iterdir()))
        lines(fresh, written("HARBOUR"))
        assert len(list(Path("/proc/self/task").iterdir())) == before

    def test_other_models_than_these_are_refused_by_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(ocr_reader.MODELS, "Rec", "PP-OCRv9_rec.onnx")
        engine = OcrEngine(OcrOptions.model_validate({}), FakeMemory())
        with pytest.raises(PluginDown, match=r"carries no PP-OCRv9_rec\.onnx: install tigertag\[ocr\] anew"):
            list(engine.analyze([photo(written("HARBOUR"))], FakePermit()))

    def test_where_it_fails_the_photo_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader = Reader()

        def fails(_: object) -> NoReturn:
            raise MemoryError("cannot\nallocate")

        monkeypatch.setattr(reader, "_read", fails)
        engine = OcrEngine(OcrOptions.model_validate({}), FakeMemory(), open_reader=lambda: reader)
        shown = photo(written("HARBOUR"))
        (error,) = engine.analyze([shown], FakePermit())
        assert isinstance(error, PhotoError) and error.photo is shown
        assert str(error) == "its text cannot be read (MemoryError: cannot allocate)"

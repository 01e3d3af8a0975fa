"""What the ocr engine makes of lines; `test_ocr_reader.py` has a real library read drawn ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.pictures import jpeg_bytes
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import BrokenPhoto, FakeMemory, FakePermit, photos
from tigertag.engines import ocr
from tigertag.engines.ocr import OcrEngine, OcrOptions, annotations_of, box_of, share_of
from tigertag.engines.ocr_line import Line
from tigertag.errors import PhotoError, PluginDown
from tigertag.model import Annotation, Box, Kind


def line(
    text: str = "Hello", confidence: float = 0.9, at: tuple[float, float, float, float] = (0.1, 0.2, 0.5, 0.3)
) -> Line:
    """Upright, from left and top to right and bottom."""
    left, top, right, bottom = at
    return Line(text, confidence, ((left, top), (right, top), (right, bottom), (left, bottom)))


@dataclass
class Readers:
    """Readers that see the same lines on everything, each for one picture at a time."""

    lines: Sequence[Line] = (line(),)
    opened: list[Reader] = field(default_factory=list)
    meet: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

    def __call__(self) -> Reader:
        self.opened.append(Reader(self))
        return self.opened[-1]


@dataclass
class Reader:
    readers: Readers
    turn: threading.Lock = field(default_factory=threading.Lock)

    def lines(self, jpeg: bytes) -> Sequence[Line]:
        assert self.turn.acquire(blocking=False), "shown two pictures at once"
        self.readers.meet.wait(10)
        self.turn.release()
        return self.readers.lines


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were there: what reads is the stand-in above."""
    monkeypatch.setattr(ocr, "find_spec", lambda name: name)


def engine(readers: Readers) -> OcrEngine:
    return OcrEngine(OcrOptions.model_validate({}), FakeMemory(), open_reader=readers)


class TestOcr(EngineContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(OcrEngine, options={}, extra={"open_reader": Readers()})


class TestWhatALineBecomes:
    def test_a_text_with_its_confidence_and_its_box(self) -> None:
        found = list(annotations_of([line("Wine Bar", 0.8765, (0.25, 0.5, 0.75, 0.625))]))
        box = Box(0.25, 0.5, 0.5, 0.125)
        assert found == [
            Annotation(Kind.TAG, "text", 0.062),
            Annotation(Kind.TEXT, "text", 0.876, box=box, value="Wine Bar"),
        ]

    def test_lines_keep_their_order(self) -> None:
        found = annotations_of([line("first"), line("second"), line("first")])
        assert [one.value for one in found if one.kind is Kind.TEXT] == ["first", "second", "first"]

    def test_an_unsure_line_is_kept_and_makes_no_tag(self) -> None:
        (found,) = annotations_of([line("waves", 0.6)])
        assert (found.kind, found.value, found.confidence) == (Kind.TEXT, "waves", 0.6)

    @pytest.mark.parametrize("text", ["", " "])
    def test_a_line_without_a_letter_is_none(self, text: str) -> None:
        assert list(annotations_of([line(text)])) == []

    def test_a_line_beside_the_picture_is_none(self) -> None:
        assert list(annotations_of([line(at=(1.01, 0.2, 1.2, 0.3))])) == []

    def test_a_box_ends_where_the_picture_does(self) -> None:
        assert box_of(line(at=(-0.25, 0.5, 0.5, 1.5))) == Box(0, 0.5, 0.5, 0.5)


class TestShare:
    def test_it_is_that_of_all_sure_lines(self) -> None:
        page = [line(at=(0, 0, 1, 0.1)), line(at=(0, 0.2, 0.5, 0.3)), line("?", 0.79, (0, 0.5, 1, 0.9))]
        assert share_of(page) == pytest.approx(0.15)

    def test_a_slanted_line_covers_less_than_its_box(self) -> None:
        slanted = Line("slope", 1, ((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), (0.5, 1.0)))
        assert share_of([slanted]) == pytest.approx(0.5)

    def test_it_is_never_more_than_the_picture(self) -> None:
        assert share_of([line(at=(0, 0, 1, 1))] * 2) == 1


class TestReaders:
    def test_none_is_opened_before_there_is_a_photo(self) -> None:
        readers = Readers()
        engine(readers).start()
        assert readers.opened == []

    def test_photos_one_after_another_share_one(self) -> None:
        readers = Readers()
        said(ask(engine(readers), photos(3)))
        assert len(readers.opened) == 1

    def test_photos_side_by_side_have_one_each(self) -> None:
        readers = Readers(meet=threading.Barrier(2))
        shared = engine(readers)
        answers: list[dict[str, tuple[Annotation, ...]]] = []
        calls = [
            threading.Thread(target=lambda shown=photo: answers.append(said(ask(shared, [shown]))))
            for photo in photos(2)
        ]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert (len(answers), len(readers.opened)) == (2, 2)

    def test_one_is_used_again_after_a_photo_that_cannot_be_read(self) -> None:
        readers = Readers()
        shown = [*photos(1), BrokenPhoto(jpeg_bytes(9), "broken.jpg"), *photos(1)]
        outcomes = list(engine(readers).analyze(shown, FakePermit()))
        assert [isinstance(one, PhotoError) for one in outcomes] == [False, True, False]
        assert len(readers.opened) == 1


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def _not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ocr, "find_spec", lambda name: None if name == "rapidocr" else name)

    def test_it_is_put_aside_with_what_to_install(self) -> None:
        with pytest.raises(PluginDown, match=r"needs tigertag\[ocr\]: pip install 'tigertag\[ocr\]'"):
            engine(Readers()).start()

    def test_check_says_so(self) -> None:
        (finding,) = engine(Readers()).check()
        assert not finding.ok and "pip install '.[ocr]'" in finding.advice


def test_another_size_is_another_answer() -> None:
    bench = Bench(OcrEngine, options={})
    assert bench.build(long_side=1280).settings != bench.build(long_side=1600).settings

"""Reads text with rapidocr. Imported where photos are read and nowhere else: it takes 2 seconds and 75 MB."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import rapidocr
from PIL import Image
from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError
from rapidocr.utils.output import RapidOCROutput

from tigertag.engines.ocr_line import Line, Point
from tigertag.errors import PhotoError, PluginDown

MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
"""What finds lines, tells those that stand on their head, and reads them, in the library's own wheel."""

_WORST = 0.5
"""Confidence of the lines that are kept; it is stored with them."""
_GRID = 32
"""The net that finds lines wants sides that are multiples of it."""
_LEAST_SIDE = 160
"""Pixels: a single line that fills a strip from edge to edge is not found."""


class Reader:
    """One picture at a time, on one core. Raises PluginDown where the library carries other models."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._read = rapidocr.RapidOCR(params=_params(Path(rapidocr.__file__).parent / "models"))

    def lines(self, jpeg: bytes) -> Sequence[Line]:
        """The lines of text, from the top. Raises PhotoError where the library fails."""
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
            picture = opened.convert("RGB")
        frame = _frame(picture.size)
        canvas = Image.new("RGB", frame.size)
        canvas.paste(picture, (frame.left, frame.top))
        try:
            found = self._read(np.ascontiguousarray(np.asarray(canvas)[:, :, ::-1]))
        except (ONNXRuntimeError, cv2.error, MemoryError) as error:
            why = " ".join(str(error).split())[-200:]
            raise PhotoError(f"its text cannot be read ({type(error).__name__}: {why})") from error
        return list(_lines(found, frame, picture.size))


@dataclass(frozen=True, slots=True)
class _Frame:
    """Black around a picture, in pixels; some black above and below a strip is what makes its line found."""

    size: tuple[int, int]
    left: int
    top: int


def _frame(picture: tuple[int, int]) -> _Frame:
    """The picture in the middle of a canvas that the net takes as it is."""
    width, height = (max(_LEAST_SIDE, -(-side // _GRID) * _GRID) for side in picture)
    return _Frame((width, height), (width - picture[0]) // 2, (height - picture[1]) // 2)


def _lines(found: object, frame: _Frame, picture: tuple[int, int]) -> Iterator[Line]:
    if not isinstance(found, RapidOCROutput) or found.txts is None:
        return  # it found no place that may be text
    for text, confidence, corners in zip(found.txts, found.scores, found.boxes, strict=True):
        first, second, third, fourth = (_point(corner, frame, picture) for corner in corners)
        yield Line(str(text), min(1.0, float(confidence)), (first, second, third, fourth))


def _point(corner: Sequence[float], frame: _Frame, picture: tuple[int, int]) -> Point:
    x, y = (float(each) for each in corner)
    return (x - frame.left) / picture[0], (y - frame.top) / picture[1]


def _params(models: Path) -> dict[str, object]:
    """Named models, so that the library downloads none; one core, as each worker has its own."""
    chosen = {part: models / name for part, name in MODELS.items()}
    if lost := [path.name for path in chosen.values() if not path.is_file()]:
        raise PluginDown(
            f"rapidocr {version('rapidocr')} carries no {' and no '.join(lost)}: install tigertag[ocr] anew"
        )
    return {
        **{f"{part}.model_path": str(path) for part, path in chosen.items()},
        "Global.log_level": "critical",
        "Global.text_score": _WORST,
        # Pictures come in the size they are read in: a strip one pixel high would be blown up to gigabytes.
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Det.limit_type": "max",
        "Det.limit_side_len": 1 << 15,
        # Lines that are read together are padded to the longest of them, which changes what is read.
        "Rec.rec_batch_num": 1,
        "Cls.cls_batch_num": 1,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }

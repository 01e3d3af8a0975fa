"""The engine clip: preparing pictures, asking a model, and looking for words in stored vectors.

The model has random weights and as much work for each photo as it is given; what it says means nothing, what it
takes is that of a real one. Seconds are those of the processor.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from benchmarks.figure import Figure
from tests.engines import clip_models
from tests.pictures import draw
from tigertag.contract.stand_ins import FakeMemory, FakePermit, FakePhoto
from tigertag.engines.clip import ClipEngine, ClipOptions, facts, files
from tigertag.engines.clip.pixels import prepared, rendition_for
from tigertag.engines.clip.towers import Towers
from tigertag.meaning.calibration import Calibration
from tigertag.meaning.contrast import Contrast
from tigertag.meaning.packing import packed
from tigertag.meaning.sight import Lens, Sight
from tigertag.meaning.words import Word
from tigertag.media.photo import HERE, OpenPhoto, open_photo
from tigertag.model import JSON

_DIMENSIONS = 512
_WORDS = 1000
_BLOCK = 4096
_PHOTOS = 24

Floats = NDArray[np.float32]


def measure(folder: Path, *, full: bool) -> Iterator[Figure]:
    """`full`: words over 100,000 vectors, and a model that takes 50 ms for each photo."""
    folder.mkdir(parents=True, exist_ok=True)
    model = heavy(folder / "model", rounds=20 if full else 4)
    photos = [_photo(seed) for seed in range(_PHOTOS)]
    try:
        yield _preparing(model, photos)
        yield _asking(model, photos)
    finally:
        for photo in photos:
            photo.close()
    yield from _looking(100_000 if full else 20_000)


# ── pictures ──────────────────────────────────────────────────────────────────────────────────────────────


def _photo(seed: int) -> OpenPhoto:
    """As a camera makes them, at 3 megapixels."""
    file = io.BytesIO()
    draw(seed, size=(2048, 1536)).save(file, "JPEG", quality=92)
    file.seek(0)
    return open_photo(file, f"{seed}.jpg")


def _preparing(model: Path, photos: Sequence[OpenPhoto]) -> Figure:
    pixels = facts.read(files.find(model, "")).pixels
    rendition = rendition_for(pixels)

    def made(photo: OpenPhoto) -> bytes:
        """Not `jpeg`, which remembers what it made."""
        return HERE.render(photo.file, (rendition,))[rendition]

    took = _processor(lambda: [prepared(made(each), pixels, (each.width, each.height)) for each in photos])
    bare = _processor(lambda: [_decoded(each) for each in photos])
    return Figure(
        "preparing pictures for clip",
        len(photos) / took,
        "photos/s",
        "higher",
        len(photos) / bare,
        "decoding the same pictures with Pillow",
        f"{len(photos)} JPEGs of 3 megapixels to 224 pixels, one core",
    )


def _decoded(photo: OpenPhoto) -> tuple[int, int]:
    with photo.open() as stream, Image.open(stream, formats=("JPEG",)) as picture:
        return picture.convert("RGB").size


# ── the model ─────────────────────────────────────────────────────────────────────────────────────────────


def _asking(model: Path, photos: Sequence[OpenPhoto]) -> Figure:
    """From photos that were fetched to vectors, against the model on batches that lie ready."""
    options = ClipOptions.model_validate({"model": str(model), "provider": "auto"})
    engine = ClipEngine(options, FakeMemory())
    engine.start()
    found = files.find(model, "")
    towers = Towers(found, facts.read(found), options.provider, options.threads)
    rendition = engine.renditions[0]
    size = options.batch
    fresh = [FakePhoto(each.jpeg(rendition), each.name) for each in photos]
    ready = [prepared(each.content, facts.read(found).pixels, (each.width, each.height)) for each in fresh]
    towers.images(ready[:size])
    list(engine.analyze(photos[:size], FakePermit()))
    bare = _processor(lambda: [towers.images(ready[at : at + size]) for at in range(0, len(ready), size)])
    took = _processor(
        lambda: [
            list(engine.analyze(photos[at : at + size], FakePermit())) for at in range(0, len(photos), size)
        ]
    )
    return Figure(
        "asking clip",
        len(photos) / took,
        "photos/s",
        "higher",
        len(photos) / bare,
        "the bare model on prepared batches",
        f"batches of {size}, one thread, {bare / len(photos) * 1000:.0f} ms of model for each photo; "
        "renditions made before, as workers have them",
    )


def heavy(folder: Path, rounds: int) -> Path:
    """A model of CLIP's sizes whose image tower multiplies: a round takes some 2.5 ms of a core."""
    clip_models.make(folder, clip_models.CLIP)
    config = folder / "preprocessor_config.json"
    config.write_text(
        '{"crop_size": 224, "size": 224, "resample": 3, "do_center_crop": true, '
        '"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}'
    )
    dice = np.random.default_rng(0)
    width = 768
    weights: dict[str, NDArray[np.generic]] = {
        "patch": dice.normal(0, 0.02, (width, 3, 16, 16)).astype(np.float32),
        "mix": dice.normal(0, 0.03, (width, width)).astype(np.float32),
        "out": dice.normal(0, 0.03, (width, _DIMENSIONS)).astype(np.float32),
        "axes": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["pixel_values", "patch"], ["patches"], strides=[16, 16]),
        helper.make_node("Reshape", ["patches", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["step0"], perm=[0, 2, 1]),
    ]
    weights["flat"] = np.array([0, width, -1], np.int64)
    for step in range(rounds * 2):
        nodes.append(helper.make_node("MatMul", [f"step{step}", "mix"], [f"mixed{step}"]))
        nodes.append(helper.make_node("Tanh", [f"mixed{step}"], [f"step{step + 1}"]))
    nodes.append(helper.make_node("ReduceMean", [f"step{rounds * 2}"], ["mean"], axes=[1], keepdims=0))
    nodes.append(helper.make_node("MatMul", ["mean", "out"], ["image_embeds"]))
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", _DIMENSIONS])],
        [numpy_helper.from_array(value, name) for name, value in weights.items() if name != "axes"],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, folder / "onnx" / "vision_model.onnx")
    return folder


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def _looking(count: int) -> Iterator[Figure]:
    dice = np.random.default_rng(1)
    vectors, words, neutral = (_unit(dice, rows) for rows in (count, _WORDS, 1))
    names = [f"word {place}" for place in range(_WORDS)]
    meant = {name: row.astype("<f2").tobytes() for name, row in zip(names, words, strict=True)}
    meant["a photo"] = neutral[0].astype("<f2").tobytes()
    known = [Word(name, (name,), threshold=0.8) for name in names]
    # In so many dimensions what was drawn at random is 0.04 close: about four words fit a photo.
    lens = Lens(known, meant, Contrast("softmax", 100.0, -16.0))
    sight = Sight(known, {1: lens})
    matrix = np.ascontiguousarray(lens.matrix.T)
    blocks = [vectors[at : at + _BLOCK] for at in range(0, count, _BLOCK)]
    least = lens.least(Calibration())
    bare = _processor(lambda: [block @ matrix for block in blocks])
    took = _processor(lambda: [np.nonzero(lens.margins(block) >= least) for block in blocks])
    what = f"{_WORDS:,} words over {count:,} vectors of {_DIMENSIONS} dimensions"
    yield Figure("scoring words", took, "s", "lower", bare, "the bare matrix product", what)
    values: list[JSON] = [
        {"revision": 1, "vector": packed(row.tobytes())} for row in vectors[:20_000].astype("<f2")
    ]
    part = 400
    took = _processor(lambda: [sight.tags(values[at : at + part]) for at in range(0, len(values), part)])
    bare = _processor(lambda: [vectors[at : at + part] @ matrix for at in range(0, len(values), part)])
    yield Figure(
        "tags of stored vectors",
        took / len(values) * 100_000,
        "s",
        "lower",
        bare / len(values) * 100_000,
        "the bare matrix product in such parts",
        f"{what}, from stored values to tags in parts of {part}; for 100,000 photos",
    )


def _unit(dice: np.random.Generator, rows: int) -> Floats:
    made = dice.normal(size=(rows, _DIMENSIONS)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def _processor(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the processor, at best."""
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best

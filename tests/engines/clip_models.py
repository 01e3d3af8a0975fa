"""Tiny models made by hand, in the shape of those that are published: two towers, tokenizer, configurations.

Their towers agree by construction: the vector of a picture is its mean colour seen from grey, and that of a
word is the colour that it names, so that the right answer is known for every drawn picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "yellow": (225, 215, 30),
    "purple": (190, 30, 200),
    "cyan": (30, 205, 210),
}
DIMENSIONS = 16


@dataclass(frozen=True)
class Family:
    """How a family's files differ from another's."""

    model_type: str
    image: str
    text: str
    tokens: int
    pixels: Mapping[str, object]
    wants_mask: bool = False


CLIP = Family(
    "clip",
    "image_embeds",
    "text_embeds",
    77,
    {
        "do_center_crop": True,
        "crop_size": 32,
        "size": 32,
        "resample": 3,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.25, 0.25, 0.25],
    },
    wants_mask=True,
)
SIGLIP = Family(
    "siglip",
    "pooler_output",
    "pooler_output",
    64,
    {
        "size": {"height": 32, "width": 32},
        "resample": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    },
)
MOBILE = Family(
    "clip",
    "image_embeds",
    "text_embeds",
    77,
    {
        "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32},
        "size": {"shortest_edge": 32},
        "resample": 2,
        "do_normalize": False,
    },
)
FAMILIES = {"clip": CLIP, "siglip": SIGLIP, "mobileclip": MOBILE}

_WORDS = [
    "[PAD]",
    "[UNK]",
    "a",
    "of",
    "photo",
    "picture",
    "image",
    "an",
    "something",
    "thing",
    "the",
    "dog",
    "boat",
    "sailing",
    *COLOURS,
]


def make(folder: Path, family: Family = CLIP, *, seed: int = 0) -> Path:
    """A model in `folder`; with another seed its space lies otherwise."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    spread = np.random.default_rng(seed).normal(size=(4, DIMENSIONS)).astype(np.float32)
    basis, _ = np.linalg.qr(spread.T)
    space: NDArray[np.float32] = basis.T.astype(np.float32)  # colours and grey → dimensions, lengths kept
    onnx.save(_vision(family, space), folder / "onnx" / "vision_model.onnx")
    onnx.save(_text(family, space), folder / "onnx" / "text_model.onnx")
    config = {
        "model_type": family.model_type,
        "text_config": {"max_position_embeddings": family.tokens},
        # Colours lie far apart in this space: a quarter of the way between two is where one ends.
        "logit_scale": math.log(20),
        "logit_bias": -11.0,
    }
    _json(folder / "config.json", config)
    _json(folder / "preprocessor_config.json", {"do_resize": True, **family.pixels})
    _json(folder / "tokenizer_config.json", {"pad_token": "[PAD]", "model_max_length": 10**30})
    _tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _vision(family: Family, space: NDArray[np.float32]) -> onnx.ModelProto:
    """The mean of each colour, less grey, beside a little of what all pictures share."""
    std = family.pixels.get("image_std", [1.0])
    normalizes = family.pixels.get("do_normalize", True)
    assert isinstance(std, list)
    # Numbers around 0 after the mean was taken away; else around a half.
    factor, shift = (float(std[0]), 0.0) if normalizes else (1.0, -0.5)
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Mul", ["flat", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["grey"]),
        helper.make_node("MatMul", ["grey", "space"], ["seen"]),
        helper.make_node("Add", ["seen", "shared"], [family.image]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "factor": np.array([factor], np.float32),
        "shift": np.array([shift], np.float32),
        "space": space[:3],
        "shared": 0.1 * space[3:],
    }
    pixels = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, 32, 32])
    return _model(nodes, [pixels], family.image, constants)


def _text(family: Family, space: NDArray[np.float32]) -> onnx.ModelProto:
    """The sum of the vectors of its words; words that are no colours mean a little of what all share."""
    table = np.zeros((len(_WORDS), DIMENSIONS), np.float32)
    for place, word in enumerate(_WORDS[2:], 2):
        table[place] = 0.02 * space[3]
        if word in COLOURS:
            table[place] += (np.array(COLOURS[word], np.float32) / 255 - 0.5) @ space[:3]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("ReduceSum", ["words", "axes"], [family.text], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])]
    if family.wants_mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "tokens"]))
        nodes.insert(0, helper.make_node("Mul", ["input_ids", "attention_mask"], ["meant"]))
        nodes[1].input[1] = "meant"
    constants: dict[str, NDArray[Any]] = {"table": table, "axes": np.array([1], np.int64)}
    return _model(nodes, inputs, family.text, constants)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: str,
    constants: Mapping[str, NDArray[Any]],
) -> onnx.ModelProto:
    given = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", DIMENSIONS])]
    graph = helper.make_graph(nodes, "tower", inputs, outputs, given)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(_WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer

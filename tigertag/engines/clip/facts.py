"""What a model says of itself, in its own configuration files."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tigertag.engines.clip import files
from tigertag.engines.clip.files import Files
from tigertag.errors import PluginDown
from tigertag.meaning.contrast import Contrast

FAMILIES = ("clip", "siglip", "siglip2", "mobileclip")
"""What `model_type` may be. MobileCLIP is published as `clip`; fixed sizes of SigLIP 2 as `siglip`."""

_TOKENS: dict[str, int] = {"siglip": 64, "siglip2": 64}
"""Tokens of a text where the configuration is silent: the defaults of the families' configuration classes."""
_CLIP_TOKENS = 77
_LONGEST = 1 << 16
"""Tokenizers without a limit say 10^30."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pixels:
    """How a picture becomes numbers. Sizes are height and width in pixels."""

    shortest: int | None
    """The short side is scaled to this, the long side in proportion."""
    size: Pair | None
    """Scaled to this, whatever its shape was."""
    crop: Pair | None
    """Cut out of the middle."""
    resample: int
    """As Pillow numbers them: 2 bilinear, 3 bicubic."""
    factor: float
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None

    @property
    def short_side(self) -> int:
        """What the short side of a picture is to have at least, in pixels, before it is scaled."""
        return self.shortest or max(self.size or self.crop or (1, 1))


@dataclass(frozen=True, slots=True)
class Texts:
    """How a text becomes tokens."""

    length: int
    """All are filled up to this, and cut off there."""
    pad: str
    """The token that fills up; empty: the one with the number 0."""
    lowers: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """A model's own words."""

    family: str
    pixels: Pixels
    texts: Texts
    contrast: Contrast


def read(found: Files) -> Facts:
    """Raises PluginDown where a file is damaged, or the model is none that we know."""
    config = _json(found.paths[files.CONFIG])
    family = str(config.get("model_type", ""))
    if family not in FAMILIES:
        what = f"of the family `{family}`" if family else "of no family (model_type is missing)"
        known = "CLIP, SigLIP, SigLIP 2, MobileCLIP"
        raise PluginDown(f"the model in {found.folder} is {what}; those that can be used: {known}")
    tokens = _json(found.paths[files.TOKENS]) if files.TOKENS in found.paths else {}
    pixels = _json(found.paths[files.PIXELS])
    if "max_num_patches" in pixels:  # as the processor of SigLIP 2 for any size has it
        raise PluginDown(
            f"the model in {found.folder} takes pictures of any size (NaFlex), which cannot be used: choose "
            "one of a fixed size, such as onnx-community/siglip2-base-patch16-224-ONNX"
        )
    try:
        return Facts(
            family,
            _pixels(pixels, is_square=family.startswith("siglip")),
            _texts(config, tokens, family),
            _contrast(config, family),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PluginDown(f"the configuration of the model in {found.folder} makes no sense: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginDown(f"the model's {path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise PluginDown(f"the model's {path} cannot be read: it holds no object")
    return found


def _pixels(config: dict[str, Any], *, is_square: bool) -> Pixels:
    """A single number is the short side for CLIP, and both sides for SigLIP, as their processors read it."""
    size = config.get("size") if config.get("do_resize", True) else None
    shortest, both = None, None
    if isinstance(size, dict) and "shortest_edge" in size:
        shortest = int(size["shortest_edge"])
    elif isinstance(size, dict):
        both = int(size["height"]), int(size["width"])
    elif isinstance(size, int):
        shortest, both = (None, (size, size)) if is_square else (size, None)
    normalizes = bool(config.get("do_normalize", True))
    pixels = Pixels(
        shortest,
        both,
        _pair(config.get("crop_size")) if config.get("do_center_crop", not is_square) else None,
        int(config.get("resample", 3)),
        float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
        _three(config["image_mean"]) if normalizes else None,
        _three(config["image_std"]) if normalizes else None,
    )
    if not (pixels.size or pixels.crop):
        raise ValueError("preprocessor_config.json gives no size")
    return pixels


def _pair(value: Any) -> Pair | None:
    if value is None:
        return None
    return (value, value) if isinstance(value, int) else (int(value["height"]), int(value["width"]))


def _three(value: Any) -> tuple[float, ...]:
    found = tuple(float(each) for each in value)
    if len(found) != 3:
        raise ValueError(f"{value} are not three colours")
    return found


def _texts(config: dict[str, Any], tokens: dict[str, Any], family: str) -> Texts:
    text = config.get("text_config") or {}
    longest = int(text.get("max_position_embeddings", _TOKENS.get(family, _CLIP_TOKENS)))
    said = tokens.get("model_max_length")
    if isinstance(said, int) and 0 < said < _LONGEST:
        longest = min(longest, said)
    pad = tokens.get("pad_token") or ""
    return Texts(
        longest,
        str(pad.get("content", "")) if isinstance(pad, dict) else str(pad),
        lowers=bool(tokens.get("do_lower_case", False)),
    )


def _contrast(config: dict[str, Any], family: str) -> Contrast:
    """The scale and bias that the model learnt, where its configuration has them; else those of its family."""
    kind: Literal["softmax", "sigmoid"] = "sigmoid" if family.startswith("siglip") else "softmax"
    default = Contrast.of(kind)
    scale, bias = config.get("logit_scale"), config.get("logit_bias")
    return Contrast(
        kind,
        math.exp(scale) if isinstance(scale, int | float) else default.scale,
        float(bias) if isinstance(bias, int | float) else default.bias,
    )

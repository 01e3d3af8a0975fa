"""The two towers of a model: one makes vectors of pictures, the other of texts, in one space."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tigertag.engines.clip import files
from tigertag.engines.clip.facts import Facts, Texts
from tigertag.engines.clip.files import Files
from tigertag.engines.clip.pixels import Floats
from tigertag.errors import PluginDown

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""In the order in which they are taken where nothing is said."""

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_TEXTS_AT_ONCE = 32
_ALL_CORES = 0
"""Texts are learnt before photos are looked at: nobody else computes then."""


class Tower:
    """One ONNX file, loaded. Safe to use from several threads."""

    def __init__(
        self, path: Path, knows: Sequence[str], gives: Sequence[str], provider: str, threads: int
    ) -> None:
        """`knows`: the inputs that can be given; `gives`: the outputs that can be used, the best first.

        Raises PluginDown where the file is damaged, or wants or gives something else.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=_providers(provider, path)
            )
        except PluginDown:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise PluginDown(f"the model cannot be loaded: {path}: {_first(error)}") from error
        self.path = path
        self.inputs = {each.name: each for each in self._session.get_inputs()}
        strange = sorted(self.inputs.keys() - set(knows))
        if strange:
            raise PluginDown(f"the model cannot be used: {path} asks for {', '.join(strange)}")
        there = [each.name for each in self._session.get_outputs()]
        self._output = next((name for name in gives if name in there), "")
        if not self._output:
            raise PluginDown(
                f"the model cannot be used: {path} gives {', '.join(there)}, and none of {', '.join(gives)}"
            )

    @property
    def most_at_once(self) -> int | None:
        """How many it takes at once, where that was fixed when the model was converted."""
        first = next(iter(self.inputs.values())).shape[0]
        return first if isinstance(first, int) else None

    def vectors(self, given: dict[str, NDArray[np.generic]]) -> Floats:
        """A row of length 1 for each row that was given. Raises PluginDown where the runtime fails."""
        feed = {
            name: given[name].astype(_TYPES.get(each.type, np.float32), copy=False)
            for name, each in self.inputs.items()
        }
        try:
            (found,) = self._session.run([self._output], feed)
        except Exception as error:  # the same
            raise PluginDown(f"the model failed: {self.path}: {_first(error)}") from error
        return unit(np.asarray(found, np.float32).reshape(len(found), -1))


class Towers:
    """Both; that for texts is loaded when the first text comes."""

    def __init__(self, found: Files, facts: Facts, provider: str, threads: int) -> None:
        """Raises PluginDown where the image tower cannot be used."""
        self._files, self._facts = found, facts
        self._provider = provider
        self._lock = threading.Lock()
        self._text: Tower | None = None
        self._image = Tower(
            found.paths["vision"], ("pixel_values",), ("image_embeds", "pooler_output"), provider, threads
        )

    def images(self, pixels: Sequence[Floats]) -> Floats:
        """A row for each picture."""
        most = self._image.most_at_once or len(pixels)
        parts = [np.stack(pixels[start : start + most]) for start in range(0, len(pixels), most)]
        return np.concatenate([self._image.vectors({"pixel_values": part}) for part in parts])

    def texts(self, texts: Sequence[str]) -> Floats:
        """A row for each text."""
        tower, tokenizer = self._text_tower(), _tokenizer(self._files, self._facts.texts)
        most = tower.most_at_once or _TEXTS_AT_ONCE
        parts = []
        for start in range(0, len(texts), most):
            wanted = [
                text.lower() if self._facts.texts.lowers else text for text in texts[start : start + most]
            ]
            coded = tokenizer.encode_batch(wanted)
            parts.append(
                tower.vectors(
                    {
                        "input_ids": np.array([each.ids for each in coded]),
                        "attention_mask": np.array([each.attention_mask for each in coded]),
                    }
                )
            )
        return np.concatenate(parts)

    def _text_tower(self) -> Tower:
        with self._lock:
            if self._text is None:
                self._text = Tower(
                    self._files.paths["text"],
                    ("input_ids", "attention_mask"),
                    ("text_embeds", "pooler_output"),
                    self._provider,
                    _ALL_CORES,
                )
            return self._text


def unit(rows: Floats) -> Floats:
    """Each row at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths), np.float32)


def middle(rows: Floats) -> Floats:
    """The direction between rows of length 1, at length 1; a single row is as it was."""
    return np.asarray(rows[0] if len(rows) == 1 else unit(rows.mean(axis=0, keepdims=True))[0], np.float32)


def _tokenizer(found: Files, texts: Texts) -> Tokenizer:
    path = found.paths[files.TOKENIZER]
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more special
        raise PluginDown(f"the model's {path} cannot be read: {_first(error)}") from error
    pad = tokenizer.token_to_id(texts.pad) if texts.pad else 0
    if pad is None:
        raise PluginDown(f"the model's {path} does not know the token `{texts.pad}` that fills up texts")
    tokenizer.enable_truncation(texts.length)
    tokenizer.enable_padding(length=texts.length, pad_id=pad, pad_token=texts.pad or "[PAD]")
    return tokenizer


def _providers(wanted: str, path: Path) -> list[str]:
    there = onnxruntime.get_available_providers()
    if wanted == "auto":
        return [name for name in PROVIDERS.values() if name in there]
    if PROVIDERS[wanted] not in there:
        here = ", ".join(short for short, name in PROVIDERS.items() if name in there)
        raise PluginDown(f"{path} cannot run on {wanted}: the onnxruntime that is installed has {here}")
    return [PROVIDERS[wanted]]


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__

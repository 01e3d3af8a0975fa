"""The files of a model in a folder, and what they are known by."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from tigertag.errors import PluginDown

CONFIG, PIXELS, TOKENIZER, TOKENS = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
"""What the collections of ONNX models that are converted for the web call them, in the root of a model."""

_CHUNK = 1 << 20
_SHA256 = 64
"""Hex digits."""


def tower_names(tower: str, precision: str) -> tuple[str, str]:
    """Where a tower (`vision` or `text`) may lie: as in a hub's repository, and in a flat folder."""
    name = f"{tower}_model{f'_{precision}' if precision else ''}.onnx"
    return f"onnx/{name}", name


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a model is made of, by what they are for. All are there."""

    folder: Path
    paths: Mapping[str, Path]

    def digests(self) -> dict[str, str]:
        """SHA-256 of each, in hex; of a file whose size and time did not change it is remembered.

        Raises PluginDown where a file cannot be read, or is not what the hub said it would be.
        """
        return _Digests().of(self.paths)


def find(folder: Path, precision: str) -> Files:
    """The model in `folder`. Raises PluginDown that names what is missing."""
    if not folder.is_dir():
        raise PluginDown(f"there is no model: {folder} is no folder")
    paths = {name: folder / name for name in (CONFIG, PIXELS, TOKENIZER)}
    for tower in ("vision", "text"):
        names = tower_names(tower, precision)
        there = next((folder / name for name in names if (folder / name).is_file()), None)
        paths[tower] = there or folder / names[0]
    missing = [str(path.relative_to(folder)) for path in paths.values() if not path.is_file()]
    if missing:
        raise PluginDown(f"the model in {folder} is not whole: it lacks {' and '.join(missing)}")
    optional = {
        name: path
        for name, path in {TOKENS: folder / TOKENS, **dict(_outside(paths))}.items()
        if path.is_file()
    }
    return Files(folder, paths | optional)


def _outside(paths: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """Weights that ONNX keeps beside the graph, since a graph ends at 2 GiB."""
    for tower in ("vision", "text"):
        yield f"{tower}_data", paths[tower].with_name(paths[tower].name + "_data")


class _Digests:
    """Digests that are remembered in the user's cache; one that cannot be remembered is made again."""

    def __init__(self) -> None:
        self._file = user_cache_path("tigertag") / "models.json"
        self._known: dict[str, str] = {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return  # none yet, or one that a crash cut off
        if isinstance(found, dict):
            self._known = {str(key): str(value) for key, value in found.items()}

    def of(self, paths: Mapping[str, Path]) -> dict[str, str]:
        before = dict(self._known)
        found = {name: self._digest(path) for name, path in sorted(paths.items())}
        if self._known != before:
            self._remember()
        return found

    def _digest(self, path: Path) -> str:
        try:
            real = path.resolve()
            facts = real.stat()
            key = f"{real}|{facts.st_size}|{facts.st_mtime_ns}"
            if key not in self._known:
                self._known[key] = _sha256(real)
        except OSError as error:
            raise PluginDown(f"the model cannot be read: {path}: {error.strerror}") from error
        _compare(path, real, self._known[key])
        return self._known[key]

    def _remember(self) -> None:
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._known), encoding="utf-8")
            part.replace(self._file)
        except OSError:
            part.unlink(missing_ok=True)  # a cache that cannot be written costs a second at the next start


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _compare(path: Path, real: Path, found: str) -> None:
    """The hub's cache names a large file by the SHA-256 that the hub said it has."""
    promised = real.name
    is_promise = len(promised) == _SHA256 and set(promised) <= set("0123456789abcdef")
    if is_promise and promised != found:
        raise PluginDown(
            f"{path} is damaged: its SHA-256 is not the one that the hub promised. Delete {real} and scan again"
        )

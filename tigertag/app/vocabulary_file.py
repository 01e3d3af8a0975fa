"""The owner's `vocabulary.yaml`, changed as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tigertag.config.vocabulary import read_vocabulary
from tigertag.errors import ConfigError, DiskError
from tigertag.model import Vocabulary


def text_of(path: Path) -> str:
    """Raises ConfigError where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: save the file as UTF-8") from error


def put(file: Path, before: str | None, text: str, *, dry_run: bool) -> Vocabulary:
    """Writes a vocabulary beside its place, reads it there, and only then puts it in its place.

    `before` is the text that was changed; None: there was no file. Raises ConfigError where it would not be a
    vocabulary any more, or where somebody else has changed it meanwhile.
    """
    place = file.resolve()
    with tempfile.TemporaryDirectory() if dry_run else _beside(place) as folder:
        made = Path(folder) / place.name
        made.write_bytes(text.encode())
        faults: list[str] = []
        found = read_vocabulary(made, f"{file} with what is added", faults)
        if faults:
            raise ConfigError(*faults, f"{file} is as it was")
        if not dry_run:
            if (text_of(place) if place.exists() else None) != before:
                raise ConfigError(f"{file} was changed by somebody else just now, and left as it is: once more")
            _replace(made, place)
    return found


def _beside(place: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(dir=place.parent, prefix=".tigertag-")
    except OSError as error:
        raise DiskError(f"{place.parent} cannot be written to: {error.strerror or error}") from error


def _replace(made: Path, place: Path) -> None:
    try:
        if place.exists():
            shutil.copymode(place, made)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(place)
    except OSError as error:
        raise DiskError(f"{place} cannot be written: {error.strerror or error}") from error

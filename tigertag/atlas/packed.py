"""The files of data."""

from __future__ import annotations

import zlib
from importlib import resources

from tigertag.errors import PluginDown


def packed(name: str) -> bytes:
    """A file in `data` as it is. Raises PluginDown where the installation is broken."""
    try:
        return resources.files("tigertag.atlas").joinpath("data", name).read_bytes()
    except OSError as error:
        raise _broken(name, error) from error


def unpacked(name: str, content: bytes) -> bytes:
    """What was compressed as `content` in the file `name`. Raises PluginDown where it is damaged."""
    try:
        return zlib.decompress(content)
    except zlib.error as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> PluginDown:
    return PluginDown(f"the atlas file {name} is missing or damaged ({error}): install TigerTag anew")

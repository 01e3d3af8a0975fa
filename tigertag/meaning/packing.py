"""A vector on its way: half floats (IEEE 754 binary16), little-endian, in Base64, so that it fits into JSON."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence

from tigertag.model import JSON


def pack(vector: Sequence[float]) -> str:
    """The value of an annotation of kind `embedding`. Raises ValueError for what half floats cannot hold."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}e", *vector)).decode()
    except (OverflowError, struct.error) as error:
        raise ValueError(f"a vector that half floats cannot hold: {error}") from error


def bytes_of(value: JSON) -> bytes:
    """Two bytes for each dimension, from what `pack` gave or from a list of numbers. Raises ValueError."""
    if isinstance(value, str):
        try:
            found = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"no vector: {error}") from error
        if not found or len(found) % 2:
            raise ValueError(f"no vector: {len(found)} bytes")
        return found
    if isinstance(value, list | tuple) and value:
        return base64.b64decode(pack([_number(each) for each in value]))
    raise ValueError("no vector")


def packed(data: bytes) -> str:
    """What `bytes_of` understands."""
    return base64.b64encode(data).decode()


def _number(value: JSON) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"no vector: `{value}` is no number")

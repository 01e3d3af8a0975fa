"""Developing a raw file that has no good preview: `tigertag[raw]`."""

from __future__ import annotations

from typing import BinaryIO

import rawpy
from PIL import Image

from tigertag.media.anatomy import Unfit


def develop(stream: BinaryIO, *, half: bool) -> Image.Image:
    """Upright, RGB, with the camera's white balance; `half` in each direction where that is enough.

    Raises Unfit.
    """
    try:
        with rawpy.RawPy() as opened:
            opened.open_buffer(stream)
            opened.unpack()
            return Image.fromarray(opened.postprocess(use_camera_wb=True, half_size=half, output_bps=8))
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        words = error.args[0] if error.args else ""
        text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        raise Unfit(f"cannot be developed ({text or 'a raw file of a rare kind'})") from error

"""Found by Python as it starts, where PYTHONPATH names this folder: decoders that crash, hang or hold too much.

No picture is known that crashes a decoder, so one that has a certain size stands for it. Only processes that
start anew get here: the server that forks the workers, and so every worker.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from PIL import ImageFile

_SIZES = {how: os.environ.get(f"SPOILED_{how}", "") for how in ("CRASH", "CRASH_ONCE", "SPIN", "HOLD")}
_load = ImageFile.ImageFile.load


def _spoiled(self: ImageFile.ImageFile) -> object:
    size = f"{self.size[0]}x{self.size[1]}"
    if size == _SIZES["CRASH"]:
        ctypes.string_at(0)
    if size == _SIZES["CRASH_ONCE"]:
        try:
            Path(os.environ["SPOILED_MARK"]).mkdir()
        except FileExistsError:
            pass
        else:
            ctypes.string_at(0)
    while size == _SIZES["SPIN"]:
        time.perf_counter()
    held = []
    while size == _SIZES["HOLD"]:
        held.append(bytearray(1 << 20))
    return _load(self)


ImageFile.ImageFile.load = _spoiled  # type: ignore[method-assign]

if "SPOILED_SECONDS" in os.environ or "SPOILED_MEMORY" in os.environ:
    from tigertag.executors import limits

    limits.PROCESSOR_SECONDS = int(os.environ.get("SPOILED_SECONDS", limits.PROCESSOR_SECONDS))
    limits.MEMORY = int(os.environ.get("SPOILED_MEMORY", limits.MEMORY))

"""Vectors of photos and words from the models CLIP, SigLIP and MobileCLIP, on this computer.

The libraries of the extra take a second to import, so that only what uses a model does.
"""

from importlib.util import find_spec

for _library in ("huggingface_hub", "numpy", "onnxruntime", "tokenizers"):
    if find_spec(_library) is None:
        raise ModuleNotFoundError(f"No module named `{_library}`", name=_library)

from tigertag.engines.clip.engine import ClipEngine  # noqa: E402
from tigertag.engines.clip.options import ClipOptions  # noqa: E402

__all__ = ["ClipEngine", "ClipOptions"]

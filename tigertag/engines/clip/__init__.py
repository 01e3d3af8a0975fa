"""Vectors of photos and words from the models CLIP, SigLIP and MobileCLIP, on this computer."""

from tigertag.engines.clip.engine import ClipEngine, ClipOptions

__all__ = ["ClipEngine", "ClipOptions"]

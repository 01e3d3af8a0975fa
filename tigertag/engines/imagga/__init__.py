"""Imagga: a billed service that names what is on a picture. API v2, https://docs.imagga.com."""

from tigertag.engines.imagga.engine import ImaggaEngine
from tigertag.engines.imagga.options import ImaggaOptions

__all__ = ["ImaggaEngine", "ImaggaOptions"]

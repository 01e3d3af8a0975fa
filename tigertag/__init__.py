"""TigerTag keeps the tags of a photo library true."""

__version__ = "0.1.0"

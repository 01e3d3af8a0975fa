"""Tags in XMP, where the photo programs read them: in sidecars beside the photos, or inside their files."""

from tigertag.targets.xmp.target import XmpOptions, XmpTarget

__all__ = ["XmpOptions", "XmpTarget"]

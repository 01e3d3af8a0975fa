"""Keywords inside picture files: JPEG, PNG, WebP, TIFF, DNG, HEIC."""

from tigertag.targets.xmp.embedded.container import Embedded, UseOfIptc

__all__ = ["Embedded", "UseOfIptc"]

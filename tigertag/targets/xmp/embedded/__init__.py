"""Keywords inside picture files: JPEG, PNG, WebP, TIFF, DNG, HEIC."""

from tigertag.targets.xmp.embedded.container import Embedded, UseOfIptc
from tigertag.targets.xmp.embedded.values import NoSuchKind

__all__ = ["Embedded", "NoSuchKind", "UseOfIptc"]

"""What tells of a picture: EXIF, IPTC and XMP in its file, and its sidecar. Broken ones are as good as none."""

from tigertag.blocks.reading import Blocks, coordinates, of, read

__all__ = ["Blocks", "coordinates", "of", "read"]

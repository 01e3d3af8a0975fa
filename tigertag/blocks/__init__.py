"""The blocks of a file that tell of its picture: EXIF, IPTC and XMP. Broken ones are as good as none."""

from tigertag.blocks.reading import Blocks, coordinates, read

__all__ = ["Blocks", "coordinates", "read"]

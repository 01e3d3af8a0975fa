"""Pictures: opened, measured, set upright and scaled. What a file is, its bytes say, never its name.

with source.open(item) as stream, open_photo(stream, item.path) as photo:
    photo.content_id, photo.input, photo.width, photo.jpeg(Rendition(short_side=300))
"""

from tigertag.media.anatomy import Unfit
from tigertag.media.decode import can_decode, image
from tigertag.media.photo import OpenPhoto, open_photo
from tigertag.media.render import Decoder, File, Here, Size
from tigertag.media.sniff import is_picture

__all__ = [
    "Decoder",
    "File",
    "Here",
    "OpenPhoto",
    "Size",
    "Unfit",
    "can_decode",
    "image",
    "is_picture",
    "open_photo",
]

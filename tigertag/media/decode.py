"""Decoding: upright, RGB, as large as wanted.

Pillow's own limits are replaced by ours, and its remarks about odd metadata are silenced: a photo is named
once, by our error.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import struct
import warnings
import zlib
from typing import BinaryIO

from PIL import Image, ImageCms, ImageFile, TiffImagePlugin, UnidentifiedImageError, features

from tigertag.errors import MissingDecoder
from tigertag.media.anatomy import ENDS_EARLY, Anatomy, Form, Unfit
from tigertag.media.raw import is_raw
from tigertag.media.raw_file import RawFile, reading
from tigertag.media.sniff import form_of
from tigertag.media.tiff import directories
from tigertag.media.video_file import VideoFile
from tigertag.model import Rendition

log = logging.getLogger(__name__)

MOST_PIXELS = 200_000_000
"""Pixels of a picture that can be decoded at a fraction of its size."""
MOST_PIXELS_WHOLE = 100_000_000
"""Pixels of a picture that must be decoded whole: 400 MB with an alpha channel."""
MOST_SCANS = 500
MOST_SCANNED = 4_000_000_000
"""Pixels times passes: about half a minute of decoding."""

# Twice this raises, once this warns; between the two our own limits speak.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_DECODER_FAULTS = (
    OSError,
    SyntaxError,  # what Pillow raises where the header makes no sense
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
)

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BLOCKS = frozenset({Form.JPEG, Form.PNG, Form.WEBP})
"""Forms whose orientation we read ourselves."""


_MODULES = {"heic": "pillow_heif", "avif": "pillow_avif", "raw": "rawpy", "video": "av"}


def can_decode(extra: str) -> bool:
    """Whether what `tigertag[extra]` brings is there, for items that wait for it."""
    if extra == "avif" and features.check("avif"):
        return True
    return extra in _MODULES and importlib.util.find_spec(_MODULES[extra]) is not None


def image(stream: BinaryIO, form: Form | None = None) -> ImageFile.ImageFile:
    """The file as Pillow sees it: header and metadata are read, nothing is decoded yet.

    Raises MissingDecoder, or Unfit where it is no picture of an allowed kind.
    """
    if form is Form.RAW and not can_decode("raw"):
        raise MissingDecoder("raw")
    if form is Form.VIDEO:
        return _measured(stream)
    if form is None:
        form = _form_of(stream)
        stream.seek(0)
    if form is Form.HEIF:
        _register_heif()
    if form is Form.AVIF and not features.check("avif"):
        _register_avif()
    # MPO, a JPEG with more pictures behind it, comes out of Pillow's JPEG plugin by itself.
    try:
        if form is Form.VIDEO:
            return VideoFile(stream)
        return RawFile(stream) if form is Form.RAW else Image.open(stream, formats=(form,))
    except _DECODER_FAULTS as error:
        raise Unfit(_reason(error)) from error


def _measured(stream: BinaryIO) -> VideoFile:
    film = VideoFile(stream)
    film.measure(MOST_PIXELS_WHOLE)
    return film


def _form_of(stream: BinaryIO) -> Form:
    form = form_of(stream.read(512))
    return Form.RAW if form is Form.TIFF and is_raw(list(directories(reading(stream)))) else form


def _register_heif() -> None:
    if "HEIF" in Image.OPEN:
        return
    if not can_decode("heic"):
        raise MissingDecoder("heic")
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDecoder("heic") from error
    register_heif_opener()


def _register_avif() -> None:
    if not can_decode("avif"):
        raise MissingDecoder("avif")
    try:
        import pillow_avif  # noqa: F401, PLC0415 - an extra; registers itself
    except ImportError as error:
        raise MissingDecoder("avif") from error


def upright_size(picture: Image.Image, anatomy: Anatomy) -> tuple[int, int]:
    """Width and height of the upright picture. Raises Unfit where it is too large to decode."""
    return upright(picture.size, anatomy, _orientation(picture, anatomy))


def upright(stored: tuple[int, int], anatomy: Anatomy, orientation: int) -> tuple[int, int]:
    """The upright size of a picture stored in that size. Raises Unfit where it is too large to decode."""
    width, height = stored
    whole = anatomy.form is not Form.JPEG or anatomy.progressive
    most = MOST_PIXELS_WHOLE if whole else MOST_PIXELS
    if width * height > most:
        raise Unfit(f"is too large ({width} × {height} pixels; at most {most // 1_000_000} million)")
    if anatomy.scans > MOST_SCANS or anatomy.scans * width * height > MOST_SCANNED:
        raise Unfit(f"is not decoded: {anatomy.scans} passes over the picture are no photo's")
    return (height, width) if orientation >= 5 else (width, height)


def check_end(picture: ImageFile.ImageFile, form: Form, length: int) -> None:
    """Whether all picture data lies within a file of `length` bytes, for forms that do not tell their length.

    Raises Unfit.
    """
    try:
        if isinstance(picture, TiffImagePlugin.TiffImageFile):
            tags = picture.tag_v2
            starts, counts = tags.get(273) or tags.get(324) or (), tags.get(279) or tags.get(325) or ()
            ends = [start + count for start, count in zip(starts, counts, strict=False)]
        elif form is Form.BMP and picture.tile and picture.tile[0].codec_name == "raw":
            arguments = picture.tile[0].args
            stride = int(arguments[1]) if isinstance(arguments, tuple) else 0
            ends = [picture.tile[0].offset + stride * picture.height]
        else:
            ends = []
    except _DECODER_FAULTS as error:
        raise Unfit(_reason(error)) from error
    if any(end > length for end in ends):
        raise Unfit(ENDS_EARLY)


def _orientation(picture: Image.Image, anatomy: Anatomy) -> int:
    if anatomy.form in _BLOCKS:
        return anatomy.orientation
    if anatomy.form in (Form.TIFF, Form.RAW, Form.VIDEO):
        return 1  # turned while it is loaded; the size is the upright one
    try:
        value = picture.getexif().get(0x0112, 1)
    except _DECODER_FAULTS:
        return 1  # broken EXIF says nothing about how the picture stands
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def fit(size: tuple[int, int], rendition: Rendition) -> tuple[int, int]:
    """The size of a rendition of an upright picture: both limits hold, no side below 1 pixel."""
    short, long = min(size), max(size)
    scale = min(
        1.0,
        (rendition.short_side or short) / short,
        (rendition.long_side or long) / long,
    )
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink_of(size: tuple[int, int], wanted: tuple[int, int]) -> int:
    """1, 2, 4 or 8: how much smaller to decode so that twice the wanted size is still there.

    Depends on the two sizes only, so a rendition has the same bytes whatever was decoded before it.
    """
    spare = min(size[0] // (2 * wanted[0]), size[1] // (2 * wanted[1]))
    return max(step for step in (1, 2, 4, 8) if step <= max(1, spare))


def base(picture: Image.Image, anatomy: Anatomy, shrink: int) -> tuple[Image.Image, bytes]:
    """The upright picture, `shrink` times smaller, in its own colours, and its ICC profile.

    Decodes everything that was not left out by shrinking, so a damaged picture is noticed here. It may be
    `picture` itself, which the caller closes when it is done with both. Raises Unfit, MissingDecoder.
    """
    turn = _TRANSPOSE.get(_orientation(picture, anatomy))
    try:
        small = _decoded(picture, shrink)
        profile = picture.info.get("icc_profile")
        return small if turn is None else small.transpose(turn), profile or b""
    except _DECODER_FAULTS as error:
        raise Unfit(_reason(error)) from error


def _decoded(picture: Image.Image, shrink: int) -> Image.Image:
    wide = picture.width
    picture.draft(picture.mode, (picture.width // shrink, picture.height // shrink))
    drafted = round(wide / picture.width)
    picture.load()
    plain = _plain(picture)
    return plain.reduce(shrink // drafted) if drafted < shrink else plain


def _plain(picture: Image.Image) -> Image.Image:
    """One of the modes that can be scaled: L, LA, RGB, RGBA, CMYK."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _eight_bits(picture)
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB") or picture
    if picture.has_transparency_data:
        return picture if picture.mode == "LA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture  # to convert it would be to copy it
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey values of 16 bits, of 32 or fractions, brought to 0..255."""
    if picture.mode.startswith("I;16"):
        most = 65535.0
    else:
        highest = float(picture.getextrema()[1])  # type: ignore[arg-type]
        most = next((top for top in (1.0, 255.0, 65535.0) if highest <= top), highest)
    numbers = picture if picture.mode == "F" else picture.convert("I")
    return numbers.point(lambda value: value * (255.0 / most)).convert("L")


def scaled(upright: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in that size; as it is where it has it. Raises Unfit."""
    if upright.size == size:
        return upright
    try:
        return upright.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    except _DECODER_FAULTS as error:
        raise Unfit(_reason(error)) from error


def encode(picture: Image.Image, profile: bytes, quality: int) -> bytes:
    """A JPEG: sRGB, on white where the picture is transparent, without metadata. Raises Unfit."""
    try:
        flat = _flat(picture, profile)
        flat.info = {}  # Pillow would write the comment it found there
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=quality)
    except _DECODER_FAULTS as error:
        raise Unfit(_reason(error)) from error
    return out.getvalue()


def _flat(picture: Image.Image, profile: bytes) -> Image.Image:
    if picture.mode not in ("LA", "RGBA"):
        return _srgb(picture, profile)
    alpha = picture.getchannel("A")
    colours = _srgb(picture.convert(picture.mode.removesuffix("A")), profile)
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(colours, mask=alpha)
    return flat


def _srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The colours in sRGB; as they are where the profile is broken or of another kind of colours."""
    if profile:
        try:
            srgb = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            log.debug("a colour profile is left out: %s", error)
        else:
            return turned or picture
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _reason(error: BaseException) -> str:
    """Pillow's words as the end of our sentence."""
    text = " ".join(str(error).split())
    if "truncated" in text or "Truncated" in text or isinstance(error, EOFError):
        return ENDS_EARLY
    if isinstance(error, Image.DecompressionBombError):
        return f"is too large (at most {MOST_PIXELS // 1_000_000} million pixels)"
    if isinstance(error, MemoryError):
        return "cannot be decoded (not enough memory)"
    if isinstance(error, UnidentifiedImageError) or not text:
        return "cannot be decoded (the picture is damaged or of a rare kind)"
    return f"cannot be decoded ({text[:200]})"

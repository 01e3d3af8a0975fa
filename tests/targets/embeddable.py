"""Picture files of every kind that keywords are written into, plain ones and odd ones."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from PIL import Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from tests.pictures import draw, exif, heic_bytes, iptc, jpeg_bytes, segment, with_segments, xmp

_SIZE = (96, 64)
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_HEADER = b"http://ns.adobe.com/xmp/extension/\0"
GUID = b"0123456789ABCDEF0123456789ABCDEF"

FOREIGN = (
    "<crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>"
    "<xmpMM:History><rdf:Seq><rdf:li rdf:parseType='Resource'><stEvt:action>saved</stEvt:action></rdf:li>"
    "</rdf:Seq></xmpMM:History><odd:thing>x &amp; y</odd:thing>"
    "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Sea</rdf:li><rdf:li xml:lang='de'>Meer</rdf:li></rdf:Alt>"
    "</dc:title>"
)
_NAMESPACES = (
    "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' "
    "xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' "
    "xmlns:stEvt='http://ns.adobe.com/xap/1.0/sType/ResourceEvent#' "
    "xmlns:odd='http://example.org/odd/' xmlns:xmpNote='http://ns.adobe.com/xmp/note/'"
)


def packet(inside: str = FOREIGN, attributes: str = "crs:Exposure2012='+0.50' crs:HasCrop='True'") -> bytes:
    """A packet as a photo program writes it, with room for more."""
    room = "\n".join([" " * 99] * 5)
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/' "
        "x:xmptk='XMP Core 5.6'>\n<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' {_NAMESPACES} {attributes}>{inside}</rdf:Description></rdf:RDF>"
        f"</x:xmpmeta>\n{room}<?xpacket end='w'?>"
    ).encode()


def _saved(form: str, picture: Image.Image | None = None, **how: object) -> bytes:
    file = io.BytesIO()
    (picture or draw(7, _SIZE)).save(file, form, **how)
    return file.getvalue()


def with_xmp(jpeg: bytes, data: bytes) -> bytes:
    return with_segments(jpeg, segment(0xE1, XMP_HEADER + data))


def declared(encoding: str) -> bytes:
    """XMP in an encoding that it names at its beginning."""
    text = packet("<odd:thing>Tür</odd:thing>").decode().replace("\ufeff", "")
    return with_xmp(plain(), f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))


def plain() -> bytes:
    return jpeg_bytes(7, size=_SIZE)


def busy() -> bytes:
    """EXIF with maker's notes and a thumbnail, a profile, a comment, XMP and IPTC."""
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0112], block[0x010E] = "Odd", "Model", 6, "Tür"
    block.get_ifd(0x8769)[0x927C] = b"Odd\0" + random.Random(1).randbytes(300)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = _saved("JPEG", exif=block, icc_profile=profile, comment=b"a comment", quality=80)
    return with_segments(
        data, segment(0xE1, XMP_HEADER + packet()), segment(0xED, iptc(["dog"])), segment(0xEC, b"Ducky\0\0\0")
    )


def progressive_cmyk() -> bytes:
    return _saved("JPEG", draw(7, _SIZE).convert("CMYK"), progressive=True)


def tagged() -> bytes:
    return jpeg_bytes(7, size=_SIZE, camera=("SONY", "ILCE-7"), gps=(46.5, 7.9), keywords=("dog", "a, b"))


def motion() -> bytes:
    """A phone's photo with a film behind it."""
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + random.Random(2).randbytes(5000)
    said = packet(attributes=f"crs:HasCrop='True' odd:MicroVideo='1' odd:MicroVideoOffset='{len(film)}'")
    return with_xmp(plain(), said) + film


def several(data: bytes = b"") -> bytes:
    """Two pictures in one file, with an index of where they lie (CIPA DC-007) before the XMP."""
    return _saved("MPO", save_all=True, append_images=[draw(8, _SIZE)], quality=80, xmp=data)


def with_extended(inside: str = "") -> bytes:
    """XMP in three segments."""
    return with_extension(plain(), inside)


def with_extension(jpeg: bytes, inside: str = "") -> bytes:
    """`jpeg` with XMP in three segments."""
    text = inside or f"<odd:depth>{escape('0123456789' * 9000)}</odd:depth>"
    more = packet(text, "crs:Sharpness='25'")
    main = packet(attributes=f"xmpNote:HasExtendedXMP='{GUID.decode()}'")
    pieces = [
        segment(0xE1, EXTENDED_HEADER + GUID + struct.pack(">II", len(more), at) + more[at : at + 65_000])
        for at in range(0, len(more), 65_000)
    ]
    return with_segments(jpeg, segment(0xE1, XMP_HEADER + main), *pieces)


def latin() -> bytes:
    """IPTC of an old program: Latin 1 without saying so, and a caption."""
    caption = "Tür".encode("latin-1")
    records = b"\x1c\x02\x19\x00\x04Haus\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + b"\0" * (len(records) % 2)
    other = b"8BIM\x03\xed\0\0" + struct.pack(">I", 16) + bytes(range(16))
    return with_segments(plain(), segment(0xED, b"Photoshop 3.0\0" + other + resource))


def png() -> bytes:
    return _saved("PNG")


def busy_png() -> bytes:
    said = PngInfo()
    said.add_text("Title", "Sea")
    said.add_itxt("XML:com.adobe.xmp", packet().decode(), zip=True)
    data = _saved("PNG", pnginfo=said, exif=exif(camera=("SONY", "ILCE-7"), orientation=6))
    late = _chunk(b"tEXt", b"Comment\0after the picture")
    return data[:-12] + late + data[-12:] + b"a trailer"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def animated_png() -> bytes:
    return _saved("PNG", save_all=True, append_images=[draw(8, _SIZE)], duration=100)


def webp() -> bytes:
    return _saved("WEBP")


def lossless_webp() -> bytes:
    return _saved("WEBP", draw(7, _SIZE).convert("RGBA"), lossless=True)


def animated_webp() -> bytes:
    return _saved("WEBP", save_all=True, append_images=[draw(8, _SIZE)], duration=100, exif=exif(orientation=6))


def busy_webp() -> bytes:
    return _saved("WEBP", xmp=packet(), exif=exif(camera=("SONY", "ILCE-7")))


def tiff() -> bytes:
    return _saved("TIFF")


NOTES = b"Apple iOS\0\0\x01MM" + struct.pack(">HHHIII", 1, 1, 9, 1, 14, 0)
"""Notes of a maker whom exiftool knows: one number, 14."""


def busy_tiff(notes: bytes = NOTES, *, each_page: bool = False) -> bytes:
    """Two pages, one of them compressed, EXIF with maker's notes, XMP and IPTC."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[271] = "SONY"
    info[34665] = {0x9003: "2020:01:01 00:00:00", 0x927C: notes}
    info[700] = packet()
    info.tagtype[700] = 1
    info[33723] = _records("dog")
    info.tagtype[33723] = 7
    more = TiffImagePlugin.ImageFileDirectory_v2()
    more[700] = packet()
    more.tagtype[700] = 1
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as pages:
        draw(7, _SIZE).save(pages, "TIFF", tiffinfo=info)
        pages.newFrame()
        draw(8, _SIZE).save(pages, "TIFF", compression="tiff_lzw", tiffinfo=more if each_page else {})
        pages.finalize()
    return file.getvalue()


def big_tiff() -> bytes:
    """Big end first, sixteen bits a pixel."""
    return _saved("TIFF", Image.frombytes("I;16B", _SIZE, random.Random(3).randbytes(2 * 96 * 64)))


def _records(*keywords: str) -> bytes:
    sets = b"\x1c\x01\x5a\x00\x03\x1b%G"
    for keyword in keywords:
        text = keyword.encode()
        sets += b"\x1c\x02\x19" + struct.pack(">H", len(text)) + text
    return sets


def dng() -> bytes:
    """No camera's, but with the marks of one, and the tiles in a directory below the first."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[50706], info[50708] = b"\x01\x04\0\0", "Odd Model"
    info.tagtype[50706], info.tagtype[50708] = 1, 2
    return _saved("TIFF", tiffinfo=info)


def heic() -> bytes:
    return heic_bytes(7, size=_SIZE)


def busy_heic() -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return _saved("HEIF", exif=exif(camera=("Apple", "iPhone 8"), orientation=6), xmp=packet())


KINDS: Mapping[str, Callable[[], bytes]] = {
    "plain.jpg": plain,
    "busy.jpg": busy,
    "cmyk.jpg": progressive_cmyk,
    "tagged.jpg": tagged,
    "motion.jpg": motion,
    "several.jpg": several,
    "indexed.jpg": lambda: several(packet()),
    "extended.jpg": with_extended,
    "latin.jpg": latin,
    "plain.png": png,
    "busy.png": busy_png,
    "animated.png": animated_png,
    "plain.webp": webp,
    "lossless.webp": lossless_webp,
    "animated.webp": animated_webp,
    "busy.webp": busy_webp,
    "plain.tif": tiff,
    "busy.tif": busy_tiff,
    "big.tif": big_tiff,
    "odd.dng": dng,
    "plain.heic": heic,
    "busy.heic": busy_heic,
}


def _second_packet() -> bytes:
    return with_xmp(with_xmp(plain(), packet()), packet())


def _wide_packet() -> bytes:
    return with_xmp(plain(), packet(f"<odd:thing>{'x' * 64_000}</odd:thing>"))


def _between_segments() -> bytes:
    data = plain()
    return data[:20] + b"odd" + data[20:]


REFUSED: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "cut.jpg": (lambda: plain()[:-500], "ends early"),
    "empty.jpg": (lambda: b"", "is empty"),
    "text.jpg": (lambda: b"not a picture at all, but long enough", "not a picture"),
    "film.gif": (lambda: _saved("GIF"), "does not write into GIF"),
    "two.jpg": (_second_packet, "2 packets"),
    "broken.jpg": (lambda: with_xmp(plain(), packet()[:-200].replace(b"</rdf:RDF>", b"")), "well-formed"),
    "entities.jpg": (lambda: with_xmp(plain(), b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + xmp()), "document type"),
    "wide.jpg": (_wide_packet, "not fit into one segment"),
    "between.jpg": (_between_segments, "between its segments"),
    "keywords.jpg": (
        lambda: with_extended("<dc:subject><rdf:Bag><rdf:li>dog</rdf:li></rdf:Bag></dc:subject>"),
        "extended XMP",
    ),
    "control.jpg": (
        lambda: with_segments(plain(), segment(0xED, iptc(["bell \x07", "dog"]))),
        r"the character U\+0007",
    ),
    "sixteen.jpg": (lambda: declared("utf-16"), "well-formed"),
    "headless.jpg": (
        lambda: with_extended().replace(XMP_HEADER, b"http://ns.adobe.com/xap/9.0/\0"),
        "lost its beginning",
    ),
    "iptc.jpg": (
        lambda: with_segments(plain(), segment(0xED, b"Photoshop 3.0\0" + iptc(["dog"])[14:-4])),
        "end early",
    ),
    "pages.tif": (lambda: busy_tiff(each_page=True), "a further page"),
    "camera.nef": (tiff, "does not write into NEF"),
    "notes.tif": (lambda: busy_tiff(b"Odd\0" + bytes(range(200))), "Maker notes could not be parsed"),
    "cut.png": (lambda: png()[:-20], "ends early"),
    "cut.heic": (lambda: heic()[:-20], "ends early"),
}

"""Which colour word a colour is: the nearest of a palette in OKLab. Pure.

The words are the eleven basic colour terms of English (Berlin and Kay, *Basic Color Terms*, 1969) with
turquoise, which has become one since (Mylonas and MacDonald, 2016), and beige and olive, without which sand and
dry grass would be yellow. The colours behind a word are those of CSS Color Module Level 4 that are usually
called by it, and, written as numbers, dark and greyish ones that CSS lacks and photos are full of. Distances
are Euclidean in OKLab (B. Ottosson, *A perceptual color space for image processing*, 2020).
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import repeat
from typing import TypeAlias

from PIL import ImageColor

Lab: TypeAlias = tuple[float, float, float]
"""OKLab: lightness 0..1, and two axes of colour around 0; for sRGB within ±0.4."""

VERSION = 1
"""Raised when the palette names colours otherwise."""

COLOURS = {
    "black": "black #181818 #1c1a18 #181c20 #201c1c #221c1a #2b292b",
    "grey": """dimgrey grey darkgrey silver lightgrey gainsboro slategrey lightslategrey #404040 #303234 #505254
        #6f6a66 #8f8a84 #b0aca6 #c6b9b1 #8a9094 #c4c8cc #5a5f64""",
    "white": """white snow ghostwhite whitesmoke mintcream azure aliceblue floralwhite ivory seashell #f0ece8
        #ececf0 #ecdfda""",
    "red": "red crimson firebrick indianred darkred maroon #e0301e #5c0a14 #a03038 #c8102e #7a2a30",
    "orange": "orange darkorange coral tomato sandybrown #f06a20 #e88a30 #ffb347 #d8701c #de8e5c #fbb07c",
    "yellow": """yellow gold khaki lightgoldenrodyellow lemonchiffon goldenrod #e8d44a #f5e27a #d4c02c
        #fff68f""",
    "green": """green lime darkgreen forestgreen seagreen mediumseagreen limegreen lawngreen chartreuse
        greenyellow springgreen mediumspringgreen lightgreen palegreen darkseagreen yellowgreen #1e3a1e #2f4a34
        #4a6a44 #6a8a5a #8aa87c #5c7060 #87a08c #b4ceb0 #2a3426 #4c5c40 #12281c #cedb9f #49d0a3 #a6e2ca
        #337762 #94a6a0""",
    "turquoise": """turquoise mediumturquoise darkturquoise aquamarine mediumaquamarine cyan lightseagreen
        darkcyan teal paleturquoise cadetblue #0e4a4c #2f7f80 #8fc8c4 #5f9090""",
    "blue": """blue mediumblue darkblue navy midnightblue royalblue cornflowerblue dodgerblue deepskyblue
        skyblue lightskyblue lightblue powderblue steelblue lightsteelblue darkslateblue slateblue
        mediumslateblue #20304a #34506e #5a7896 #8aa4c0 #a8c8e8 #18243c #c4d8ec #506880 #7890a8 #2c3e58""",
    "purple": """purple indigo darkviolet blueviolet darkorchid darkmagenta mediumorchid mediumpurple
        rebeccapurple violet orchid plum thistle magenta #3a2040 #5a3f66 #86709a #a890b8 #4a2a5a #6c4a72
        #d429b9""",
    "pink": """pink lightpink hotpink deeppink palevioletred mediumvioletred salmon lightsalmon lightcoral
        mistyrose #e0a0a8 #f0c0c8 #d88890 #c87888 #f4d0d4 #cbadb7""",
    "brown": """brown saddlebrown sienna chocolate peru rosybrown #3a2418 #4a3424 #5c4030 #6e4c34 #805c40
        #96704c #a88460 #7c6450 #5a4a3c #2c1e16 #704030 #8c6a58 #40342c #6a5a4a #571a07 #610f12""",
    "beige": """beige wheat tan burlywood bisque moccasin navajowhite antiquewhite papayawhip blanchedalmond
        linen oldlace cornsilk palegoldenrod peachpuff #d8c8a8 #c8b898 #e4d4c0 #cdbfae #bca890
        #b09a7c #ddc9b4""",
    "olive": "olive olivedrab darkolivegreen darkkhaki #5a5628 #6e6a3c #8c8450 #403c1c #a09a5c #77724a #35301c",
}
"""Word → its colours, as CSS writes them."""

NEUTRAL = ("black", "grey", "white")

_CHROMA_COUNTS = 2.0
"""So much more than lightness: a shadow on a red wall is red rather than brown."""


@lru_cache(maxsize=1 << 15)
def word_of(red: int, green: int, blue: int) -> str:
    """The word for a colour of sRGB, each part 0..255."""
    words, places = _palette()
    away = list(map(math.dist, places, repeat(_weighed(red, green, blue))))
    return words[away.index(min(away))]


@lru_cache(maxsize=1 << 15)
def chroma_of(red: int, green: int, blue: int) -> float:
    """How far from grey a colour of sRGB is, in OKLab: 0 is grey, 0.32 the most that a screen can show."""
    return math.hypot(*oklab(red, green, blue)[1:])


def oklab(red: int, green: int, blue: int) -> Lab:
    """A colour of sRGB, each part 0..255, in OKLab."""
    r, g, b = (_linear(part / 255) for part in (red, green, blue))
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear(part: float) -> float:
    """IEC 61966-2-1."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _weighed(red: int, green: int, blue: int) -> Lab:
    lightness, a, b = oklab(red, green, blue)
    return lightness, _CHROMA_COUNTS * a, _CHROMA_COUNTS * b


@lru_cache(maxsize=1)
def _palette() -> tuple[tuple[str, ...], tuple[Lab, ...]]:
    """Words and where their colours are, in the same order."""
    pairs = [(word, name) for word, names in COLOURS.items() for name in names.split()]
    return tuple(word for word, _ in pairs), tuple(_weighed(*ImageColor.getrgb(name)[:3]) for _, name in pairs)

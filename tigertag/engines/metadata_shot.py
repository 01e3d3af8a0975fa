"""How a photo was exposed, and the words for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2

from tigertag.blocks.fields import number, within

_SHUTTER, _APERTURE, _ISO, _FOCAL = 0x829A, 0x829D, 0x8827, 0x920A
_DISTANCE, _FLASH, _ZOOM, _FOCAL_35, _RANGE = 0x9206, 0x9209, 0xA404, 0xA405, 0xA40C

_FIRED = 1
_MACRO = 1
"""SubjectDistanceRange (EXIF 2.32): macro."""

LONG_SECONDS = 1.0
NEAR_METRES = 0.3
WIDE_MM, TELE_MM = 35.0, 70.0
"""Between them lie normal lenses, in terms of 35 mm film."""
BRIGHT_EV, DARK_EV = 13.0, 4.0
"""At ISO 100: hazy sun is 14, a heavy overcast 12; a room at night 5, a street at night 4, a lit front 3."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How a photo was exposed; None: unknown."""

    seconds: float | None = None
    aperture: float | None = None
    """The f-number."""
    iso: float | None = None
    focal: float | None = None
    """Millimetres."""
    focal_35: float | None = None
    """Millimetres of a lens with the same view on 35 mm film."""
    metres: float | None = None
    """To the subject."""
    is_macro: bool = False
    """The camera was set to it."""
    flash: bool = False
    """It fired."""
    zoom: float = 1.0
    """How much of it was done by cutting out."""

    @property
    def exposure_value(self) -> float | None:
        """How bright the scene was as the camera took it: EV at ISO 100."""
        if not self.seconds or not self.aperture or not self.iso:
            return None
        return log2(self.aperture**2 / self.seconds) - log2(self.iso / 100)

    @property
    def measures(self) -> dict[str, float]:
        """What is known, by its name: seconds, f-number, ISO, millimetres, EV at ISO 100."""
        found = {
            "exposure time": self.seconds,
            "aperture": self.aperture,
            "iso": self.iso,
            "focal length": self.focal,
            "focal length on 35 mm film": self.focal_35,
            "exposure value": self.exposure_value,
        }
        return {name: round(value, 6) for name, value in found.items() if value is not None}


def shot(details: Mapping[int, object]) -> Shot:
    """From the directory of the exposure."""
    iso = details.get(_ISO)
    flash = number(details.get(_FLASH))
    return Shot(
        seconds=within(number(details.get(_SHUTTER)), 0, 1e6),
        aperture=within(number(details.get(_APERTURE)), 0, 1e3),
        iso=within(number(iso[0] if isinstance(iso, tuple) and iso else iso), 1, 1e8),
        focal=within(number(details.get(_FOCAL)), 0, 1e5),
        focal_35=within(number(details.get(_FOCAL_35)), 1, 1e5),
        metres=within(number(details.get(_DISTANCE)), 0.001, 1e5),
        is_macro=number(details.get(_RANGE)) == _MACRO,
        flash=flash is not None and 0 <= flash < 1 << 16 and bool(int(flash) & _FIRED),
        zoom=within(number(details.get(_ZOOM)), 1, 1e3) or 1.0,
    )


def exposure_words(shot: Shot) -> Iterator[str]:
    if shot.seconds is not None and shot.seconds >= LONG_SECONDS:
        yield "long exposure"
    if shot.flash:
        yield "flash"
    if shot.is_macro or (shot.metres is not None and shot.metres <= NEAR_METRES):
        yield "macro"


def view_words(shot: Shot) -> Iterator[str]:
    """By the angle of view, which is known only where the camera tells the focal length on 35 mm film."""
    if shot.focal_35 is not None and shot.focal_35 < WIDE_MM:
        yield "wide"
    if shot.focal_35 is not None and shot.focal_35 > TELE_MM:
        yield "tele"
    if shot.zoom > 1:
        yield "zoom"


def brightness_words(shot: Shot) -> Iterator[str]:
    """A flash is bright enough for the dark, so with one nothing is known."""
    value = shot.exposure_value
    if value is None or shot.flash:
        return
    if value >= BRIGHT_EV:
        yield "bright"
    elif value <= DARK_EV:
        yield "dark"

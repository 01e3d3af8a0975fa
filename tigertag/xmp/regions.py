"""Faces with names that other programs marked, by the Metadata Working Group's scheme and Microsoft's. Pure.

Both give fractions of the picture as it is stored, before its orientation is applied. The group's Area holds
the centre (Guidelines for Handling Image Metadata 2.0, Image Regions), Microsoft's Rectangle the left upper
corner.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from tigertag.model import Box, fold

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_MWG = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_SIZE = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
_INFO = "{http://ns.microsoft.com/photo/1.2/t/RegionInfo#}"
_REGION = "{http://ns.microsoft.com/photo/1.2/t/Region#}"

_MOST = 200
_SAME = 0.4
"""Boxes of one name that share so much of their union are one face, marked by two programs."""
_CROPPED = 0.02
"""A picture whose sides stand so much otherwise to each other than when its faces were marked was cropped."""


@dataclass(frozen=True, slots=True)
class Region:
    """A person's face, in fractions of the upright picture."""

    name: str
    box: Box


def faces(tree: Element, orientation: int, size: tuple[int, int] | None = None) -> tuple[Region, ...]:
    """The named faces of a packet, each once, the group's first; boxes reach no further than the picture.

    `orientation` is that of EXIF, 1 to 8; another counts as 1. `size` is that of the picture, turned or not:
    faces of a picture that was cropped since are left out. So are pets, bar codes and faces without a name.
    """
    found: list[Region] = []
    for name, stored in (*_group(tree, size), *_microsoft(tree)):
        box = _within(upright(stored, orientation))
        if box is not None and name.strip() and len(found) < _MOST:
            region = Region(" ".join(name.split()), box)
            if not any(
                fold(each.name) == fold(region.name) and overlap(each.box, box) > _SAME for each in found
            ):
                found.append(region)
    return tuple(found)


def upright(box: Box, orientation: int) -> Box:
    """From fractions of the stored picture to those of the upright one."""
    x, y, w, h = box.x, box.y, box.width, box.height
    return {
        2: Box(1 - x - w, y, w, h),
        3: Box(1 - x - w, 1 - y - h, w, h),
        4: Box(x, 1 - y - h, w, h),
        5: Box(y, x, h, w),
        6: Box(1 - y - h, x, h, w),
        7: Box(1 - y - h, 1 - x - w, h, w),
        8: Box(y, 1 - x - w, h, w),
    }.get(orientation, box)


def stored(box: Box, orientation: int) -> Box:
    """From fractions of the upright picture to those of the stored one."""
    return upright(box, {6: 8, 8: 6}.get(orientation, orientation))


def overlap(one: Box, other: Box) -> float:
    """The share of their union that two boxes have in common."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(width, 0) * max(height, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def _within(box: Box) -> Box | None:
    """What of a box lies inside the picture; None where that is nothing."""
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    right, bottom = min(box.x + box.width, 1.0), min(box.y + box.height, 1.0)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


# ── the two schemes ───────────────────────────────────────────────────────────────────────────────────────


def _group(tree: Element, size: tuple[int, int] | None) -> Iterator[tuple[str, Box]]:
    for regions in tree.iter(f"{_MWG}Regions"):
        applied = _numbers(_inside(regions, f"{_MWG}AppliedToDimensions"), [f"{_SIZE}w", f"{_SIZE}h"])
        if size and applied and not _is_alike(size, (applied[0], applied[1])):
            continue
        for item in _items(regions, f"{_MWG}RegionList"):
            if _text(item, f"{_MWG}Type").casefold() not in ("", "face"):
                continue
            area = _inside(item, f"{_MWG}Area")
            numbers = _numbers(area, [f"{_AREA}{side}" for side in "xywh"])
            if numbers and _text(area, f"{_AREA}unit").casefold() in ("", "normalized"):
                x, y, width, height = numbers
                yield _text(item, f"{_MWG}Name"), Box(x - width / 2, y - height / 2, width, height)


def _is_alike(size: tuple[int, int], applied: tuple[float, float]) -> bool:
    """Whether two sizes have the same shape, whichever of them is turned."""
    if min(*size, *applied) <= 0:
        return False
    now, then = sorted(size), sorted(applied)
    return abs(now[0] / now[1] - then[0] / then[1]) <= _CROPPED


def _microsoft(tree: Element) -> Iterator[tuple[str, Box]]:
    for regions in tree.iter():
        for item in _items(regions, f"{_INFO}Regions"):
            sides = _text(item, f"{_REGION}Rectangle").split(",")
            numbers = [_number(side) for side in sides]
            if len(numbers) == 4 and None not in numbers:
                x, y, width, height = (number or 0.0 for number in numbers)
                yield _text(item, f"{_REGION}PersonDisplayName"), Box(x, y, width, height)


# ── both ways to write a structure ────────────────────────────────────────────────────────────────────────


def _parts(node: Element) -> tuple[Element, ...]:
    """A structure's own element, and the `rdf:Description` that Lightroom wraps its fields in."""
    return (node, *node.findall(f"{_RDF}Description"))


def _inside(node: Element | None, name: str) -> Element | None:
    """A field that is a structure."""
    if node is None:
        return None
    return next((found for part in _parts(node) if (found := part.find(name)) is not None), None)


def _items(node: Element, name: str) -> Iterable[Element]:
    """The items of a list that is a field of `node` itself."""
    found = _inside(node, name)
    return () if found is None else found.iterfind(f"*/{_RDF}li")


def _text(node: Element | None, name: str) -> str:
    """A field that is a text: an attribute, or an element."""
    for part in _parts(node) if node is not None else ():
        if name in part.attrib:
            return part.attrib[name].strip()
        found = part.find(name)
        if found is not None:
            return (found.text or "").strip()
    return ""


def _numbers(node: Element | None, names: list[str]) -> list[float] | None:
    """All of them, or None where one is none."""
    found = [number for name in names if (number := _number(_text(node, name))) is not None]
    return found if len(found) == len(names) else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e6 else None

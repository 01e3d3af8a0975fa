"""Faces that other programs marked, in both schemes, both shapes and all eight orientations."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageDraw

from tigertag.model import Box
from tigertag.xmp.regions import faces, overlap, stored, upright

SPACES = " ".join(
    f'xmlns:{prefix}="{name}"'
    for prefix, name in {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
        "MP": "http://ns.microsoft.com/photo/1.2/",
        "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
        "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    }.items()
)
ANNA = Box(0.1, 0.2, 0.2, 0.4)
"""Of the stored picture."""


def tree(inside: str) -> Element:
    found: Element = fromstring(f"<rdf:RDF {SPACES}><rdf:Description>{inside}</rdf:Description></rdf:RDF>")
    return found


def by_exiftool(box: Box = ANNA, name: str = "Anna", kind: str = "Face", size: str = "4000,3000") -> str:
    width, height = size.split(",")
    return f"""<mwg-rs:Regions rdf:parseType='Resource'>
      <mwg-rs:AppliedToDimensions rdf:parseType='Resource'><stDim:h>{height}</stDim:h>
       <stDim:unit>pixel</stDim:unit><stDim:w>{width}</stDim:w></mwg-rs:AppliedToDimensions>
      <mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType='Resource'>
       <mwg-rs:Area rdf:parseType='Resource'><stArea:h>{box.height}</stArea:h>
        <stArea:unit>normalized</stArea:unit><stArea:w>{box.width}</stArea:w>
        <stArea:x>{box.x + box.width / 2}</stArea:x>
        <stArea:y>{box.y + box.height / 2}</stArea:y></mwg-rs:Area>
       <mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Type>{kind}</mwg-rs:Type>
      </rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""


def by_lightroom(box: Box = ANNA, name: str = "Anna") -> str:
    return f"""<mwg-rs:Regions rdf:parseType="Resource">
      <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
      <mwg-rs:RegionList><rdf:Bag><rdf:li>
       <rdf:Description mwg-rs:Rotation="0.00000" mwg-rs:Name="{name}" mwg-rs:Type="Face">
        <mwg-rs:Area stArea:h="{box.height}" stArea:w="{box.width}" stArea:x="{box.x + box.width / 2}"
         stArea:y="{box.y + box.height / 2}"/></rdf:Description>
      </rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""


def by_windows(box: Box = ANNA, name: str = "Anna") -> str:
    return f"""<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li>
      <rdf:Description MPReg:Rectangle="{box.x}, {box.y}, {box.width}, {box.height}"
       MPReg:PersonDisplayName="{name}"/></rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"""


def by_digikam(box: Box = ANNA, name: str = "Anna") -> str:
    """digiKam writes both; Microsoft's as a structure without a wrapper."""
    return (
        by_exiftool(box, name)
        + f"""<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li
       MPReg:Rectangle="{box.x},{box.y},{box.width},{box.height}" MPReg:PersonDisplayName="{name}"/>
      </rdf:Bag></MPRI:Regions></MP:RegionInfo>"""
    )


def near(one: Box, other: Box) -> bool:
    return overlap(one, other) > 0.999


@pytest.mark.parametrize("written", [by_exiftool(), by_lightroom(), by_windows(), by_digikam()])
def test_a_named_face_is_read_once_from_each_programs_shape(written: str) -> None:
    """metadata.md, section 2: centre here, corner there; two XML shapes."""
    (found,) = faces(tree(written), 1, (4000, 3000))
    assert found.name == "Anna" and near(found.box, ANNA)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_lies_where_a_viewer_shows_the_face(orientation: int) -> None:
    """Against Pillow: a rectangle drawn into the stored picture, found again in the upright one."""
    picture = Image.new("L", (200, 100))
    ImageDraw.Draw(picture).rectangle((20, 20, 59, 59), fill=255)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    shown = picture if turn is None else picture.transpose(turn)
    left, top, right, bottom = shown.getbbox() or (0, 0, 0, 0)
    seen = Box(
        left / shown.width, top / shown.height, (right - left) / shown.width, (bottom - top) / shown.height
    )
    (found,) = faces(tree(by_exiftool(ANNA, size="200,100")), orientation, shown.size)
    assert near(found.box, seen) and near(upright(ANNA, orientation), seen)
    assert near(stored(seen, orientation), ANNA)


def test_two_people_of_one_name_are_two_and_one_marked_twice_is_one() -> None:
    other = Box(0.7, 0.2, 0.2, 0.4)
    found = faces(tree(by_exiftool() + by_windows(other) + by_windows(Box(0.11, 0.2, 0.2, 0.4))), 1)
    assert [region.name for region in found] == ["Anna", "Anna"]
    assert near(found[1].box, other)


@pytest.mark.parametrize(
    "written",
    [
        by_exiftool(name=""),
        by_exiftool(name="  "),
        by_exiftool(kind="Pet"),
        by_exiftool(kind="BarCode"),
        by_exiftool(size="3000,3000"),  # cropped since
        by_exiftool(size="0,0"),
        by_exiftool().replace("normalized", "pixel"),
        by_exiftool(Box(0.1, 0.1, 0, 0)),
        by_exiftool(Box(2, 2, 0.1, 0.1)),
        by_lightroom().replace('stArea:w="0.2"', 'stArea:w="nan"'),
        by_lightroom().replace('stArea:w="0.2"', 'stArea:w="wide"'),
        by_lightroom().replace('stArea:w="0.2"', ""),
        by_windows().replace("0.1, ", ""),
        by_windows().replace("0.1, ", "inf, "),
        by_windows(name=""),
    ],
)
def test_what_is_no_named_face_of_this_picture_is_left_out(written: str) -> None:
    assert faces(tree(written), 1, (4000, 3000)) == ()


def test_a_box_reaches_no_further_than_the_picture_and_names_are_tidy() -> None:
    (found,) = faces(tree(by_windows(Box(-0.1, 0.9, 0.5, 0.5), name=" Anna &amp;\n Bert ")), 1)
    assert found.name == "Anna & Bert" and near(found.box, Box(0, 0.9, 0.4, 0.1))


def test_ten_thousand_faces_are_capped() -> None:
    marks = "".join(by_windows(Box(n / 10_000, 0, 0.0001, 0.1), f"P{n}") for n in range(10_000))
    assert len(faces(tree(marks), 1)) == 200

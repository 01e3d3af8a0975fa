"""What others wrote into a sidecar, told from what TigerTag put there."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest

from tests.pictures import xmp
from tigertag.blocks.beside import digest, theirs
from tigertag.blocks.xmp import values
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import Field, Fields, Tag, Way
from tigertag.xmp.merging import Edit, made, merged
from tigertag.xmp.packet import Packet

SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
DEVELOP = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.50"'


def written(source: bytes, edit: Edit, beside: Fields | None = None) -> bytes:
    """A sidecar after TigerTag has written to it; of an empty one, after it was made."""
    packet = Packet.parse(source) if source else Packet.new()
    wanted = merged(packet.fields(), edit, Way(), beside)
    packet.apply(wanted if source else made(wanted))
    return packet.to_bytes()


def keywords(tree: Element | None) -> Iterator[str]:
    return values(tree, SUBJECT)


DOG = Edit((Tag("dog", ("animal",), ("imagga",)),), caption="A dog on grass")


def test_what_tigertag_put_there_is_no_evidence_and_changes_nothing() -> None:
    source = xmp(["Grandma"], tags=["People/Grandma"], more=DEVELOP)
    after = written(source, DOG)
    assert after != source
    assert list(keywords(theirs(after))) == ["Grandma"]
    assert digest(after) == digest(source) != ""
    assert digest(written(after, Edit(remove=("dog",)))) == digest(source)


def test_a_sidecar_of_our_making_says_nothing_however_much_it_carries_over_from_the_photo() -> None:
    inside = Fields({Field.SUBJECT: ("Holiday",), Field.IPTC: ("Aunt Ada",)})
    after = written(b"", DOG, inside)
    assert b"Holiday" in after and b"A dog on grass" in after
    assert (theirs(after), digest(after)) == (None, "")


def test_what_a_person_adds_to_our_sidecar_is_theirs() -> None:
    after = written(b"", DOG)
    packet = Packet.parse(after)
    now = packet.fields()
    packet.apply(
        Fields({**now.values, Field.SUBJECT: (*now.of(Field.SUBJECT), "Beach")}, now.caption, now.provenance)
    )
    assert list(keywords(theirs(packet.to_bytes()))) == ["Beach"]
    assert digest(packet.to_bytes()) != ""


def test_taking_our_own_tag_out_of_one_field_is_no_new_evidence() -> None:
    source = written(xmp(["Grandma"]), DOG)
    packet = Packet.parse(source)
    now = packet.fields()
    packet.apply(Fields({**now.values, Field.SUBJECT: ("Grandma",)}, now.caption, now.provenance))
    assert digest(packet.to_bytes()) == digest(source)


@pytest.mark.parametrize(
    "fields",
    [
        "<rdf:Bag><rdf:li>Grandma</rdf:li></rdf:Bag>",
        "<rdf:Seq><rdf:li>Grandma</rdf:li></rdf:Seq>",
        "<rdf:Bag><rdf:li rdf:parseType='Resource'><rdf:value>Grandma</rdf:value></rdf:li></rdf:Bag>",
        "Grandma",
    ],
)
def test_a_keyword_is_read_from_any_container(fields: str) -> None:
    inside = f"<dc:subject>{fields}</dc:subject></rdf:Description>"
    source = xmp().replace(b"</rdf:Description>", inside.encode())
    assert list(keywords(theirs(source))) == ["Grandma"]


def test_how_a_sidecar_is_set_out_makes_no_difference_but_what_it_says_does() -> None:
    source = xmp(["a", "b"], more=DEVELOP)
    assert digest(source.replace(b"><", b">\n   <")) == digest(source)
    assert digest(b"\xef\xbb\xbf" + source + b"\n") == digest(source)
    assert digest(xmp(["a", "b"], more=DEVELOP.replace("0.50", "0.75"))) != digest(source)
    assert digest(xmp(["a"], more=DEVELOP)) != digest(source)


HOSTILE = {
    "no XML": b"not xml",
    "nothing": b"",
    "cut": xmp(["a"])[:200],
    "another document": b"<html><body/></html>",
    "entities": b"<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;'>]><a>&z;</a>",
    "another file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "deep": b"<a>" * 100_000,
    "many": b"<a>" + b"<b/>" * 400_000,
    "large": xmp(["a"]) + b" " * (16 << 20) + b".",
    "an unknown encoding": b'<?xml version="1.0" encoding="none"?><a/>',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_sidecar_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(BadPacket, match=r"^it "):
        digest(content)

"""Packets as programs write them: read, edited in place, and left alone where they are none."""

from __future__ import annotations

import pytest

from tests.pictures import xmp
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import Field, Fields, Tag, Way
from tigertag.xmp.merging import Edit, merged
from tigertag.xmp.packet import Packet

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
NS = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
LIGHTROOM = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF {RDF}>
  <!-- by hand -->
  <rdf:Description {NS} rdf:about="" crs:Version="15.0" crs:Note="a&#10;b &quot;c&quot; &lt;">
   <crs:ToneCurvePV2012>
    <rdf:Seq>
     <rdf:li>0, 0</rdf:li>
     <rdf:li>255, 255&#13;</rdf:li>
    </rdf:Seq>
   </crs:ToneCurvePV2012>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>beach</rdf:li>
     <rdf:li xml:lang="en">sea</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <dc:rights><![CDATA[<me>]]></dc:rights>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
SUBJ = DC.replace("dc=", "subj=")
DOG = Edit((Tag("dog", ("animal",), ("imagga",)),), caption="A <dog> & me")


def edited(source: bytes, edit: Edit, way: Way | None = None) -> bytes:
    packet = Packet.parse(source)
    packet.apply(merged(packet.fields(), edit, way or Way()))
    return packet.to_bytes()


def test_what_is_not_ours_stays_as_it_was_and_ours_goes_without_a_trace() -> None:
    after = edited(LIGHTROOM, DOG)
    for line in LIGHTROOM.splitlines():
        assert line in after
    assert edited(after, Edit(remove=("dog",))) == LIGHTROOM


def digikam() -> bytes:
    """As exiv2 writes: attributes on lines of their own, four blanks before each."""
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" '
        b'x:xmptk="XMP Core 4.4.0-Exiv2">\n <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        b'  <rdf:Description rdf:about=""\n    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n    xmp:Rating="5"/>\n'
        b' </rdf:RDF>\n</x:xmpmeta>\n   \n<?xpacket end="w"?>'
    )


SPELLINGS = {
    "as Lightroom": LIGHTROOM,
    "as digiKam": digikam(),
    "lines of Windows": LIGHTROOM.replace(b"\n", b"\r\n"),
    "no line at the end": LIGHTROOM.rstrip(),
    "a byte order mark": b"\xef\xbb\xbf" + LIGHTROOM[LIGHTROOM.index(b"<x:") :],
    "a declaration": b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n" + LIGHTROOM,
    "single quotes": LIGHTROOM.replace(b'rdf:about=""', b"rdf:about='' crs:Said='\"yes\" > no'"),
    "blanks in tags": LIGHTROOM.replace(b"</rdf:li>", b"</rdf:li >").replace(b"<rdf:Bag>", b"<rdf:Bag  >"),
    "references": LIGHTROOM.replace(b"255, 255", b"255&#44; &#x32;55 &quot;&apos;&gt;"),
    "empty elements": LIGHTROOM.replace(
        b"   <dc:rights>", b"   <crs:A></crs:A><crs:B /><crs:C/>\n   <dc:rights>"
    ),
    "remarks everywhere": LIGHTROOM.replace(b"<x:x", b"<!-- > --><?a b?><x:x").replace(
        b"</x:x", b"<!----><?a?></x:x"
    ),
    "padding": LIGHTROOM.replace(b"<?xpacket end", (b" " * 100 + b"\n") * 20 + b"<?xpacket end"),
    "texts between": LIGHTROOM.replace(b"<rdf:Bag>", b"<rdf:Bag>\t\r\n "),
    "Latin letters": LIGHTROOM.replace(b"beach", "Größe 日本 😀".encode()),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_packet_is_the_same_to_the_byte_when_ours_is_taken_out(name: str) -> None:
    source = SPELLINGS[name]
    assert Packet.parse(source).to_bytes() == source
    after = edited(source, DOG)
    assert Packet.parse(after).fields().of(Field.TAGS_LIST)[-1] == "animal/dog"
    assert edited(edited(after, Edit((Tag("cat"),))), Edit(remove=("dog", "cat"))) == source


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-16", "UTF-16"), ("iso-8859-1", "ISO-8859-1"), ("utf-16-le", "")]
)
def test_a_packet_in_another_encoding_is_written_in_utf8(encoding: str, text: str) -> None:
    body = LIGHTROOM.decode()[LIGHTROOM.decode().index("<x:") :].replace("beach", "Größe")
    declared = f'<?xml version="1.0" encoding="{text}"?>{body}' if text else f"\ufeff{body}"
    after = edited(declared.encode(encoding), DOG)
    assert "Größe" in after.decode("utf-8")
    assert Packet.parse(after).fields().of(Field.SUBJECT) == ("Größe", "sea", "dog")


@pytest.mark.parametrize(
    "inside",
    [
        '<rdf:Description rdf:about="" crs:Version="1" xmlns:crs="urn:crs"/>',
        '<rdf:Description rdf:about=""/><rdf:Description xmlns:crs="urn:crs"><crs:a/></rdf:Description>',
        "",
        f"<rdf:Description {SUBJ}><subj:subject><rdf:Bag/></subj:subject></rdf:Description>",
        '<rdf:Description rdf:about="" xmlns:lr="urn:something-else" lr:a="1"/>',
    ],
)
def test_shapes_that_other_programs_write_take_ours_and_give_them_back(inside: str) -> None:
    source = f"<rdf:RDF {RDF}>{inside}</rdf:RDF>".encode()
    before = Packet.parse(source).fields()
    after = edited(source, DOG)
    found = Packet.parse(after).fields()
    assert (found.of(Field.TAGS_LIST), found.caption) == (("animal/dog",), "A <dog> & me")
    assert Packet.parse(edited(after, Edit(remove=("dog",)))).fields() == before


def test_lists_are_of_the_kind_that_readers_expect() -> None:
    """Rule 3 of section 1: Seq for TagsList, Bag for the others; digiKam flattens the tree otherwise."""
    packet = Packet.new()
    packet.apply(merged(packet.fields(), DOG, Way()))
    text = "".join(packet.to_bytes().decode().split())
    assert "<digiKam:TagsList><rdf:Seq>" in text
    for name in (
        "dc:subject",
        "lr:hierarchicalSubject",
        "MicrosoftPhoto:LastKeywordXMP",
        "mediapro:CatalogSets",
    ):
        assert f"<{name}><rdf:Bag>" in text
    assert '<dc:description><rdf:Alt><rdf:lixml:lang="x-default">' in text


def test_keywords_are_read_in_every_container_and_as_a_text_or_attribute() -> None:
    lists = (f"<rdf:{kind}><rdf:li>a</rdf:li></rdf:{kind}>" for kind in ("Bag", "Seq", "Alt"))
    shapes = [
        f"<rdf:Description {DC}><dc:subject>{one}</dc:subject></rdf:Description>" for one in (*lists, "a")
    ]
    shapes += [f'<rdf:Description {DC} dc:subject="a"/>']
    for shape in shapes:
        source = f"<rdf:RDF {RDF}>{shape}</rdf:RDF>".encode()
        assert Packet.parse(source).fields() == Fields({Field.SUBJECT: ("a",)})
        assert Packet.parse(edited(source, DOG)).fields().of(Field.SUBJECT) == ("a", "dog")


def test_a_caption_of_another_language_is_not_written_over() -> None:
    alt = '<rdf:Alt><rdf:li xml:lang="de">Hund</rdf:li></rdf:Alt>'
    inside = f"<rdf:Description {DC}><dc:description>{alt}</dc:description></rdf:Description>"
    source = f"<rdf:RDF {RDF}>{inside}</rdf:RDF>"
    assert Packet.parse(edited(source.encode(), DOG)).fields().caption == "Hund"


def test_a_packet_from_a_photo_with_padding_is_read() -> None:
    assert Packet.parse(xmp(["a"], hierarchy=["b|c"]) + b" " * 2000).fields().values == {
        Field.SUBJECT: ("a",),
        Field.HIERARCHY: ("b|c",),
    }


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0\0\0",
        b"<html><p>no packet</html>",
        b"<html/>",
        LIGHTROOM[:-60],
        LIGHTROOM.replace(b"beach", b"be\0ach"),
        LIGHTROOM.replace(b"beach", b"\xff\xfe"),
        f"{BOMB}<rdf:RDF {RDF}>&c;</rdf:RDF>".encode(),
        f'<!DOCTYPE a SYSTEM "file:///etc/passwd"><rdf:RDF {RDF}/>'.encode(),
        f"<rdf:RDF {RDF}>{'<a>' * 5000}{'</a>' * 5000}</rdf:RDF>".encode(),
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<" * ((16 << 20) + 1),
    ],
)
def test_what_is_no_packet_is_named_and_opens_nothing(source: bytes) -> None:
    """RELIABILITY M5, M16."""
    with pytest.raises(BadPacket):
        Packet.parse(source)

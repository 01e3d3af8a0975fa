"""What other readers find in a sidecar: exiftool, and a parser that is not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from tigertag.xmp.fields import Field, Fields, Tag, Way
from tigertag.xmp.merging import Edit, merged
from tigertag.xmp.packet import Packet

NAMES = (
    *("a, b", 'say "no"', "it's; so", "100% & more", "<b>", "🐕‍🦺 dog", "כלב גדול", "كلب", "x" * 300),
    *("Ça 2", "tab-less", "ﬁ", "日本", "-dash", "@at", "=is"),
)
BEFORE = Fields({Field.SUBJECT: ("beach",), Field.HIERARCHY: ("Travel|France|Paris",)})


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tags = tuple(Tag(name, ("animal",) if n % 2 else ()) for n, name in enumerate(NAMES))
    packet = Packet.new()
    packet.apply(BEFORE)
    packet.apply(merged(packet.fields(), Edit(tags, caption='A dog, "Rex" & co 🐕'), Way(root="Auto")))
    path = tmp_path_factory.mktemp("readers") / "a.jpg.xmp"
    path.write_bytes(packet.to_bytes())
    return path


LEAVES = {*NAMES, "beach", "Paris"}
PATHS: set[tuple[str, ...]] = {("beach",), ("Travel", "France", "Paris")}
PATHS |= {("Auto", "animal", name) if n % 2 else ("Auto", name) for n, name in enumerate(NAMES)}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_exiftool_reads_the_same_set_with_its_tree(sidecar: Path) -> None:
    command = ["exiftool", "-j", "-a", "-G1", "-charset", "utf8", "-x", "System:all", str(sidecar)]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert set(map(str, found["XMP-dc:Subject"])) == LEAVES
    for name, separator in (
        ("XMP-digiKam:TagsList", "/"),
        ("XMP-lr:HierarchicalSubject", "|"),
        ("XMP-microsoft:LastKeywordXMP", "/"),
        ("XMP-mediapro:CatalogSets", "|"),
    ):
        assert {tuple(value.split(separator)) for value in found[name]} == PATHS, name
    assert found["XMP-dc:Description"] == 'A dog, "Rex" & co 🐕'
    # Of Microsoft's namespace it knows the name without a slash at its end only.
    assert found.get("ExifTool:Warning", "MicrosoftPhoto").endswith("MicrosoftPhoto")


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_what_exiftool_has_written_anew_still_says_what_is_ours(sidecar: Path, tmp_path: Path) -> None:
    """Immich writes sidecars by exiftool: it keeps our namespace, and the record in it."""
    copy = tmp_path / "a.jpg.xmp"
    copy.write_bytes(sidecar.read_bytes())
    before = Packet.parse(copy.read_bytes()).fields()
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP:Rating=3", str(copy)], check=True)
    packet = Packet.parse(copy.read_bytes())
    assert packet.fields() == before
    packet.apply(merged(packet.fields(), Edit(remove=NAMES), Way(root="Auto")))
    assert packet.fields() == BEFORE and b"Rating" in packet.to_bytes()


def test_a_parser_that_is_not_ours_reads_the_same_set(sidecar: Path) -> None:
    tree: Element = fromstring(sidecar.read_bytes())
    rdf = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
    subject = tree.find(f".//{{http://purl.org/dc/elements/1.1/}}subject/{rdf}Bag")
    listed = tree.find(f".//{{http://www.digikam.org/ns/1.0/}}TagsList/{rdf}Seq")
    assert subject is not None and {item.text for item in subject} == LEAVES
    assert listed is not None and {tuple((item.text or "").split("/")) for item in listed} == PATHS

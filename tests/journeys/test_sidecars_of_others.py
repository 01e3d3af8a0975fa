"""Keywords, faces and places that other programs keep in sidecars, from the scan to the tags."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.journeys.world import different_pictures
from tests.pictures import jpeg_bytes, xmp
from tests.stage import STAGES, Mind, Stage
from tests.xmp.test_regions import ANNA, SPACES, by_exiftool, by_windows
from tigertag.model import Annotation, Box, Kind
from tigertag.xmp.fields import Field, Fields, shown
from tigertag.xmp.packet import Packet
from tigertag.xmp.regions import upright

PHOTOS = 3
LONDON = 'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="51,30.4N" exif:GPSLongitude="0,7.6W"'


class Owner(Terminal):
    """A person who keeps keywords beside the photos, and has an engine that charges for each photo."""

    mind = Mind(default=lambda photo: [Annotation(Kind.TAG, "dog")])

    def sidecar(self, number: int = 0, ending: str = ".jpg.xmp") -> Path:
        return self.pictures / f"IMG_{number}{ending}"

    def said(self, number: int = 0, kind: str = "tag", by: str = "metadata") -> list[dict[str, Any]]:
        (photo, _) = self.lines("show", f"IMG_{number}.jpg")
        answers = [each for each in photo["answers"] if each["engine"] == by and each["in_force"]]
        return [each for answer in answers for each in answer["annotations"] if each["kind"] == kind]

    def tags(self, number: int = 0, by: str = "metadata") -> set[str]:
        return {each["name"] for each in self.said(number, by=by)}

    def scans(self, code: int = 0) -> dict[str, Any]:
        """The summary of a scan, and what it was charged for."""
        before = self.mind.asked.total()
        summary = self.lines("scan", str(self.pictures))[-1]
        assert summary["exit_code"] == code, summary
        return {"due": summary["due"], "asked": self.mind.asked.total() - before, "told": summary["answered"]}

    def shown(self, number: int = 0) -> set[str]:
        return set(shown(Packet.parse(self.sidecar(number).read_bytes()).fields()))

    def removes_in_digikam(self, number: int, name: str) -> None:
        packet = Packet.parse(self.sidecar(number).read_bytes())
        now = packet.fields()
        values = {each: tuple(value for value in now.of(each) if value != name) for each in Field}
        packet.apply(Fields({each: left for each, left in values.items() if left}, now.caption, now.provenance))
        self.sidecar(number).write_bytes(packet.to_bytes())


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    made = Owner(tmp_path)
    made.mind = Mind(default=lambda photo: [Annotation(Kind.TAG, "dog")])
    made.settings |= {
        "ENGINE_METADATA_WORDS": "keywords,people",
        "ENGINE_BILLED_NAME": "tests.fakes_pipeline.MindEngine",
        "ENGINE_BILLED_STAGE": "sidecars",
        "ENGINE_BILLED_MIND": "billed",
        "ENGINE_BILLED_BILLED": "true",
    }
    made.pictures.mkdir()
    for number, content in enumerate(different_pictures(PHOTOS, size=64)):
        (made.pictures / f"IMG_{number}.jpg").write_bytes(content)
    STAGES["sidecars"] = Stage("sidecars", minds={"billed": made.mind})
    yield made
    del STAGES["sidecars"]


ALL = {"due": PHOTOS, "asked": PHOTOS, "told": {"metadata": PHOTOS, "billed": PHOTOS}}
NOTHING: dict[str, Any] = {"due": 0, "asked": 0, "told": {}}
ONE_BY_METADATA = {"due": 1, "asked": 0, "told": {"metadata": 1}}


def test_a_changed_sidecar_is_read_again_and_no_billed_engine_is_asked(owner: Owner) -> None:
    assert owner.scans() == ALL
    for content, tags in (
        (xmp(["Grandma"]), {"Grandma"}),
        (xmp(["Grandma"], tags=["Places/Beach"]), {"Grandma", "Beach"}),
        (None, set()),
    ):
        owner.sidecar().unlink(missing_ok=True)
        if content:
            owner.sidecar().write_bytes(content)
        forecast = {each["id"]: each["waiting"] for each in _engines(owner)}
        assert forecast == {"metadata": 1, "billed": 0}
        found = owner.scans()
        assert (found["due"], found["asked"]) == (1, 0)
        assert owner.tags() == tags
        assert owner.scans() == NOTHING


def _engines(owner: Owner) -> list[dict[str, Any]]:
    lines = owner.lines("scan", str(owner.pictures), "--dry-run")
    return [each for each in lines if each["type"] == "engine"]


def test_our_own_writes_make_no_photo_due_and_are_no_evidence(owner: Owner) -> None:
    """RELIABILITY I6, M13: through a scan, a change of policy, an undo and a redo."""
    owner.settings["TARGET_XMP_NAME"] = "xmp"
    owner.sidecar(0).write_bytes(xmp(["Grandma"]))
    owner.sidecar(1, ".xmp").write_bytes(xmp(["Beach"]))
    assert owner.scans() == ALL
    assert owner.shown(0) == {"Grandma", "dog"}
    for order in (
        (),
        ("write", "--verify"),
        ("undo", "--all", "--yes"),
        ("undo", "--last", "--redo", "--yes"),
    ):
        if order:
            owner.ok(*order)
        assert owner.scans() == NOTHING, order
    owner.settings["ENGINE_BILLED_PREFIX"] = "my"
    owner.ok("write")
    assert owner.scans() == NOTHING
    assert [owner.tags(number) for number in range(PHOTOS)] == [{"Grandma"}, {"Beach"}, set()]


def test_a_scan_sees_that_a_tag_of_ours_was_taken_out_of_a_sidecar(owner: Owner) -> None:
    owner.settings["TARGET_XMP_NAME"] = "xmp"
    owner.sidecar(0).write_bytes(xmp(["Grandma"]))
    owner.scans()
    owner.removes_in_digikam(0, "dog")
    assert owner.scans() == {"due": 1, "asked": 0, "told": {}}
    assert [(each["tag"], each["value"]) for each in owner.json("verdicts")] == [("dog", "no")]
    for _ in range(2):
        assert owner.scans() == NOTHING
        assert owner.shown(0) == {"Grandma"}


def test_what_others_wrote_into_our_own_sidecar_is_theirs_and_stays_after_an_undo(owner: Owner) -> None:
    owner.settings["TARGET_XMP_NAME"] = "xmp"
    owner.scans()
    packet = Packet.parse(owner.sidecar().read_bytes())
    now = packet.fields()
    values = {**now.values, Field.SUBJECT: (*now.of(Field.SUBJECT), "Beach")}
    packet.apply(Fields(values, now.caption, now.provenance))
    owner.sidecar().write_bytes(packet.to_bytes())
    assert owner.scans() == ONE_BY_METADATA
    assert (owner.tags(), owner.shown()) == ({"Beach"}, {"Beach", "dog"})
    owner.ok("undo", "--all", "--yes")
    assert owner.scans() == NOTHING
    assert Packet.parse(owner.sidecar().read_bytes()).fields() == Fields({Field.SUBJECT: ("Beach",)})


BROKEN = (
    b"no xml",
    b"",
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    b"<a>" * 5000 + b"</a>" * 5000,
    b" " * (17 << 20),
)


def test_broken_sidecars_are_named_once_and_cost_only_themselves(owner: Owner) -> None:
    owner.settings["TARGET_XMP_NAME"] = "xmp"
    for number, content in enumerate(BROKEN):
        (owner.pictures / f"IMG_{number}.jpg").write_bytes(jpeg_bytes(number, size=(64, 48)))
        owner.sidecar(number).write_bytes(content)
    result = owner.run("scan", str(owner.pictures))
    assert result.exit_code == 3
    for number, content in enumerate(BROKEN):
        assert [line for line in result.stderr.splitlines() if f"sidecar IMG_{number}.jpg.xmp" in line][
            1:
        ] == []
        assert f"sidecar IMG_{number}.jpg.xmp" in result.stderr
        assert owner.sidecar(number).read_bytes() == content
    assert owner.mind.asked.total() == len(BROKEN)
    assert owner.scans() == NOTHING
    owner.sidecar().write_bytes(xmp(["Grandma"]))
    assert owner.scans() == ONE_BY_METADATA


def test_a_sidecar_that_may_not_be_read_is_named_once_by_reader_and_writer_together(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RELIABILITY K2, I14. The superuser may read everything, so that the system must say no."""
    owner.settings["TARGET_XMP_NAME"] = "xmp"
    (owner.pictures / "IMG_0.jpg").write_bytes(jpeg_bytes(0, size=(64, 48)))
    owner.sidecar().write_bytes(xmp(["Grandma"]))
    really = os.open

    def closed(path: str | Path, *how: int, **more: int) -> int:
        if str(path) == str(owner.sidecar()):
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path, *how, **more)

    monkeypatch.setattr(os, "open", closed)
    result = owner.run("scan", str(owner.pictures))
    named = [line for line in result.stderr.splitlines() if "IMG_0.jpg" in line]
    told = "IMG_0.jpg: The sidecar IMG_0.jpg.xmp cannot be read (Permission denied)"
    assert (result.exit_code, named) == (3, [f"tigertag: {told}"])
    assert owner.run("scan", str(owner.pictures)).exit_code == 0


def test_faces_that_other_programs_named_in_sidecars_are_people_where_a_viewer_shows_them(owner: Owner) -> None:
    for number, regions in enumerate((by_exiftool(size="64,48"), by_windows())):
        photo = jpeg_bytes(number, size=(64, 48), orientation=6)
        (owner.pictures / f"IMG_{number}.jpg").write_bytes(photo)
        inside = f"<rdf:Description {SPACES}>{regions}</rdf:Description></rdf:RDF>"
        owner.sidecar(number).write_bytes(xmp().replace(b"</rdf:RDF>", inside.encode()))
    owner.scans()
    wanted = upright(ANNA, 6)
    for number in range(2):
        (anna,) = owner.said(number, "person")
        assert anna["name"] == "Anna"
        assert Box(**anna["box"]).x == pytest.approx(wanted.x) and Box(**anna["box"]).y == pytest.approx(
            wanted.y
        )


def test_a_position_that_was_set_in_a_sidecar_is_the_photos(owner: Owner) -> None:
    owner.settings["ENGINE_PLACES_NAME"] = "places"
    owner.scans()
    assert owner.tags(by="places") == set()
    owner.sidecar().write_bytes(xmp(more=LONDON))
    owner.scans()
    assert "United Kingdom" in owner.tags(by="places")


def test_in_an_archive_the_member_beside_a_photo_is_its_sidecar(owner: Owner) -> None:
    with zipfile.ZipFile(owner.folder / "photos.zip", "w") as file:
        file.write(owner.pictures / "IMG_0.jpg", "IMG_0.jpg")
        file.writestr("IMG_0.xmp", xmp(["Grandma"]))
    owner.ok("scan", str(owner.folder / "photos.zip"))
    assert owner.tags() == {"Grandma"}

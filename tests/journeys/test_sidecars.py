"""Sidecars from scan to undo, over real photos, with an owner who edits them in other programs."""

from __future__ import annotations

import io
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.terminal import Terminal
from tests.journeys.world import different_pictures
from tigertag.xmp.fields import Field, Fields, shown
from tigertag.xmp.packet import Packet

PHOTOS = 5

# TigerTag that is killed before the n-th of the steps which bring a sidecar onto the disk.
DYING = """
import os, sys
import tigertag.replacing.files as files
from tigertag.__main__ import main

left = [int(sys.argv.pop(1))]

def dying(step):
    def act(*given):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)
        return step(*given)
    return act

for name in ("_belong", "_sync", "_put", "_sync_folder"):
    setattr(files, name, dying(getattr(files, name)))
main()
"""


class Owner(Terminal):
    """A person with photos in a folder, TigerTag, and other programs that read sidecars."""

    def sidecar(self, number: int) -> Path:
        return self.pictures / f"IMG_{number}.jpg.xmp"

    def fields(self, number: int) -> Fields:
        return Packet.parse(self.sidecar(number).read_bytes()).fields()

    def shown(self) -> list[set[str]]:
        return [set(shown(self.fields(number))) for number in range(PHOTOS)]

    def edits(self, number: int, each: Field, values: tuple[str, ...]) -> None:
        """Sets one field and leaves the rest as it is."""
        packet = Packet.parse(self.sidecar(number).read_bytes())
        now = packet.fields()
        packet.apply(Fields({**now.values, each: values}, now.caption, now.provenance))
        self.sidecar(number).write_bytes(packet.to_bytes())

    def files(self) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in self.pictures.iterdir()}

    def removes_in_lightroom(self, number: int, name: str) -> None:
        """Lightroom takes a keyword out of its two fields and knows no other."""
        for each in (Field.SUBJECT, Field.HIERARCHY):
            self.edits(number, each, tuple(value for value in self.fields(number).of(each) if value != name))


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    made = Owner(tmp_path, {"TARGET_XMP_NAME": "xmp", "ENGINE_METADATA_WORDS": "orientation"})
    made.pictures.mkdir()
    for number, content in enumerate(different_pictures(PHOTOS, size=64)):
        (made.pictures / f"IMG_{number}.jpg").write_bytes(content)
    return made


def test_a_scan_writes_sidecars_and_the_next_has_nothing_to_do(owner: Owner) -> None:
    photos = owner.files()
    owner.scan()
    assert all(tags & {"landscape", "portrait", "square"} for tags in owner.shown())
    after = owner.files()
    assert {name: after[name] for name in photos} == photos
    owner.scan()
    assert owner.files() == after
    assert "Nothing to write" in owner.ok("write", "--verify")
    assert owner.files() == after


def test_a_keyword_removed_in_one_program_is_refused_for_good_and_gone_from_all_fields(owner: Owner) -> None:
    owner.scan()
    (tag,) = owner.shown()[0]
    owner.removes_in_lightroom(0, tag)
    assert tag in owner.fields(0).of(Field.TAGS_LIST)
    owner.ok("write", "--verify")
    assert [(each["tag"], each["value"]) for each in owner.json("verdicts")] == [(tag, "no")]
    assert not owner.sidecar(0).exists()
    owner.scan()
    owner.ok("write", "--verify")
    assert not owner.sidecar(0).exists()


def test_a_keyword_that_the_owner_adds_stays_and_stands_in_every_field(owner: Owner) -> None:
    owner.scan()
    owner.edits(0, Field.SUBJECT, (*owner.fields(0).of(Field.SUBJECT), "Grandma"))
    owner.settings["ENGINE_METADATA_PREFIX"] = "my"
    owner.ok("write")
    assert "Grandma" in owner.shown()[0]
    assert "Grandma" in owner.fields(0).of(Field.TAGS_LIST)
    owner.ok("undo", "--all", "--yes")
    assert owner.fields(0) == Fields({Field.SUBJECT: ("Grandma",)})


def test_undo_leaves_no_sidecar_of_ours_and_redo_brings_them_back(owner: Owner) -> None:
    before = owner.files()
    owner.scan()
    after = owner.shown()
    owner.ok("undo", "--all", "--yes")
    assert owner.files() == before
    owner.scan()
    assert owner.files() == before
    owner.ok("undo", "--last", "--redo", "--yes")
    assert owner.shown() == after


@pytest.mark.parametrize("step", [2, 3, 8])
def test_killed_in_the_middle_the_next_run_ends_where_it_would_have(owner: Owner, step: int) -> None:
    """RELIABILITY M1, I3: at any moment a sidecar is whole, and no unfinished file is left."""
    command = [sys.executable, "-c", DYING, str(step), "--env-file", str(owner.env_file())]
    killed = subprocess.run([*command, "scan", str(owner.pictures)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for each in owner.pictures.glob("*.xmp"):
        Packet.parse(each.read_bytes())
    owner.scan()
    assert not list(owner.pictures.glob(".tigertag*"))
    after = owner.files()
    assert len(after) == 2 * PHOTOS and all(owner.shown())
    owner.ok("undo", "--all", "--yes")
    assert len(owner.files()) == PHOTOS


# ── inside the files ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def embedding(owner: Owner) -> Owner:
    """One who wants the tags inside the photos, in formats of which the whole file is the picture, too."""
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    owner.settings |= {"TARGET_XMP_MODE": "embedded", "ENGINE_HASH_NAME": "hash"}
    for number, content in enumerate(different_pictures(PHOTOS, size=64)):
        photo = owner.pictures / f"IMG_{number}.jpg"
        if number % 2:
            photo.unlink()
            with Image.open(io.BytesIO(content)) as picture:
                picture.save(photo.with_suffix(".tiff"))
    return owner


def photos_known(owner: Owner) -> int:
    with closing(sqlite3.connect(owner.folder / "tigertag.db")) as database:
        return int(database.execute("select count(*) from photo").fetchone()[0])


def test_our_own_write_into_a_file_makes_no_photo_new_and_undo_gives_the_file_back(embedding: Owner) -> None:
    """RELIABILITY M13, I6."""
    before = embedding.files()
    embedding.scan()
    after = embedding.files()
    assert before.keys() == after.keys() and all(before[name] != after[name] for name in before)
    embedding.scan()
    assert photos_known(embedding) == PHOTOS
    assert embedding.files() == after
    embedding.ok("undo", "--all", "--yes")
    for name, content in embedding.files().items():
        with Image.open(io.BytesIO(content)) as now, Image.open(io.BytesIO(before[name])) as then:
            assert now.tobytes() == then.tobytes() and now.info.keys() == then.info.keys()
    embedding.scan()
    assert photos_known(embedding) == PHOTOS


def test_a_file_that_may_not_be_written_into_gets_a_sidecar_and_is_named_once(embedding: Owner) -> None:
    """RELIABILITY M9, M7, I14."""
    linked, protected = embedding.pictures / "IMG_0.jpg", embedding.pictures / "IMG_2.jpg"
    (embedding.folder / "same.jpg").hardlink_to(linked)
    protected.chmod(0o444)
    before = [linked.read_bytes(), protected.read_bytes()]
    ran = embedding.run("scan", str(embedding.pictures))
    assert ran.exit_code == 3
    for photo, why in ((linked, "has 2 hard links"), (protected, "is read-only")):
        (named,) = [line for line in ran.stderr.splitlines() if photo.name in line]
        assert why in named and named.endswith("; its tags are in a sidecar")
        assert photo.with_name(f"{photo.name}.xmp").exists()
    assert [linked.read_bytes(), protected.read_bytes()] == before
    embedding.scan()


def test_a_file_that_is_not_written_into_gets_a_sidecar_and_keeps_it(embedding: Owner) -> None:
    """RELIABILITY M3."""
    picture = embedding.pictures / "odd.gif"
    Image.new("P", (64, 48)).save(picture)
    before = picture.read_bytes()
    embedding.scan()
    assert picture.read_bytes() == before
    assert shown(Packet.parse((embedding.pictures / "odd.gif.xmp").read_bytes()).fields()) == ("landscape",)
    embedding.ok("undo", "--all", "--yes")
    assert not (embedding.pictures / "odd.gif.xmp").exists()

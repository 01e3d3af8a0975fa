"""Sidecars: what programs find in them, what a user changed in them, and what becomes of odd ones."""

from __future__ import annotations

import io
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import jpeg_bytes, xmp
from tests.targets.photo_folder import PICTURE, Folder, Inside, listing
from tigertag.contract.target import KeepingTargetContract, change, shown
from tigertag.errors import Unreachable
from tigertag.model import Change, Item, Shown, Written
from tigertag.replacing.drafts import a_name
from tigertag.xmp.fields import Field, Fields
from tigertag.xmp.packet import Packet


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestContract(KeepingTargetContract):
    @pytest.fixture
    def wall(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
class TestContractEmbedded(KeepingTargetContract):
    @pytest.fixture
    def wall(self, tmp_path: Path) -> Iterator[Folder]:
        with closing(Inside(tmp_path)) as folder:
            yield folder


# ── what stands there ─────────────────────────────────────────────────────────────────────────────────────


def test_a_sidecar_that_we_made_goes_when_nothing_is_left_in_it(folder: Folder) -> None:
    item, target = folder.item("a"), folder.target()
    before = listing(folder.path)
    change(target, item, add=["dog"])
    assert folder.sidecar("a").exists()
    change(target, item, remove=["dog"])
    assert listing(folder.path) == before


def test_a_sidecar_that_we_made_stays_where_a_user_put_something_into_it(folder: Folder) -> None:
    item, target = folder.item("a"), folder.target()
    change(target, item, add=["dog"])
    folder.hand_writes(folder.sidecar("a"), {}, caption="Rex")
    change(target, item, remove=["dog"])
    assert folder.fields(item) == Fields(caption="Rex")


def test_a_sidecar_of_the_user_is_as_it_was_after_an_undo(folder: Folder) -> None:
    item, target = folder.item("a", ["Holiday"]), folder.target()
    before = listing(folder.path)
    change(target, item, add=["dog"])
    assert listing(folder.path) != before
    change(target, item, remove=["dog"])
    assert listing(folder.path) == before


def test_the_photo_is_not_touched_and_a_second_write_writes_nothing(folder: Folder) -> None:
    item, target = folder.item("a"), folder.target()
    photo = folder.path / "a.jpg"
    before = photo.stat()
    change(target, item, add=["dog"])
    assert (photo.stat(), photo.read_bytes()) == (before, PICTURE)
    sidecar = folder.sidecar("a").stat()
    assert list(folder.target().write([Change(item, add=("dog",), shown=("dog",))])) == [
        Written(item, ("dog",))
    ]
    assert folder.sidecar("a").stat() == sidecar


def test_a_tag_says_which_engines_and_which_program_put_it_there(folder: Folder) -> None:
    item = folder.item("a")
    engines = {"dog": ("imagga", "local")}
    list(
        folder.target(root="Auto").write([Change(item, ("dog",), engines=engines, paths={"dog": ("animal",)})])
    )
    found = folder.fields(item)
    assert found.provenance is not None and found.provenance.tags == engines
    assert found.provenance.program.startswith("TigerTag ")
    assert found.of(Field.TAGS_LIST) == ("Auto/animal/dog",)


def test_a_caption_is_written_into_an_empty_field_only(folder: Folder) -> None:
    bare, told = folder.item("a"), folder.item("b")
    folder.hand_writes(folder.sidecar("b"), {}, caption="Rex")
    changes = [Change(item, ("dog",), caption="A dog on grass") for item in (bare, told)]
    list(folder.target().write(changes))
    assert [folder.fields(item).caption for item in (bare, told)] == ["A dog on grass", "Rex"]
    found = {one.item.key: one.caption for one in folder.target().read([bare, told]) if isinstance(one, Shown)}
    assert found == {"a.jpg": "A dog on grass", "b.jpg": None}


def test_the_keywords_inside_the_photo_are_in_its_new_sidecar_too(folder: Folder) -> None:
    """metadata.md, section 1, rule 9: PhotoPrism takes the sidecar's list alone."""
    item = folder.item("a")
    (folder.path / "a.jpg").write_bytes(jpeg_bytes(1, size=(64, 48), keywords=["Holiday"]))
    item = folder.listed(folder.path / "a.jpg")
    change(folder.target(), item, add=["dog"])
    assert set(folder.fields(item).of(Field.SUBJECT)) == {"Holiday", "dog"}
    assert shown(folder.target(), item) == ("dog",)
    change(folder.target(), item, remove=["dog"])
    assert not folder.sidecar("a").exists()


def test_keywords_behind_the_picture_of_a_png_are_in_its_new_sidecar_too(folder: Folder) -> None:
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(["Holiday"])
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text + struct.pack(">I", zlib.crc32(b"iTXt" + text))
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG")
    photo = folder.path / "a.png"
    photo.write_bytes(file.getvalue()[:-12] + chunk + file.getvalue()[-12:])
    change(folder.target(), folder.listed(photo), add=["dog"])
    assert set(folder.fields(folder.listed(photo)).of(Field.SUBJECT)) == {"Holiday", "dog"}


def test_keywords_inside_a_heic_are_in_its_new_sidecar_too(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    pillow_heif.register_heif_opener()
    photo = folder.path / "a.heic"
    Image.new("RGB", (64, 48)).save(photo, "HEIF", xmp=xmp(["Holiday"]))
    monkeypatch.delitem(Image.OPEN, "HEIF")  # as where nothing was decoded before
    monkeypatch.setattr(Image, "ID", [each for each in Image.ID if each != "HEIF"])
    change(folder.target(), folder.listed(photo), add=["dog"])
    assert set(folder.fields(folder.listed(photo)).of(Field.SUBJECT)) == {"Holiday", "dog"}


# ── whose sidecar ─────────────────────────────────────────────────────────────────────────────────────────

EMPTY = Packet.new().to_bytes()


@pytest.mark.parametrize(
    ("beside", "naming", "written"),
    [
        ([], "full", "a.jpg.xmp"),
        ([], "stem", "a.xmp"),
        (["a.xmp"], "full", "a.xmp"),
        (["a.jpg.xmp", "a.xmp"], "full", "a.jpg.xmp"),
        (["a.jpg.xmp", "a.xmp"], "stem", "a.jpg.xmp"),
        (["a.jpg.XMP"], "full", "a.jpg.XMP"),
        (["a.xmp", "a.nef"], "stem", "a.jpg.xmp"),  # it is the raw file's
        (["a.xmp", "a.nef"], "full", "a.jpg.xmp"),
        (["a.xmp", "A.png"], "full", "a.jpg.xmp"),  # nobody knows whose it is
        (["a.png"], "stem", "a.jpg.xmp"),
        (["a.nef.xmp", "a.nef"], "stem", "a.jpg.xmp"),
        (["ab.xmp", "ab.nef", "a.mp4"], "stem", "a.xmp"),
    ],
)
def test_one_rule_says_which_sidecar_is_a_photos_own(
    folder: Folder, beside: list[str], naming: str, written: str
) -> None:
    """RELIABILITY M6; metadata.md, section 1, rule 6."""
    item = folder.item("a")
    for name in beside:
        (folder.path / name).write_bytes(EMPTY)
    before = listing(folder.path)
    change(folder.target(naming=naming), item, add=["dog"])
    after = listing(folder.path)
    assert {name for name in after if after[name] != before.get(name)} == {written}


def test_a_raw_file_and_the_jpeg_beside_it_have_sidecars_of_their_own(folder: Folder) -> None:
    raw, picture = folder.item("a", ending=".nef"), folder.item("a")
    target = folder.target(naming="stem")
    change(target, raw, add=["sharp"])
    change(target, picture, add=["small"])
    assert shown(target, raw) == ("sharp",) and shown(target, picture) == ("small",)
    assert {"a.xmp", "a.jpg.xmp"} <= listing(folder.path).keys()


# ── Plex ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_photos_of_plex_get_sidecars_where_a_path_map_leads_to_them(folder: Folder) -> None:
    listed = folder.item("a")
    mine, elsewhere = (
        Item("plex:abc", "7", "a.jpg", "1", size=listed.size, facts={"file": file})
        for file in ("/photos/a.jpg", "/videos/a.jpg")
    )
    target = folder.target(path_map=f"/photos={folder.path}")
    assert target.accepts(mine) and not target.accepts(elsewhere)
    assert not folder.target().accepts(mine)
    change(target, mine, add=["dog"])
    assert folder.sidecar("a").exists()


def test_the_longest_path_of_the_map_says_which_disk_is_missing(folder: Folder) -> None:
    """RELIABILITY K1: the disk within another is not mounted, so nothing is known of its photos."""
    item = Item("plex:abc", "7", "a.jpg", "1", facts={"file": "/data/photos/a.jpg"})
    target = folder.target(path_map=f"/data={folder.path}, /data/photos={folder.path}/absent")
    with pytest.raises(Unreachable, match="absent is missing"):
        list(target.read([item]))


def test_what_a_killed_run_left_is_swept(folder: Folder) -> None:
    """RELIABILITY M1."""
    item = folder.item("a")
    mine = a_name("0123456789abcdef")
    dead = mine.replace(f"-{os.getpid()}-", "-1073741824-")
    assert dead != mine
    for name in (mine, dead):
        (folder.path / name).touch()
    shown(folder.target(), item)
    assert (folder.path / mine).exists() and not (folder.path / dead).exists()

"""Sidecars: what programs find in them, what a user changed in them, and what becomes of odd ones."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pictures import jpeg_bytes
from tigertag.contract.stand_ins import FakeMemory
from tigertag.contract.target import KeepingTargetContract, change, folded, shown
from tigertag.errors import ItemError, Unreachable
from tigertag.model import Change, Item, Presence, Shown, Written
from tigertag.replacing.drafts import a_name
from tigertag.targets.xmp import XmpOptions, XmpTarget
from tigertag.xmp.fields import Field, Fields
from tigertag.xmp.fields import shown as shown_in
from tigertag.xmp.packet import Packet

PICTURE = jpeg_bytes(1, size=(64, 48))


class Folder:
    """Photos in a folder, and the sidecars beside them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def item(self, name: str, tags: Sequence[str] = (), ending: str = ".jpg") -> Item:
        photo = self.path / f"{name}{ending}"
        photo.write_bytes(PICTURE)
        if tags:
            self.hand_writes(self.sidecar(name, ending), {Field.SUBJECT: tuple(tags)})
        return self.listed(photo)

    def listed(self, photo: Path) -> Item:
        status = photo.stat()
        stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        return Item(f"folder:1:{self.path}", photo.name, photo.name, stamp, size=status.st_size)

    def sidecar(self, name: str, ending: str = ".jpg") -> Path:
        return self.path / f"{name}{ending}.xmp"

    def hand_writes(
        self, sidecar: Path, values: dict[Field, tuple[str, ...]], caption: str | None = None
    ) -> None:
        """What a program of the user leaves in a sidecar: these fields, all else as it was."""
        packet = Packet.parse(sidecar.read_bytes()) if sidecar.exists() else Packet.new()
        now = packet.fields()
        after = {**now.values, **values}
        kept = {each: found for each, found in after.items() if found}
        packet.apply(Fields(kept, now.caption if caption is None else caption, now.provenance))
        sidecar.write_bytes(packet.to_bytes())

    def fields(self, item: Item) -> Fields:
        path = self.path / f"{item.key}.xmp"
        return Packet.parse(path.read_bytes()).fields() if path.exists() else Fields()

    def tags(self, item: Item) -> Sequence[str]:
        return shown_in(self.fields(item))

    def target(self, **options: Any) -> XmpTarget:
        return XmpTarget(XmpOptions.model_validate(options), FakeMemory())


class Inside(Folder):
    """Photos that hold their tags themselves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.memory = FakeMemory()
        self.targets: list[XmpTarget] = []

    def item(self, name: str, tags: Sequence[str] = (), ending: str = ".jpg") -> Item:
        photo = self.path / f"{name}{ending}"
        photo.write_bytes(jpeg_bytes(1, size=(64, 48), keywords=tags))
        return self.listed(photo)

    def fields(self, item: Item) -> Fields:
        with Image.open(self.path / item.key) as picture:
            packet = picture.info.get("xmp")
        return Packet.parse(packet).fields() if packet else Fields()

    def target(self, **options: Any) -> XmpTarget:
        made = XmpTarget(XmpOptions.model_validate({"mode": "embedded", **options}), self.memory)
        self.targets.append(made)
        return made

    def close(self) -> None:
        for target in self.targets:
            target.close()


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


def problem(target: XmpTarget, item: Item, *names: str) -> ItemError:
    (outcome,) = target.write([Change(item, add=names or ("dog",))])
    assert isinstance(outcome, ItemError), outcome
    return outcome


def listing(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


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


# ── what is left alone ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [b"", b"<x:xmpmeta", b"not XML", b"<a/>", b"\0\0"])
def test_a_sidecar_that_is_none_stays_as_it_is_and_is_named(folder: Folder, content: bytes) -> None:
    """RELIABILITY M5."""
    item = folder.item("a")
    folder.sidecar("a").write_bytes(content)
    (found,) = folder.target().read([item])
    for error in (found, problem(folder.target(), item)):
        assert isinstance(error, ItemError) and "a.jpg.xmp is left as it is" in str(error) and not error.again
    assert folder.sidecar("a").read_bytes() == content


def test_a_sidecar_that_is_read_only_stays_so_and_is_named(folder: Folder) -> None:
    """RELIABILITY M7."""
    item = folder.item("a", ["Holiday"])
    folder.sidecar("a").chmod(0o444)
    before = folder.sidecar("a").read_bytes()
    assert "read-only" in str(problem(folder.target(), item))
    assert (folder.sidecar("a").read_bytes(), folder.sidecar("a").stat().st_mode & 0o777) == (before, 0o444)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_an_owner_who_cannot_be_kept_is_named_unless_that_is_allowed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RELIABILITY M8."""
    item = folder.item("a", ["Holiday"])
    os.chown(folder.sidecar("a"), 12345, 54321)
    before = listing(folder.path)

    def refused(path: Path, user: int, group: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    said = str(problem(folder.target(), item))
    assert "user 12345, group 54321" in said and "KEEP_OWNER=false" in said
    assert listing(folder.path) == before
    assert change(folder.target(keep_owner=False), item, add=["dog"]) == ("Holiday", "dog")


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
@pytest.mark.parametrize("keeps", [True, False])
def test_the_time_of_a_photo_stays_unless_it_is_to_move(tmp_path: Path, keeps: bool) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(PICTURE)
    os.utime(photo, (1_500_000_000, 1_500_000_000))
    with closing(Inside(tmp_path)) as folder:
        change(folder.target(keep_times=keeps), folder.listed(photo), add=["dog"])
    assert (photo.stat().st_mtime == 1_500_000_000) is keeps


def test_a_link_stays_a_link_and_a_pipe_is_not_waited_for(folder: Folder, tmp_path: Path) -> None:
    """RELIABILITY M9, K5."""
    linked, piped = folder.item("a"), folder.item("b")
    real = tmp_path / "elsewhere.xmp"
    real.write_bytes(EMPTY)
    folder.sidecar("a").symlink_to(real)
    os.mkfifo(folder.sidecar("b"))
    change(folder.target(), linked, add=["dog"])
    assert folder.sidecar("a").is_symlink() and shown_in(Packet.parse(real.read_bytes()).fields()) == ("dog",)
    assert "no regular file" in str(problem(folder.target(), piped))


def test_nothing_is_written_while_a_lightroom_catalogue_is_open_beside_the_photos(folder: Folder) -> None:
    item = folder.item("a")
    lock = folder.path / "Holiday.lrcat.lock"
    lock.touch()
    error = problem(folder.target(), item)
    assert f"Lightroom has {folder.path / 'Holiday.lrcat'} open. Close it" in str(error) and error.again
    assert not folder.sidecar("a").exists()
    change(folder.target(force=True), item, add=["dog"])
    lock.unlink()
    assert change(folder.target(), item, add=["cat"]) == ("dog", "cat")


def test_nothing_is_written_to_a_photo_that_is_another_by_now(folder: Folder) -> None:
    item = folder.item("a")
    (folder.path / "a.jpg").write_bytes(PICTURE + b"more")
    assert "has changed" in str(problem(folder.target(), item))
    (folder.path / "a.jpg").unlink()
    assert list(folder.target().read([item])) == [Shown(item, presence=Presence.GONE)]


def test_a_folder_that_is_not_mounted_is_unreachable_and_nothing_is_gone(folder: Folder) -> None:
    item = Item("folder:1:/not/here/at/all", "a.jpg", "a.jpg", "1")
    with pytest.raises(Unreachable, match="mounted"):
        list(folder.target().read([item]))


@pytest.mark.parametrize("name", ["a\nb", "a\0b", " ", "x" * 501, "\ud800", "\uffff"])
def test_a_name_that_xml_cannot_hold_is_refused_by_name(folder: Folder, name: str) -> None:
    """RELIABILITY P16, M15."""
    item = folder.item("a")
    error = problem(folder.target(), item, "dog", name)
    assert not error.again and repr(name) in str(error)
    assert not folder.sidecar("a").exists()


def test_what_a_user_wrote_between_look_and_write_stays(folder: Folder) -> None:
    item, target = folder.item("a"), folder.target()
    change(target, item, add=["dog"])
    folder.hand_writes(folder.sidecar("a"), {Field.SUBJECT: ("dog", "Holiday")}, caption="Rex")
    (written,) = target.write([Change(item, add=("cat",), shown=("dog",))])
    assert isinstance(written, Written) and folded(written.tags) == {"dog", "holiday", "cat"}
    assert folder.fields(item).caption == "Rex"


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

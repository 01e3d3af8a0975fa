"""What the XMP target leaves alone: odd sidecars, what is read-only or changed meanwhile, open catalogues."""

from __future__ import annotations

import errno
import os
import re
import shutil
import struct
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from tests.targets.embedding import needs_exiftool
from tests.targets.photo_folder import PICTURE, Folder, Inside, listing, problem
from tigertag.contract.target import change, folded
from tigertag.errors import ItemError, Unreachable
from tigertag.model import Change, Item, Presence, Shown, Written
from tigertag.xmp.fields import Field
from tigertag.xmp.fields import shown as shown_in
from tigertag.xmp.packet import Packet

EMPTY = Packet.new().to_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<x:xmpmeta", b"not XML", b"<a/>", b"\0\0"])
def test_a_sidecar_that_is_none_stays_as_it_is_and_is_named(folder: Folder, content: bytes) -> None:
    """RELIABILITY M5."""
    item = folder.item("a")
    folder.sidecar("a").write_bytes(content)
    (found,) = folder.target().read([item])
    for error in (found, problem(folder.target(), item)):
        assert isinstance(error, ItemError) and "a.jpg.xmp is left as it is" in str(error) and not error.again
    assert folder.sidecar("a").read_bytes() == content


def test_a_sidecar_that_can_be_read_but_not_edited_stays_as_it_is_and_is_named(folder: Folder) -> None:
    item = folder.item("a")
    content = EMPTY.replace(b"xmlns:lr=", b'xmlns:odd="a name with blanks" xmlns:lr=')
    folder.sidecar("a").write_bytes(content)
    error = problem(folder.target(), item)
    assert "a.jpg.xmp is left as it is" in str(error) and not error.again
    assert folder.sidecar("a").read_bytes() == content


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("times", [1, 99])
def test_a_sidecar_that_cannot_be_read_for_a_moment_is_tried_once_more_and_then_named(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, code: int, times: int
) -> None:
    """RELIABILITY K2."""
    item, target = folder.item("a", ["Holiday"]), folder.target()
    faults = iter(range(times))
    opened = os.open

    def stutter(path: str | Path, *arguments: int) -> int:
        if str(path) == str(folder.sidecar("a")) and next(faults, None) is not None:
            raise OSError(code, os.strerror(code))
        return opened(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", stutter)
        (found,) = target.read([item])
    if times > 1:
        assert isinstance(found, ItemError) and "cannot be read" in str(found) and found.again
        assert next(faults) == 2
    else:
        assert isinstance(found, Shown) and folded(found.tags) == {"holiday"}


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
    linked, piped, shut = folder.item("a"), folder.item("b"), folder.item("c")
    real = tmp_path / "elsewhere.xmp"
    real.write_bytes(EMPTY)
    folder.sidecar("a").symlink_to(real)
    os.mkfifo(folder.sidecar("b"))
    folder.sidecar("c").mkdir()
    change(folder.target(), linked, add=["dog"])
    assert folder.sidecar("a").is_symlink() and shown_in(Packet.parse(real.read_bytes()).fields()) == ("dog",)
    for item in (piped, shut):
        error = problem(folder.target(), item)
        assert "no regular file" in str(error) and not error.again


@pytest.mark.parametrize("mode", ["sidecar", "embedded"])
def test_a_link_that_leads_out_of_the_library_is_neither_read_nor_written(tmp_path: Path, mode: str) -> None:
    """RELIABILITY I16: a sidecar's name may lead anywhere, and so may a photo's since it was listed."""
    (tmp_path / "photos").mkdir()
    folder = Folder(tmp_path / "photos")
    beside, itself = folder.item("a"), folder.item("b")
    elsewhere = [tmp_path / "elsewhere.xmp", tmp_path / "elsewhere.jpg"]
    folder.hand_writes(elsewhere[0], {Field.SUBJECT: ("theirs",)})
    folder.sidecar("a").symlink_to(elsewhere[0])
    (folder.path / "b.jpg").rename(elsewhere[1])
    (folder.path / "b.jpg").symlink_to(elsewhere[1])
    before = [each.read_bytes() for each in elsewhere]
    for item in (beside, itself):
        target = folder.target(mode=mode)
        error = problem(target, item)
        assert f"is a link that leads out of {folder.path}" in str(error) and not error.again
        assert [type(each) for each in target.read([item])] == [ItemError]
    assert [each.read_bytes() for each in elsewhere] == before


@needs_exiftool
def test_a_picture_that_was_damaged_before_gets_a_sidecar(tmp_path: Path) -> None:
    """RELIABILITY M3: its parts are whole, so that only decoding it tells."""
    header = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    broken = b"".join(
        struct.pack(">I", len(each)) + name + each + struct.pack(">I", zlib.crc32(name + each))
        for name, each in ((b"IHDR", header), (b"IDAT", b"no stream of zlib"), (b"IEND", b""))
    )
    photo = tmp_path / "a.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n" + broken)
    before = photo.read_bytes()
    with closing(Inside(tmp_path)) as folder:
        item = folder.listed(photo)
        (written,) = folder.target().write([Change(item, add=("dog",))])
        assert isinstance(written, Written) and written.tags == ("dog",)
        assert re.fullmatch(r"a\.png: a\.png cannot be decoded .*; its tags are in a sidecar", written.instead)
        assert photo.read_bytes() == before
        assert change(folder.target(), item, remove=["dog"]) == ()
    assert list(listing(tmp_path)) == ["a.png"]


def test_a_name_that_leaves_no_room_for_an_ending_gets_the_shorter_sidecar(folder: Folder) -> None:
    """RELIABILITY M12."""
    long = "é" * 125
    item = folder.item(f"{long}a")
    assert change(folder.target(), item, add=["dog"]) == ("dog",)
    assert shown_in(Packet.parse((folder.path / f"{long}a.xmp").read_bytes()).fields()) == ("dog",)
    shared = folder.item(f"{long}b")
    folder.item(f"{long}b", ending=".png")
    error = problem(folder.target(), shared)
    assert "name would be too long" in str(error) and not error.again


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
    folder.item("b")
    (folder.path / "a.jpg").unlink()
    assert list(folder.target().read([item])) == [Shown(item, presence=Presence.GONE)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_that_is_not_mounted_is_unreachable_and_nothing_is_gone(
    tmp_path: Path, is_there: bool
) -> None:
    """RELIABILITY K1, I12: the place of the disk may be there, with nothing in it."""
    item = Item(f"folder:1:{tmp_path / ('' if is_there else 'absent')}", "a.jpg", "a.jpg", "1")
    with pytest.raises(Unreachable, match="is empty.*mounted" if is_there else "is missing.*mounted"):
        list(Folder(tmp_path).target().read([item]))


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

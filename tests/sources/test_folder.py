"""A folder of photos, whatever else lies in it."""

from __future__ import annotations

import io
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.pictures import draw
from tigertag.contract.source import SourceContract, picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import PhotoError, TransientError, Unreachable
from tigertag.media.names import key_of, path_of
from tigertag.model import Item
from tigertag.sources.folder import FolderOptions, FolderSource

needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")


@dataclass
class Folder:
    """Files below a root, and sources that read them with one memory."""

    root: Path
    memory: FakeMemory = field(default_factory=FakeMemory)
    built: list[FolderSource] = field(default_factory=list)

    def add(self, path: str, content: bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def replace(self, path: str, content: bytes) -> None:
        self.add(path, content)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def source(self, **options: object) -> FolderSource:
        built = FolderSource(FolderOptions.model_validate({"path": self.root, **options}), self.memory)
        self.built.append(built)
        return built

    def paths(self, **options: object) -> list[str]:
        return [item.path for item in self.source(**options).items()]


@pytest.fixture
def shelf(tmp_path: Path) -> Folder:
    (tmp_path / "pictures").mkdir()
    return Folder(tmp_path / "pictures")


class TestContract(SourceContract):
    @pytest.fixture
    def shelf(self, tmp_path: Path) -> Folder:
        (tmp_path / "pictures").mkdir()
        return Folder(tmp_path / "pictures")


def read(source: FolderSource, item: Item) -> bytes:
    with source.open(item) as file:
        return file.read()


def test_hidden_and_system_files_are_no_photos(shelf: Folder) -> None:
    for path in (
        ".hidden.jpg",
        ".trash/a.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/a.jpg",
        "__MACOSX/._a.jpg",
        ".thumbnails/1.jpg",
        "lost+found/a.jpg",
        "Apps/.nomedia",
        "Apps/icon.png",
        "Apps/deeper/icon.png",
        "Thumbs.db",
        "good.jpg",
    ):
        shelf.add(path, picture(1))
    assert shelf.paths() == ["good.jpg"]


def test_a_nomedia_file_in_the_root_itself_hides_nothing(shelf: Folder) -> None:
    shelf.add(".nomedia", b"")
    shelf.add("a.jpg", picture(1))
    assert shelf.paths() == ["a.jpg"]


def test_photos_come_in_the_order_of_their_names(shelf: Folder) -> None:
    for path in ("b/z.jpg", "b/a.jpg", "z.jpg", "a/q.jpg", "A.JPG"):
        shelf.add(path, picture(1))
    assert shelf.paths() == ["A.JPG", "z.jpg", "a/q.jpg", "b/a.jpg", "b/z.jpg"]


def test_videos_and_archives_are_counted_and_sidecars_are_not(shelf: Folder) -> None:
    for path in ("a.mp4", "b.MOV", "c.zip", "d.tar.GZ", "a.jpg.xmp", "notes.docx", "a.jpg"):
        shelf.add(path, picture(1) if path == "a.jpg" else b"something else")
    source = shelf.source()
    assert [item.path for item in source.items()] == ["a.jpg"]
    assert source.skipped == {"videos": 2, "archives": 2, "other files": 1}


def test_raw_files_are_photos(shelf: Folder) -> None:
    for path in ("a.nef", "b.CR3", "c.dng"):
        shelf.add(path, b"something")
    assert shelf.paths() == ["a.nef", "b.CR3", "c.dng"]


def test_a_picture_without_an_ending_is_known_by_its_bytes(shelf: Folder) -> None:
    shelf.add("IMG_0001", picture(1))
    shelf.add("photo.jpg_original", picture(1))
    shelf.add("README", b"read me")
    assert shelf.paths() == ["IMG_0001", "photo.jpg_original"]


def test_include_and_exclude_take_globs(shelf: Folder) -> None:
    for path in ("2019/a.jpg", "2019/Private/b.jpg", "2020/c.png", "2020/d.jpg"):
        shelf.add(path, picture(1))
    assert shelf.paths(include="2019/*") == ["2019/a.jpg", "2019/Private/b.jpg"]
    assert shelf.paths(include="2019", exclude="private") == ["2019/a.jpg"]
    assert shelf.paths(exclude="*.png, 2019/**") == ["2020/d.jpg"]


def test_pipes_sockets_and_loops_of_links_hold_nothing_up(
    shelf: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add("Summer/a.jpg", picture(1))
    os.mkfifo(shelf.root / "pipe.jpg")
    (shelf.root / "Summer" / "loop").symlink_to(shelf.root)
    (shelf.root / "endless.jpg").symlink_to("endless.jpg")
    (shelf.root / "zero.jpg").symlink_to("/dev/zero")
    monkeypatch.chdir(shelf.root)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        assert shelf.paths() == ["Summer/a.jpg"]


def test_a_link_to_a_photo_inside_is_one_and_a_link_out_of_the_root_is_not(
    shelf: Folder, tmp_path: Path
) -> None:
    shelf.add("a.jpg", picture(1))
    (tmp_path / "secret.jpg").write_bytes(picture(2))
    (shelf.root / "inside.jpg").symlink_to("a.jpg")
    (shelf.root / "outside.jpg").symlink_to(tmp_path / "secret.jpg")
    source = shelf.source()
    assert [item.path for item in source.items()] == ["a.jpg", "inside.jpg"]
    assert source.skipped == {"links": 1}


@pytest.mark.parametrize("key", ["../secret.jpg", "Summer/../../secret.jpg", "link/secret.jpg"])
def test_no_key_leads_out_of_the_root(shelf: Folder, tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(picture(2))
    shelf.add("Summer/a.jpg", picture(1))
    (shelf.root / "link").symlink_to(tmp_path)
    with pytest.raises(PhotoError), shelf.source().open(Item("folder", key, "x.jpg", "")):
        pass


def test_a_photo_exchanged_for_a_pipe_is_named_at_once(shelf: Folder) -> None:
    file = shelf.add("a.jpg", picture(1))
    source = shelf.source()
    (item,) = source.items()
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(PhotoError, match=r"a\.jpg is not opened: it is no regular file"), source.open(item):
        pass


def test_a_photo_exchanged_for_a_pipe_while_it_is_opened_is_named_at_once(
    shelf: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shelf.add("a.jpg", picture(1))
    source = shelf.source()
    (item,) = source.items()
    really = os.open

    def exchanged(path: str, *arguments: int) -> int:
        file.unlink()
        os.mkfifo(file)
        return really(path, *arguments)

    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(PhotoError, match=r"a\.jpg is not opened: it is no regular file"), source.open(item):
        pass


def test_names_no_alphabet_knows_are_shown_escaped_and_opened(shelf: Folder) -> None:
    for number, name in enumerate((b"caf\xe9.jpg", b"new\nline.jpg", b"\x1b[31mred.jpg", b"back\\slash.jpg")):
        Path(os.fsdecode(os.fsencode(shelf.root) + b"/" + name)).write_bytes(picture(number * 50))
    source = shelf.source()
    items = {item.path: item for item in source.items()}
    assert set(items) == {r"caf\xe9.jpg", r"new\x0aline.jpg", r"\x1b[31mred.jpg", r"back\slash.jpg"}
    assert read(source, items[r"caf\xe9.jpg"]) == picture(0)
    assert read(source, items[r"back\slash.jpg"]) == picture(150)


@pytest.mark.parametrize(
    "path",
    ["plain/a.jpg", "a\\x0a.jpg", "a\nb.jpg", "a\\\\b.jpg", os.fsdecode(b"\xff\\\xfe.jpg"), "é\u0301 👩‍👧"],
)
def test_a_key_leads_back_to_its_path(path: str) -> None:
    assert path_of(key_of(path)) == path
    key_of(path).encode()


def test_a_file_that_was_touched_or_exchanged_has_another_stamp(shelf: Folder) -> None:
    file = shelf.add("a.jpg", picture(1))
    (before,) = shelf.source().items()
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    os.utime(file, ns=(times[0], times[1] + 1))
    (touched,) = shelf.source().items()
    assert touched.stamp != before.stamp


def test_a_missing_folder_is_unreachable_and_says_what_to_look_at(shelf: Folder) -> None:
    with pytest.raises(Unreachable, match=r"is missing\. Is the disk mounted"):
        shelf.paths(path=shelf.root / "nowhere")


def test_a_folder_that_went_with_its_photos_is_unreachable(shelf: Folder) -> None:
    shelf.add("a.jpg", picture(1))
    source = shelf.source()
    (item,) = source.items()
    shelf.root.rename(shelf.root.with_name("away"))
    with pytest.raises(Unreachable), source.open(item):
        pass


def test_a_single_photo_can_be_the_whole_source(shelf: Folder) -> None:
    shelf.add("b.jpg", picture(2))
    source = shelf.source(path=shelf.add("a.jpg", picture(1)))
    (item,) = source.items()
    assert (item.path, read(source, item)) == ("a.jpg", picture(1))


def on_device(shelf: Folder, monkeypatch: pytest.MonkeyPatch, device: str) -> str:
    monkeypatch.setattr("tigertag.sources.folder.device_of", lambda root: device)
    source = shelf.source()
    list(source.items())
    return source.identity


def test_the_same_photos_on_a_renumbered_device_are_the_same_source(
    shelf: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        shelf.add(f"{number}.jpg", picture(number))
    before = on_device(shelf, monkeypatch, "8001")
    shelf.remove("0.jpg")
    assert on_device(shelf, monkeypatch, "8011") == before


def test_an_empty_mount_point_is_the_same_source_that_lists_nothing(
    shelf: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add("a.jpg", picture(1))
    before = on_device(shelf, monkeypatch, "8001")
    shelf.remove("a.jpg")
    assert (on_device(shelf, monkeypatch, "fe00"), shelf.paths()) == (before, [])
    shelf.add("a.jpg", picture(1))
    assert on_device(shelf, monkeypatch, "8001") == before


def test_another_disk_in_the_same_place_is_another_source(
    shelf: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add("a.jpg", picture(1))
    before = on_device(shelf, monkeypatch, "8001")
    shelf.remove("a.jpg")
    shelf.add("b.jpg", picture(2))
    assert on_device(shelf, monkeypatch, "8011") != before


def test_a_read_error_that_passes_is_not_seen(shelf: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("a.jpg", picture(1))
    source = shelf.source()
    (item,) = source.items()
    fail_reads(monkeypatch, times=1)
    assert read(source, item) == picture(1)


def test_a_read_error_that_stays_names_the_photo(shelf: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("a.jpg", picture(1))
    source = shelf.source()
    (item,) = source.items()
    fail_reads(monkeypatch, times=9)
    with pytest.raises(PhotoError, match=r"a\.jpg cannot be read \(Input/output error\)"):
        read(source, item)


def fail_reads(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The disk's next reads fail: there is no disk at hand that does so by itself."""
    left, real = [times], os.read

    def faulty(descriptor: int, length: int) -> bytes:
        if left[0] > 0:
            left[0] -= 1
            raise OSError(5, "Input/output error")
        return real(descriptor, length)

    monkeypatch.setattr("tigertag.sources.folder.os.read", faulty)


@needs_rights
def test_an_unreadable_folder_is_named_and_the_others_are_listed(shelf: Folder) -> None:
    shelf.add("a.jpg", picture(1))
    closed = shelf.add("Closed/b.jpg", picture(2)).parent
    closed.chmod(0)
    listed: list[str] = []
    with pytest.raises(TransientError, match="Closed could not be read"):
        for item in shelf.source().items():
            listed.append(item.path)
    assert listed == ["a.jpg"]
    closed.chmod(0o700)


@needs_rights
def test_a_photo_that_may_be_read_again_has_another_stamp(shelf: Folder) -> None:
    file = shelf.add("a.jpg", picture(1))
    file.chmod(0)
    (closed,) = shelf.source().items()
    file.chmod(0o600)
    (opened,) = shelf.source().items()
    assert closed.stamp != opened.stamp


def test_a_large_photo_is_read_whole(shelf: Folder) -> None:
    file = io.BytesIO()
    draw(1, (2000, 1500)).save(file, "BMP")
    shelf.add("a.bmp", file.getvalue())
    source = shelf.source()
    (item,) = source.items()
    assert read(source, item) == file.getvalue()


def test_check_of_an_empty_folder_asks_for_the_disk(shelf: Folder) -> None:
    (finding,) = shelf.source().check()
    assert not finding.ok and "holds no photos" in finding.text

"""Sidecars beside the photos of a folder or archive: found, and noticed when they change."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.sources.test_folder_changes import Shelf
from tigertag.contract.source import picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import PhotoError
from tigertag.model import Item, Sidecar
from tigertag.sources.archive import ArchiveOptions, ArchiveSource
from tigertag.sources.folder import FolderOptions, FolderSource
from tigertag.store.database import Database


@pytest.fixture
def shelf(tmp_path: Path, sqlite_database: Database) -> Shelf:
    made = Shelf(tmp_path / "pictures", sqlite_database)
    for name in ("a.jpg", "b.jpg", "b.cr2", "Summer/c.jpg"):
        made.put(name)
    return made


def beside(source: FolderSource | ArchiveSource) -> dict[str, bytes]:
    found = {item.path: source.sidecar(item) for item in source.items()}
    return {path: each.content for path, each in found.items() if each is not None}


def test_a_sidecar_that_comes_changes_or_goes_makes_its_photo_another_and_no_other(shelf: Shelf) -> None:
    assert shelf.changes() == (4, 4, 0, 0)
    sidecar = shelf.put("Summer/c.jpg.xmp", b"one")
    assert shelf.changes() == (4, 0, 1, 0)
    assert beside(shelf.source()) == {"Summer/c.jpg": b"one"}
    status = sidecar.stat()
    sidecar.unlink()
    shelf.put("Summer/c.jpg.xmp", b"two")
    os.utime(sidecar, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert shelf.changes()[2] == (1 if sidecar.stat().st_ino != status.st_ino else 0)
    shelf.put("Summer/c.jpg.xmp", b"three")
    assert shelf.changes() == (4, 0, 1, 0)
    assert shelf.changes() == (4, 0, 0, 0)
    sidecar.unlink()
    assert shelf.changes() == (4, 0, 1, 0)
    assert shelf.rows() == shelf.truth()


def test_both_habits_of_naming_are_read_and_of_raw_and_jpeg_the_raw_file_has_it(shelf: Shelf) -> None:
    shelf.put("a.XMP", b"a")
    shelf.put("b.xmp", b"raw")
    shelf.put("Summer/c.xmp", b"stem")
    shelf.put("Summer/c.jpg.xmp", b"full")
    assert beside(shelf.source()) == {"a.jpg": b"a", "b.cr2": b"raw", "Summer/c.jpg": b"full"}


def test_a_single_photo_has_its_sidecar_too(shelf: Shelf) -> None:
    shelf.put("a.jpg.xmp", b"a")
    source = FolderSource(FolderOptions.model_validate({"path": shelf.root / "a.jpg"}), FakeMemory())
    assert beside(source) == {"a.jpg": b"a"}


def test_a_sidecar_that_leads_elsewhere_is_not_read_and_a_pipe_is_not_waited_for(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (shelf.root / "a.jpg.xmp").symlink_to(tmp_path / "secret")
    os.mkfifo(shelf.root / "b.jpg.xmp")
    assert beside(shelf.source()) == {}
    shelf.put("Summer/c.jpg.xmp", b"c")
    (shelf.root / "b.cr2.xmp").symlink_to(shelf.root / "Summer/c.jpg.xmp")
    assert beside(shelf.source()) == {"Summer/c.jpg": b"c", "b.cr2": b"c"}


def test_a_sidecar_that_went_since_the_listing_is_none(shelf: Shelf) -> None:
    sidecar = shelf.put("a.jpg.xmp", b"a")
    source = shelf.source()
    item = next(item for item in source.items() if item.path == "a.jpg")
    sidecar.unlink()
    assert source.sidecar(item) is None


def test_no_more_of_a_huge_sidecar_is_read_than_tells_that_it_is_one(shelf: Shelf) -> None:
    with (shelf.root / "a.jpg.xmp").open("wb") as file:
        file.truncate(1 << 40)
    (content,) = beside(shelf.source()).values()
    assert len(content) == (16 << 20) + 1


# ── archives ──────────────────────────────────────────────────────────────────────────────────────────────


def archived(path: Path, members: dict[str, bytes]) -> ArchiveSource:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return ArchiveSource(ArchiveOptions.model_validate({"path": path}), FakeMemory())


def of(source: ArchiveSource, path: str) -> Item:
    return next(item for item in source.items() if item.path == path)


def test_a_member_beside_a_photo_is_its_sidecar_whichever_comes_first(tmp_path: Path) -> None:
    photos = {
        f"{folder}/{name}": picture(7) for folder in ("One", "Two") for name in ("a.jpg", "a.cr2", "b.jpg")
    }
    members = {"One/b.xmp": b"b", **photos, "One/a.xmp": b"raw", "Two/a.jpg.xmp": b"jpeg"}
    source = archived(tmp_path / "photos.zip", members)
    assert beside(source) == {"One/b.jpg": b"b", "One/a.cr2": b"raw", "Two/a.jpg": b"jpeg"}
    assert source.sidecar(of(source, "One/b.jpg")) == Sidecar("b.xmp", b"b")


def test_another_sidecar_makes_a_photo_in_an_archive_another(tmp_path: Path) -> None:
    stamps = [
        of(archived(tmp_path / f"{number}.zip", {"a.jpg": picture(7), **more}), "a.jpg").stamp
        for number, more in enumerate(({}, {"a.jpg.xmp": b"one"}, {"a.jpg.xmp": b"two"}, {"b.jpg.xmp": b"x"}))
    ]
    assert stamps[0] == stamps[3]
    assert len(set(stamps)) == 3


def test_a_sidecar_that_cannot_be_unpacked_says_so(tmp_path: Path) -> None:
    source = archived(tmp_path / "photos.zip", {"a.jpg": picture(7), "a.jpg.xmp": b"sidecar " * 9})
    whole = (tmp_path / "photos.zip").read_bytes()
    (tmp_path / "photos.zip").write_bytes(whole.replace(b"sidecar sidecar", b"sidecar SIDECAR", 1))
    with pytest.raises(PhotoError, match=r"a\.jpg\.xmp is damaged"):
        source.sidecar(of(source, "a.jpg"))

"""Photos in archives: listed, opened in place, and known again when the archive was renamed."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.archives import KINDS, Files, packed, tarred, zipped
from tigertag.contract.source import SourceContract, picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import PhotoError, TransientError, Unreachable
from tigertag.model import Item
from tigertag.sources.archive import ArchiveOptions, ArchiveSource
from tigertag.sources.archive_tree import key_of_way, way_of


@dataclass
class Box:
    """An archive that is made anew whenever something is put into it, and sources with one memory."""

    file: Path
    memory: FakeMemory = field(default_factory=FakeMemory)
    files: dict[str, bytes] = field(default_factory=dict)
    built: list[ArchiveSource] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.file.name.partition(".")[2]

    def add(self, path: str, content: bytes) -> None:
        self.files[path] = content
        self.put(self.files)

    replace = add

    def remove(self, path: str) -> None:
        del self.files[path]
        self.put(self.files)

    def put(self, files: Files) -> None:
        self.file.write_bytes(packed(self.kind, files))

    def source(self, **options: object) -> ArchiveSource:
        built = ArchiveSource(ArchiveOptions.model_validate({"path": self.file, **options}), self.memory)
        self.built.append(built)
        return built

    def items(self, **options: object) -> list[Item]:
        return list(self.source(**options).items())

    def paths(self, **options: object) -> list[str]:
        return [item.path for item in self.items(**options)]

    def close(self) -> None:
        for source in self.built:
            source.close()


@pytest.fixture(params=KINDS)
def each_kind(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    return closing(request, Box(tmp_path / f"trip.{request.param}"))


@pytest.fixture
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    return closing(request, Box(tmp_path / "trip.zip"))


def closing(request: pytest.FixtureRequest, box: Box) -> Box:
    box.put({})
    request.addfinalizer(box.close)
    return box


class TestContract(SourceContract):
    @pytest.fixture(params=KINDS)
    def shelf(self, request: pytest.FixtureRequest, tmp_path: Path) -> Box:
        return closing(request, Box(tmp_path / f"trip.{request.param}"))


def read(source: ArchiveSource, item: Item) -> bytes:
    with source.open(item) as file:
        return file.read()


def reads(source: ArchiveSource) -> dict[str, bytes]:
    return {item.path: read(source, item) for item in source.items()}


def test_an_archive_within_an_archive_is_looked_into(each_kind: Box) -> None:
    inner = tarred({"deep/a.jpg": picture(1)}, "gz")
    each_kind.put({"b.jpg": picture(2), "more/inner.zip": zipped({"inner.tgz": inner, "c.jpg": picture(3)})})
    assert reads(each_kind.source()) == {
        "b.jpg": picture(2),
        "more/inner.zip/inner.tgz/deep/a.jpg": picture(1),
        "more/inner.zip/c.jpg": picture(3),
    }


def test_many_archives_within_are_read_in_any_order(box: Box) -> None:
    box.put({f"{number}.zip": zipped({"a.jpg": picture(number)}) for number in range(20)})
    source = box.source()
    items = list(source.items())
    assert [read(source, item) for item in reversed(items)] == [picture(number) for number in range(19, -1, -1)]


def test_several_threads_read_one_archive(each_kind: Box) -> None:
    photos = {f"{number}.jpg": picture(number, size=(300, 200)) for number in range(24)}
    each_kind.put(photos | {"inner.zip": zipped({"b.jpg": picture(99)})})
    source = each_kind.source()
    items = list(source.items())
    with ThreadPoolExecutor(8) as pool:
        found = dict(
            zip([item.path for item in items], pool.map(lambda item: read(source, item), items), strict=True)
        )
    assert found == photos | {"inner.zip/b.jpg": picture(99)}


def test_two_members_of_one_name_are_two_photos(each_kind: Box) -> None:
    each_kind.put([("a.jpg", picture(1)), ("a.jpg", picture(2))])
    assert reads(each_kind.source()) == {"a.jpg": picture(1), "a.jpg (2)": picture(2)}


def test_links_hidden_files_and_others_are_no_photos(tmp_path: Path) -> None:
    box = Box(tmp_path / "trip.tar")
    files = {"__MACOSX/._a.jpg": b"x", ".hidden/a.jpg": picture(1), "a.mp4": b"film", "notes.docx": b"text"}
    box.file.write_bytes(tarred(files | {"./b.jpg": picture(2)}, "", ("link.jpg", "/etc/passwd")))
    source = box.source()
    assert [item.path for item in source.items()] == ["b.jpg"]
    assert source.skipped == {"videos": 1, "other files": 1, "links": 1}


def test_a_picture_without_an_ending_is_known_by_its_bytes(each_kind: Box) -> None:
    each_kind.put({"IMG_1": picture(1), "README": b"read me", "IMG_2": picture(2), "empty": b""})
    assert reads(each_kind.source()) == {"IMG_1": picture(1), "IMG_2": picture(2)}


def test_a_name_is_shown_as_it_was_meant_though_the_zip_does_not_say_how(box: Box) -> None:
    """As Finder and many servers write them: UTF-8 without the flag for it."""
    content = zipped({"x" * len("été/plage.jpg".encode()): picture(1), "caf\u00e9.jpg": picture(2)})
    box.file.write_bytes(content.replace(b"x" * len("été/plage.jpg".encode()), "été/plage.jpg".encode()))
    assert reads(box.source()) == {"été/plage.jpg": picture(1), "café.jpg": picture(2)}
    assert box.paths(include="été/*") == ["été/plage.jpg"]


def test_include_and_exclude_take_globs(box: Box) -> None:
    box.put({"2019/a.jpg": picture(1), "2019/b.png": picture(2), "2020/c.jpg": picture(3)})
    assert box.paths(include="2019/*", exclude="*.png") == ["2019/a.jpg"]


def test_the_same_photo_has_the_same_stamp_when_the_archive_was_packed_anew(box: Box) -> None:
    box.put({"a.jpg": picture(1)})
    (before,) = box.items()
    box.file.write_bytes(zipped({"b.jpg": picture(2), "a.jpg": picture(1)}, packed=False))
    after = {item.path: item for item in box.items()}["a.jpg"]
    assert (after.key, after.stamp) == (before.key, before.stamp)


@pytest.mark.parametrize(
    "way",
    [
        (("a.jpg", 0),),
        (("inner!.zip", 1), ("Sum:mer/a!b.jpg", 12)),
        (("back\\slash!.zip", 0), ("new\nline.jpg", 0), (os.fsdecode(b"caf\xe9.jpg"), 3)),
    ],
)
def test_a_key_leads_back_to_its_way(way: tuple[tuple[str, int], ...]) -> None:
    assert way_of(key_of_way(way)) == way
    key_of_way(way).encode()


# ── which archive it is ───────────────────────────────────────────────────────────────────────────────────


def known(items: Sequence[Item]) -> set[tuple[str, str, str]]:
    return {(item.source, item.key, item.stamp) for item in items}


def test_photos_keep_their_identity_when_the_archive_is_renamed(each_kind: Box) -> None:
    each_kind.put({"a.jpg": picture(1), "inner.zip": zipped({"b.jpg": picture(2)})})
    before = each_kind.items()
    each_kind.file = each_kind.file.rename(each_kind.file.with_name(f"holiday.{each_kind.kind}"))
    source = each_kind.source()
    after = list(source.items())
    assert known(after) == known(before)
    assert {read(source, item) for item in after} == {picture(1), picture(2)}
    assert known(each_kind.items()) == known(before)


def test_a_renamed_archive_is_found_at_its_old_path_too(box: Box) -> None:
    box.put({"a.jpg": picture(1)})
    before = box.items()
    old = box.file
    box.file = box.file.rename(old.with_name("holiday.zip"))
    box.items()
    assert known(box.items(path=old)) == known(before)


def test_a_copy_beside_the_archive_is_another_one(box: Box) -> None:
    box.put({"a.jpg": picture(1)})
    (before,) = box.items()
    copy = box.file.with_name("copy.zip")
    copy.write_bytes(box.file.read_bytes())
    (other,) = box.items(path=copy)
    assert other.source != before.source
    assert box.items()[0].source == before.source


def test_another_archive_under_a_new_name_is_not_the_one_that_went(box: Box) -> None:
    box.put({"a.jpg": picture(1), "b.jpg": picture(2)})
    (before, _) = box.items()
    box.file.unlink()
    box.file = box.file.with_name("other.zip")
    box.put({"c.jpg": picture(3), "d.jpg": picture(4)})
    assert box.items()[0].source != before.source


def test_a_new_archive_in_the_place_of_a_renamed_one_is_told_from_it(box: Box) -> None:
    box.put({"a.jpg": picture(1)})
    box.items()
    old, box.file = box.file, box.file.rename(box.file.with_name("holiday.zip"))
    (renamed,) = box.items()
    old.write_bytes(zipped({"b.jpg": picture(2)}))
    (new,) = box.items(path=old)
    assert new.source != renamed.source


def test_a_folder_of_archives_is_one_source(tmp_path: Path) -> None:
    box = Box(tmp_path / "folder" / "sub" / "one.zip")
    box.file.parent.mkdir(parents=True)
    box.put({"a.jpg": picture(1)})
    (tmp_path / "folder" / "two.tar.gz").write_bytes(tarred({"b.jpg": picture(2)}, "gz"))
    (tmp_path / "folder" / "c.jpg").write_bytes(picture(3))
    source = box.source(path=tmp_path / "folder")
    before = list(source.items())
    assert reads(source) == {"sub/one.zip/a.jpg": picture(1), "two.tar.gz/b.jpg": picture(2)}
    assert len({item.source for item in before}) == 1
    (tmp_path / "folder" / "two.tar.gz").rename(tmp_path / "folder" / "sub" / "three.tar.gz")
    again = box.source(path=tmp_path / "folder")
    assert known(list(again.items())) == known(before)
    assert reads(again) == {"sub/one.zip/a.jpg": picture(1), "sub/three.tar.gz/b.jpg": picture(2)}


def test_an_archive_as_it_was_is_not_opened(each_kind: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    each_kind.put({"a/1.jpg": picture(1), "b/2.jpg": picture(2), "a/3.jpg": picture(3), "film.mp4": b"film"})
    before = {album.name: album.memo for album in each_kind.source().albums({})}
    assert set(before) == {"a", "b"}
    with monkeypatch.context() as closed:
        closed.setattr("tigertag.sources.archive.open_regular", lambda path: pytest.fail("it was opened"))
        source = each_kind.source()
        again = list(source.albums(before))
    assert [(album.name, album.size, album.items) for album in again] == [("a", 2, None), ("b", 1, None)]
    assert source.skipped == {"videos": 1}
    assert {album.name: album.memo for album in again} == before


def test_an_archive_that_changed_is_listed_anew(each_kind: Box) -> None:
    each_kind.put({"a.jpg": picture(1)})
    before = {album.name: album.memo for album in each_kind.source().albums({})}
    each_kind.add("b.jpg", picture(2, size=(300, 200)))
    assert all(album.items is not None for album in each_kind.source().albums(before))
    before = {album.name: album.memo for album in each_kind.source().albums({})}
    assert all(album.items is not None for album in each_kind.source(exclude="b*").albums(before))
    assert all(album.items is None for album in each_kind.source().albums(before))


def test_a_photo_in_an_archive_as_it_was_is_opened(each_kind: Box) -> None:
    each_kind.put({"a.jpg": picture(1)})
    (item,) = each_kind.items()
    before = {album.name: album.memo for album in each_kind.source().albums({})}
    source = each_kind.source()
    list(source.albums(before))
    assert read(source, item) == picture(1)


# ── what can go wrong with the file ───────────────────────────────────────────────────────────────────────


def test_a_missing_archive_is_unreachable_and_says_what_to_look_at(box: Box) -> None:
    box.file.unlink()
    with pytest.raises(Unreachable, match=r"trip\.zip is missing\. Is the disk mounted"):
        box.items()


def test_an_archive_that_went_with_its_photos_is_unreachable(box: Box) -> None:
    box.put({"a.jpg": picture(1)})
    source = box.source()
    (item,) = source.items()
    box.file.unlink()
    with pytest.raises(Unreachable), source.open(item):
        pass


def test_an_archive_that_changes_after_the_listing_is_left_to_the_next_run(each_kind: Box) -> None:
    each_kind.put({"a.jpg": picture(1)})
    source = each_kind.source()
    (item,) = source.items()
    each_kind.put({"b.jpg": picture(2), "a.jpg": picture(3)})
    with pytest.raises(TransientError, match="has changed since it was listed"), source.open(item):
        pass


def test_a_pipe_is_no_archive_and_holds_nothing_up(box: Box) -> None:
    box.file.unlink()
    os.mkfifo(box.file)
    with pytest.raises(Unreachable, match="no regular file"):
        box.items()


@pytest.mark.parametrize("key", ["", "0:b.jpg", "../../etc/passwd", "0:../../etc/passwd", "x:a.jpg", "itself"])
def test_no_key_leads_anywhere_but_into_the_archive(box: Box, key: str) -> None:
    box.put({"a.jpg": picture(1)})
    source = box.source()
    (item,) = source.items()
    made_up = Item(item.source, key, "x.jpg", "", facts=item.facts)
    with pytest.raises((PhotoError, TransientError), match=r"^x\.jpg"), source.open(made_up):
        pass


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_closing_leaves_no_temporary_file_behind(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    box = Box(tmp_path / f"trip.{kind}")
    inner = zipped({"b.bmp": os.urandom(17 << 20), "c.jpg": picture(2)}, packed=False)
    box.put({"a.jpg": picture(1), "inner.zip": inner})
    source = box.source()
    assert len(reads(source)) == 3
    source.close()
    assert [file.name for file in tmp_path.iterdir()] == [box.file.name]


def test_a_large_member_is_read_piece_by_piece(each_kind: Box) -> None:
    noise = os.urandom(1 << 20)
    each_kind.put({"a.bmp": noise})
    source = each_kind.source()
    (item,) = source.items()
    with source.open(item) as file:
        pieces = list(iter(lambda: file.read(100_000), b""))
    assert b"".join(pieces) == noise
    assert isinstance(file, io.BufferedIOBase)

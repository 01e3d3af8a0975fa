"""Files that come, go, move and are being copied, in a folder that is mostly as it was."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tigertag.contract.source import picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import TransientError
from tigertag.model import Album
from tigertag.pipeline import discover as discovering
from tigertag.pipeline.discover import Listing, discover
from tigertag.sources.folder import FolderOptions, FolderSource
from tigertag.store import listing
from tigertag.store.database import Database
from tigertag.store.tables import ItemRow

NOW = datetime(2021, 6, 5, tzinfo=UTC)
SMALL = 10
"""As many files for each hundred of the goal."""


class Shelf:
    """A folder, and a database that knows its last listing."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root, self.database, self.memory = root, database, FakeMemory()
        root.mkdir()

    def put(self, path: str, content: bytes = b"photo") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def source(self, **options: object) -> FolderSource:
        return FolderSource(FolderOptions.model_validate({"path": self.root, **options}), self.memory)

    def listed(self, **options: object) -> Listing:
        found = discover(self.database, self.source(**options), NOW)
        if found.fault:
            raise found.fault
        return found

    def changes(self, **options: object) -> tuple[int, int, int, int]:
        """Listed, new, changed, gone."""
        found = self.listed(**options)
        return found.listed, found.new, found.changed, found.gone

    def rows(self) -> dict[str, str]:
        """Key → stamp of what is there."""
        with self.database.reading() as session:
            return {row.key: row.stamp for row in session.query(ItemRow) if row.gone_since is None}

    def truth(self) -> dict[str, str]:
        """The same, of a listing that knows nothing of the last one."""
        return {item.key: item.stamp for item in self.source().items()}


@pytest.fixture
def shelf(tmp_path: Path, sqlite_database: Database) -> Shelf:
    made = Shelf(tmp_path / "pictures", sqlite_database)
    for number in range(8 * SMALL):
        made.put(f"{number % 4}/{number:03}.jpg")
    return made


def test_a_folder_as_it_was_is_told_without_naming_its_photos(shelf: Shelf) -> None:
    assert shelf.changes() == (80, 80, 0, 0)
    source = shelf.source()
    memos = {album.name: album.memo for album in source.albums({})}
    assert [album.items for album in source.albums(memos)] == [None] * 5
    assert shelf.changes() == (80, 0, 0, 0)
    shelf.put("2/new.jpg")
    assert [album.name for album in source.albums(memos) if album.items] == ["2"]


def test_photos_that_come_are_new_and_those_that_go_are_gone(shelf: Shelf) -> None:
    shelf.changes()
    for number in range(SMALL):
        shelf.put(f"1/new {number}.jpg")
    assert shelf.changes() == (90, SMALL, 0, 0)
    for number in range(SMALL):
        (shelf.root / f"1/new {number}.jpg").unlink()
    assert shelf.changes() == (80, 0, 0, SMALL)
    for number in range(SMALL):
        (shelf.root / f"{number % 4}/{number:03}.jpg").rename(shelf.root / f"{number % 4}/renamed {number}.jpg")
    assert shelf.changes() == (80, SMALL, 0, SMALL)
    assert shelf.rows() == shelf.truth()


def test_a_folder_that_goes_or_moves_takes_its_photos_along(shelf: Shelf) -> None:
    shelf.changes()
    shutil.rmtree(shelf.root / "0")
    assert shelf.changes() == (60, 0, 0, 20)
    (shelf.root / "1").rename(shelf.root / "moved")
    assert shelf.changes() == (60, 20, 0, 20)
    assert shelf.rows() == shelf.truth()


def test_a_photo_that_comes_back_is_there_again(shelf: Shelf) -> None:
    shelf.changes()
    away = (shelf.root / "1/001.jpg").rename(shelf.root.parent / "away.jpg")
    assert shelf.changes()[3] == 1
    away.rename(shelf.root / "1/001.jpg")
    assert shelf.changes() == (80, 0, 0, 0)
    assert shelf.rows() == shelf.truth()


def test_a_copy_in_progress_is_changed_until_it_is_whole(shelf: Shelf) -> None:
    shelf.changes()
    whole = picture(1)
    for part in (1, 2, 3):
        shelf.put("1/copy.jpg", whole[: len(whole) * part // 3])
        listed, new, changed, gone = shelf.changes()
        assert (listed, new + changed, gone) == (81, 1, 0)
    assert shelf.changes() == (81, 0, 0, 0)


def test_what_is_skipped_in_a_folder_as_it_was_is_counted(shelf: Shelf) -> None:
    for name in ("film.mp4", "old.zip", "letter.docx"):
        shelf.put(f"1/{name}")
    first = shelf.listed().skipped
    assert first == {"videos": 1, "archives": 1, "other files": 1} == shelf.listed().skipped


def test_other_globs_are_another_listing(shelf: Shelf) -> None:
    shelf.changes()
    assert shelf.changes(exclude="0") == (60, 0, 0, 20)
    assert shelf.changes(exclude="*/00?.jpg") == (70, 0, 0, 7)
    assert shelf.changes() == (80, 0, 0, 0)
    assert shelf.rows() == shelf.truth()


def test_a_link_is_looked_behind_each_time(shelf: Shelf) -> None:
    (shelf.root / "1/link.jpg").symlink_to("../0/000.jpg")
    shelf.changes()
    shelf.put("0/000.jpg", b"another photo")
    assert shelf.changes() == (81, 0, 2, 0)


@pytest.mark.parametrize("options", [{"mode": 0o600}, {"times": 1}])
def test_rights_and_times_make_a_folder_another(shelf: Shelf, options: dict[str, int]) -> None:
    shelf.changes()
    file = shelf.root / "1/001.jpg"
    if "mode" in options:
        file.chmod(options["mode"])
    else:
        os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
    assert [album.name for album in told(shelf)] == ["1"]
    shelf.changes()
    assert shelf.rows() == shelf.truth()


def told(shelf: Shelf) -> list[Album]:
    """The albums of which the next listing would name the items."""
    with shelf.database.reading() as session:
        memos = listing.albums(session, 1)
    return [album for album in shelf.source().albums(memos) if album.items is not None]


def test_an_empty_mount_point_is_refused_each_time(shelf: Shelf) -> None:
    shelf.changes()
    away = shelf.root.rename(shelf.root.with_name("away"))
    shelf.root.mkdir()
    for _ in range(2):
        found = discover(shelf.database, shelf.source(), NOW)
        assert "lists 0 photos where 80 were known" in str(found.fault)
        assert len(shelf.rows()) == 80
    shelf.root.rmdir()
    away.rename(shelf.root)
    assert shelf.changes() == (80, 0, 0, 0)


def test_a_refused_listing_is_no_measure_for_the_next(shelf: Shelf) -> None:
    shelf.changes()
    for number in range(50):
        (shelf.root / f"{number % 4}/{number:03}.jpg").unlink()
    for _ in range(2):
        found = discover(shelf.database, shelf.source(), NOW)
        assert "lists 30 photos where 80 were known" in str(found.fault)
    assert len(shelf.rows()) == 80


def test_after_a_crash_between_rows_and_memos_everything_is_looked_at(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of before comes back afterwards: its memo must not be believed."""
    shelf.changes()
    new = shelf.put("1/new.jpg")
    folder = shelf.root / "1"
    with monkeypatch.context() as dying:
        dying.setattr(discovering, "_take_leave", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shelf.changes()
    assert "1/new.jpg" in shelf.rows()
    new.unlink()
    os.utime(folder)
    assert shelf.changes() == (80, 0, 0, 1)
    assert shelf.rows() == shelf.truth()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_cannot_be_read_is_no_folder_that_went(shelf: Shelf) -> None:
    shelf.changes()
    (shelf.root / "1").chmod(0)
    with pytest.raises(TransientError):
        shelf.changes()
    assert len(shelf.rows()) == 80
    (shelf.root / "1").chmod(0o700)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_rows_are_what_a_listing_from_scratch_would_find(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)

    def any_file() -> Path:
        return dice.choice([path for path in shelf.root.rglob("*") if path.is_file()])

    def any_name() -> str:
        folder, ending = dice.choice(["", "deep/"]), dice.choice(["jpg", "mp4"])
        return f"{dice.randint(0, 5)}/{folder}{dice.randint(0, 999)}.{ending}"

    def rename() -> None:
        target = shelf.root / any_name()
        target.parent.mkdir(parents=True, exist_ok=True)
        any_file().rename(target)

    moves: list[Callable[[], object]] = [
        lambda: shelf.put(any_name(), dice.randbytes(dice.randint(1, 50))),
        lambda: any_file().unlink(),
        lambda: any_file().write_bytes(dice.randbytes(dice.randint(1, 50))),
        lambda: any_file().touch(),
        rename,
    ]
    for _ in range(12):
        for _ in range(dice.randint(0, 5)):
            dice.choice(moves)()
        shelf.changes()
        assert shelf.rows() == shelf.truth()


def test_each_new_file_is_read_once(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for number in range(3 * SMALL):
        file = terminal.pictures / f"{number % 3}/{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number, number, number))

    def answered() -> int:
        lines = terminal.lines("scan", str(terminal.pictures), "--executor", "threads", "--engine", "metadata")
        assert lines[-1]["exit_code"] == 0
        return int(lines[-1]["answered"].get("metadata", 0))

    assert (answered(), answered()) == (3 * SMALL, 0)
    for number in range(SMALL):
        (terminal.pictures / f"{number % 3}/new {number}.jpg").write_bytes(picture(25 * number, 200, 90))
        old = terminal.pictures / f"{number % 3}/{number}.jpg"
        old.rename(old.with_name(f"renamed {number}.jpg"))
    assert (answered(), answered()) == (SMALL, 0)

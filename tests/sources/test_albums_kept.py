"""What archives and folders remember of their albums, in every kind of database: nothing is opened in vain."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.archives import packed, zipped
from tigertag.app.context import memory_of
from tigertag.config import Declared
from tigertag.contract.source import picture
from tigertag.model import JSON
from tigertag.pipeline.discover import Listing, discover
from tigertag.sources.archive import ArchiveOptions, ArchiveSource
from tigertag.sources.folder import FolderOptions, FolderSource
from tigertag.store import listing
from tigertag.store.database import Database
from tigertag.store.tables import ItemRow

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ALBUMS = ["", "Sea", "sea", "Seá", "Sea\u0301", "日本", "🐕", "a" * 200 + "/" + "b" * 200, "C:\\x", "50%_off"]
"""Databases like to take some of these for the same, or to cut them."""
PHOTOS = {f"{album}/{place}.jpg".lstrip("/"): picture(place) for place, album in enumerate(ALBUMS)}


def listed(database: Database, path: Path) -> Listing:
    """A listing by a source that was just built, as in a run of its own."""
    if path.is_dir():
        options = FolderOptions.model_validate({"path": path})
        folder = FolderSource(options, memory_of(database, Declared("lib", "source", "folder", options)))
        return discover(database, folder, NOW)
    chosen = ArchiveOptions.model_validate({"path": path})
    archive = ArchiveSource(chosen, memory_of(database, Declared("lib", "source", "archive", chosen)))
    try:
        return discover(database, archive, NOW)
    finally:
        archive.close()


def counts(found: Listing) -> tuple[int, int, int, int]:
    assert found.fault is None
    return found.listed, found.new, found.changed, found.gone


def keys(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {row.key: row.id for row in session.query(ItemRow)}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_as_it_was_is_not_opened_again(
    database: Database, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / f"trip.{kind}"
    archive.write_bytes(packed(kind, PHOTOS))
    count = len(PHOTOS)
    assert counts(listed(database, archive)) == (count, count, 0, 0)
    with monkeypatch.context() as closed:
        closed.setattr("tigertag.sources.archive.open_regular", lambda path: pytest.fail("it was opened"))
        assert counts(listed(database, archive)) == (count, 0, 0, 0)
    before = keys(database)
    archive = archive.rename(tmp_path / f"Größe 🐕.{kind}")
    assert counts(listed(database, archive)) == (count, 0, 0, 0)
    assert keys(database) == before, "the same rows, though the archive has another name"


def test_what_was_taken_out_of_an_archive_is_gone_and_what_came_is_new(
    database: Database, tmp_path: Path
) -> None:
    archive = tmp_path / "trip.zip"
    archive.write_bytes(zipped(PHOTOS))
    listed(database, archive)
    archive.write_bytes(zipped({name: PHOTOS[name] for name in list(PHOTOS)[2:]} | {"new.jpg": picture(99)}))
    assert counts(listed(database, archive)) == (len(PHOTOS) - 1, 1, 0, 2)


def test_of_a_folder_only_the_album_that_changed_is_listed_again(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "lib"
    for name, content in PHOTOS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    count = len(PHOTOS)
    assert counts(listed(database, root)) == (count, count, 0, 0)
    assert counts(listed(database, root)) == (count, 0, 0, 0)
    (root / "sea" / "2.jpg").unlink()
    (root / "日本" / "new.jpg").write_bytes(picture(99))
    assert counts(listed(database, root)) == (count, 1, 0, 1)
    assert counts(listed(database, root)) == (count, 0, 0, 0)


def test_memos_are_kept_whole_and_forgotten_whole(database: Database) -> None:
    memos: dict[str, JSON] = {
        name: {"size": place, "of": [name, None, 1.5]} for place, name in enumerate(ALBUMS)
    }
    with database.session() as session:
        listing.keep_albums(session, 1, {"old": 1, **memos})
        listing.keep_albums(session, 2, {"other": True})
        listing.keep_albums(session, 1, memos)
    with database.reading() as session:
        assert listing.albums(session, 1) == memos
        assert listing.albums(session, 2) == {"other": True}
    with database.session() as session:
        listing.forget_albums(session, 1)
    with database.reading() as session:
        assert (listing.albums(session, 1), listing.albums(session, 2)) == ({}, {"other": True})

"""Scanning archives with the command line: as a folder is scanned, and nothing asked twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archives import packed, zipped
from tests.cli.terminal import Terminal
from tests.pictures import jpeg_bytes

PHOTOS = {
    "2020/a.jpg": jpeg_bytes(1, size=(64, 48), taken="2020:05:01 10:00:00", keywords=["beach"]),
    "2021/b.jpg": jpeg_bytes(2, size=(64, 48), taken="2021:07:02 21:00:00", camera=("SONY", "ILCE-7M2")),
}


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    for name, content in PHOTOS.items():
        path = made.pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return made


def scanned(terminal: Terminal, place: Path) -> list[dict[str, object]]:
    return terminal.lines("scan", str(place), "--executor", "threads", "--engine", "metadata")


def tags(lines: list[dict[str, object]]) -> dict[str, object]:
    """Path → tags, of the photos that the console target printed."""
    return {str(line["path"]): line["add"] for line in lines if "path" in line and line.get("add")}


@pytest.mark.parametrize("kind", ["zip", "tar.xz"])
def test_photos_in_an_archive_get_the_tags_of_those_in_a_folder(terminal: Terminal, kind: str) -> None:
    archive = terminal.folder / f"trip.{kind}"
    archive.write_bytes(packed(kind, PHOTOS))
    from_archive, from_folder = scanned(terminal, archive), scanned(terminal, terminal.pictures)
    assert tags(from_archive) == tags(from_folder)
    assert set(tags(from_archive)) == set(PHOTOS)
    assert from_folder[-1]["answered"] in ({}, {"metadata": 0}), "what is known is not asked again"


def test_a_renamed_archive_is_nothing_new(terminal: Terminal) -> None:
    archive = terminal.folder / "trip.zip"
    archive.write_bytes(packed("zip", PHOTOS))
    scanned(terminal, archive)
    archive = archive.rename(terminal.folder / "holiday.zip")
    assert "2 photos · 0 new · 0 changed" in terminal.ok("scan", str(archive))
    assert "Nothing to do: all 2 photos are up to date." in terminal.ok("scan", str(archive))


def test_archives_in_a_scanned_folder_are_named_with_a_hint(terminal: Terminal) -> None:
    (terminal.pictures / "old.zip").write_bytes(packed("zip", PHOTOS))
    assert "1 archives not looked at (name one to scan it)" in terminal.scan()


def test_a_source_of_archives_looks_into_all_of_a_folder(terminal: Terminal) -> None:
    (terminal.pictures / "old.zip").write_bytes(packed("zip", PHOTOS))
    terminal.settings |= {"SOURCE_ARCHIVE_PATH": str(terminal.pictures)}
    assert set(tags(terminal.lines("scan"))) == {"old.zip/2020/a.jpg", "old.zip/2021/b.jpg"}


def test_a_bad_member_is_named_once(terminal: Terminal) -> None:
    archive = terminal.folder / "trip.zip"
    content = bytearray(
        zipped({"bad.jpg": PHOTOS["2020/a.jpg"], "good.jpg": PHOTOS["2021/b.jpg"]}, packed=False)
    )
    content[200] ^= 0xFF
    archive.write_bytes(content)
    first = terminal.run("scan", str(archive))
    assert first.exit_code == 3
    assert first.stderr.startswith("tigertag: bad.jpg is damaged")
    assert "good.jpg  " in first.stdout
    second = terminal.run("scan", str(archive))
    assert (second.exit_code, second.stderr) == (0, "")


def test_an_archive_that_is_cut_is_named_once(terminal: Terminal) -> None:
    archive = terminal.folder / "trip.zip"
    archive.write_bytes(packed("zip", PHOTOS)[:-30])
    first = terminal.run("scan", str(archive))
    assert (first.exit_code, first.stderr.count("trip.zip ends early")) == (3, 1)
    second = terminal.run("scan", str(archive))
    assert (second.exit_code, second.stderr) == (0, "")


def test_a_photo_in_an_archive_is_asked_about_again_by_its_name(terminal: Terminal) -> None:
    archive = terminal.folder / "trip.zip"
    archive.write_bytes(packed("zip", PHOTOS))
    scanned(terminal, archive)
    archive.rename(terminal.folder / "holiday.zip")
    scanned(terminal, terminal.folder / "holiday.zip")
    again = terminal.lines("retag", "2020/a.jpg", "--engine", "metadata")
    assert again[-1]["answered"] == {"metadata": 1}

"""`db backup` as a person uses it."""

from __future__ import annotations

from tests.cli.terminal import Terminal


def test_a_copy_is_made_and_named(terminal: Terminal) -> None:
    terminal.scan()
    assert "Copied to " in terminal.ok("db", "backup")
    assert len(list(terminal.folder.glob("tigertag.db.backup-*"))) == 1


def test_a_copy_can_take_the_place_of_the_database(terminal: Terminal) -> None:
    terminal.scan()
    before = terminal.json("tags")
    [made] = terminal.json("db", "backup", str(terminal.folder / "copy.db"))
    (terminal.folder / "copy.db").replace(terminal.folder / "tigertag.db")
    assert made["backup"].endswith("copy.db")
    assert terminal.json("tags") == before
    assert "Nothing to do" in terminal.scan()


def test_what_cannot_be_copied_to_is_a_mistake_of_the_user(terminal: Terminal) -> None:
    terminal.scan()
    for place in (terminal.folder / "tigertag.db", terminal.pictures):
        assert terminal.run("db", "backup", str(place)).exit_code == 2

"""`write`, `undo` and `verdicts`: nothing is taken back or written again without a person's word."""

from __future__ import annotations

from tests.cli.terminal import Terminal


def test_write_shows_the_exact_difference_first(terminal: Terminal) -> None:
    terminal.scan()
    terminal.settings["ENGINE_METADATA_PREFIX"] = "my"
    said = terminal.ok("write", "--dry-run")
    assert "console\n" in said
    assert "sea/b.jpg  +my_2021 +my_afternoon +my_beach " in said
    assert " -2021 -afternoon -beach " in said
    assert "This was a dry run: nothing was written." in said
    assert "Take it back" in terminal.ok("write")
    assert terminal.ok("write") == "Nothing to write: everything is in line.\n"


def test_write_as_json_has_a_row_for_each_difference_and_a_summary(terminal: Terminal) -> None:
    terminal.scan("--no-write")
    lines = terminal.lines("write", "-n")
    assert [line["type"] for line in lines] == ["difference"] * 3 + ["summary"]
    assert any("beach" in line["add"] for line in lines[:3])


def test_restoring_and_accepting_need_a_yes(terminal: Terminal) -> None:
    terminal.scan()
    for flag in ("--restore", "--accept"):
        result = terminal.run("write", flag)
        assert (result.exit_code, result.stdout) == (9, "")
        assert "Nothing was written. Run it with --yes if you want that." in result.stderr
        assert terminal.run("write", flag, "--yes").exit_code == 0


def test_undo_needs_a_yes_where_nobody_can_be_asked(terminal: Terminal) -> None:
    terminal.scan()
    before = terminal.json("tags")
    result = terminal.run("undo", "--last", given="y\n")
    assert result.exit_code == 9
    assert "on 3 photos. Nothing was changed. Run it with --yes" in result.stderr
    assert terminal.json("tags") == before


def test_undo_shows_what_would_go_then_takes_it_back_once(terminal: Terminal) -> None:
    terminal.scan()
    would = terminal.ok("undo", "1", "--dry-run")
    assert "-beach" in would
    assert would.endswith("on 3 photos. This was a dry run: nothing was changed.\n")
    done = terminal.ok("undo", "1", "--yes")
    assert " removed" in done
    assert "Bring it back: tigertag undo --last --redo" in done
    assert terminal.ok("undo", "1", "--yes") == "Nothing to take back.\n"


def test_what_was_taken_back_comes_again_with_redo(terminal: Terminal) -> None:
    terminal.scan()
    terminal.ok("undo", "--all", "--yes")
    assert "Nothing to do" in terminal.scan()
    assert "beach" in terminal.ok("undo", "--last", "--redo", "--yes")


def test_undo_says_what_it_does_not_know(terminal: Terminal) -> None:
    terminal.scan()
    run = terminal.run("undo", "99", "--yes")
    assert (run.exit_code, run.stderr) == (2, "tigertag: There is no run 99; `tigertag runs` lists them\n")
    source = terminal.run("undo", "--source", "nas", "--yes")
    assert source.exit_code == 2
    assert "known are: folder" in source.stderr


def test_undo_as_json_ends_with_a_summary(terminal: Terminal) -> None:
    terminal.scan()
    would = terminal.lines("undo", "--last", "-n")
    assert {line["type"] for line in would[:-1]} == {"edit"}
    assert (would[-1]["type"], would[-1]["photos"], would[-1]["dry_run"]) == ("summary", 3, True)
    done = terminal.lines("undo", "--last", "--yes")
    assert (done[-1]["type"], done[-1]["removed"]) == ("summary", would[-1]["removed"])


def test_verdicts_are_listed_and_lifted(terminal: Terminal) -> None:
    terminal.scan()
    terminal.ok("undo", "--tag", "beach", "--yes")
    [verdict] = terminal.json("verdicts")
    assert (verdict["tag"], verdict["value"]) == ("beach", "undone")
    assert "beach" in terminal.ok("verdicts")
    assert "1 verdict lifted" in terminal.ok("verdicts", "lift", str(verdict["id"]))
    assert "beach" in terminal.ok("write")


def test_a_verdict_that_is_not_there_is_no_silent_success(terminal: Terminal) -> None:
    terminal.scan()
    result = terminal.run("verdicts", "lift", "7")
    assert (result.exit_code, "There is no verdict 7" in result.stderr) == (2, True)
    assert "0 verdicts lifted" in terminal.ok("verdicts", "lift", "--all")

"""`scan` and `retag`: what they take up, what they say at the end, and their exit codes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.cli.terminal import Terminal
from tests.pictures import jpeg_bytes
from tigertag.cli.scan import moment_of


def printed(output: str) -> set[str]:
    """The photos that the console target named."""
    return {line.split("  ")[0] for line in output.splitlines() if ".jpg  " in line and line[0] != " "}


def test_a_scan_ends_with_what_was_found_done_and_how_to_take_it_back(terminal: Terminal) -> None:
    said = terminal.scan()
    assert f"folder {terminal.pictures}   3 photos · 3 new · 0 changed" in said
    assert "  metadata   nothing leaves this computer" in said
    assert " on 3 photos, 0 removed" in said
    assert "Take it back: tigertag undo 1" in said
    assert f"Answers are kept in {terminal.folder / 'tigertag.db'}" in said
    assert "Your photos are as they were" in said and "Next: " in said
    (terminal.pictures / "new.jpg").write_bytes(jpeg_bytes(9, taken="2020:01:02 10:00:00"))
    terminal.settings |= {"TARGET_XMP_NAME": "xmp"}
    assert "Your photos are as they were" not in terminal.scan(), "sidecars lie beside them"


def test_with_nothing_set_up_four_engines_look_that_need_no_account(terminal: Terminal) -> None:
    terminal.settings.clear()
    lines = terminal.lines("scan", str(terminal.pictures))
    assert lines[-1]["answered"] == dict.fromkeys(("metadata", "places", "colours", "quality"), 3)
    assert lines[-1]["exit_code"] == 0


def test_a_second_scan_says_that_there_is_nothing_to_do(terminal: Terminal) -> None:
    terminal.scan()
    said = terminal.scan()
    assert "Nothing to do: all 3 photos are up to date." in said
    assert "Take it back" not in said


def test_what_a_limit_leaves_is_shown_as_waiting(terminal: Terminal) -> None:
    said = terminal.scan("--limit", "1")
    assert printed(said) == {"sea/c.jpg"}
    assert "  waiting  2 for metadata (the next scan goes on)" in said


def test_a_bad_photo_is_named_once_and_known_the_next_time(terminal: Terminal) -> None:
    (terminal.pictures / "text.jpg").write_text("no picture")
    first = terminal.run("scan", str(terminal.pictures))
    assert first.exit_code == 3
    assert "  failed  1 new: text.jpg" in first.stdout
    assert first.stderr.startswith("tigertag: text.jpg ")
    second = terminal.run("scan", str(terminal.pictures))
    assert (second.exit_code, second.stderr) == (0, "")
    assert "  failed  1 known ones not tried" in second.stdout


def test_a_dry_run_tells_what_would_be_asked_and_keeps_nothing(terminal: Terminal) -> None:
    said = terminal.scan("--dry-run")
    assert "  metadata   nothing leaves this computer · would be asked about 3 photos" in said
    assert "Would ask about 3 photos. This was a dry run" in said
    assert not (terminal.folder / "tigertag.db").exists()


def test_a_dry_run_counts_what_a_limit_left_unopened(terminal: Terminal) -> None:
    terminal.scan("--limit", "1")
    assert "would be asked about 2 photos" in terminal.scan("-n")
    assert "would be asked about 1 photo " in terminal.scan("-n", "--limit", "1")


def test_no_write_keeps_answers_for_write(terminal: Terminal) -> None:
    said = terminal.scan("--no-write")
    assert printed(said) == set()
    assert "3 answers kept, nothing written" in said
    assert printed(terminal.ok("write")) == {"a.jpg", "sea/b.jpg", "sea/c.jpg"}


def test_dates_choose_photos(terminal: Terminal) -> None:
    assert printed(terminal.scan("--since", "2021-07", "--until", "2021-07")) == {"sea/b.jpg"}
    assert printed(terminal.scan("--until", "2020-05-01")) == {"a.jpg"}


@pytest.mark.parametrize("name", ["sea/b.jpg", "pictures/sea/b.jpg"])
def test_photos_are_named_by_standard_input(terminal: Terminal, name: str) -> None:
    result = terminal.run("scan", str(terminal.pictures), "--files-from", "-", given=f"{name}\n\n")
    assert printed(result.stdout) == {"sea/b.jpg"}


def test_photos_are_named_by_their_path_on_disk(terminal: Terminal) -> None:
    named = terminal.folder / "files.txt"
    named.write_text(f"{terminal.pictures / 'sea' / 'c.jpg'}\r\n")
    assert printed(terminal.scan("--files-from", str(named))) == {"sea/c.jpg"}


def test_an_unknown_engine_section_and_folder_are_refused(terminal: Terminal) -> None:
    engine = terminal.run("scan", str(terminal.pictures), "--engine", "imagga")
    assert (engine.exit_code, engine.stderr) == (
        2,
        "tigertag: There is no engine `imagga`; enabled are: metadata\n",
    )
    section = terminal.run("scan", "Holidays")
    assert section.exit_code == 2
    assert "`Holidays`: no such folder" in section.stderr
    folder = terminal.run("scan", str(terminal.folder / "gone"))
    assert folder.exit_code == 5
    assert "gone is missing" in folder.stderr


def test_nothing_set_up_says_how_to_begin(terminal: Terminal) -> None:
    result = terminal.run("scan")
    assert result.exit_code == 2
    assert "tigertag scan ~/Pictures" in result.stderr


def test_a_quiet_scan_prints_tags_and_faults_only(terminal: Terminal) -> None:
    (terminal.pictures / "text.jpg").write_text("no picture")
    result = terminal.run("-q", "scan", str(terminal.pictures))
    assert printed(result.stdout) == {"a.jpg", "sea/b.jpg", "sea/c.jpg"}
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr.startswith("tigertag: text.jpg ")


def test_json_is_a_line_for_each_part_and_the_summary_last(terminal: Terminal) -> None:
    (terminal.pictures / "text.jpg").write_text("no picture")
    lines = terminal.lines("scan", str(terminal.pictures))
    assert [line["type"] for line in lines] == ["tags"] * 3 + ["source", "engine", "failure", "summary"]
    assert (lines[-1]["exit_code"], lines[-1]["run"], lines[-1]["photos"]) == (3, 1, 3)


def test_json_ends_with_a_summary_when_nothing_could_start(terminal: Terminal) -> None:
    lines = terminal.lines("scan", "Holidays")
    assert [line["type"] for line in lines] == ["summary"]
    assert lines[0]["exit_code"] == 2
    assert "Holidays" in lines[0]["errors"][0]


def test_options_of_every_command_may_come_before_and_after_it(terminal: Terminal) -> None:
    before = terminal.run("--json", "scan", str(terminal.pictures), "-n").stdout
    after = terminal.run("scan", "-n", str(terminal.pictures), "--json").stdout
    assert before.splitlines()[:-1] == after.splitlines()[:-1]


def test_names_cannot_steer_the_terminal(terminal: Terminal) -> None:
    terminal.draw("\x1b[31mred\n[bold]x.jpg")
    said = terminal.scan()
    assert "\x1b" not in said
    assert "\\x1b[31mred" in said
    assert "[bold]x.jpg" in said


def test_retag_asks_a_free_engine_again_without_a_question(terminal: Terminal) -> None:
    terminal.scan()
    lines = terminal.lines("retag", "sea/b.jpg")
    assert lines[-1]["answered"] == {"metadata": 1}


def test_the_log_file_holds_the_outcome(terminal: Terminal) -> None:
    log = terminal.folder / "scan.log"
    terminal.scan("--log-file", str(log))
    assert " INFO tigertag.outcome: Done in " in log.read_text()


def test_a_log_file_that_cannot_be_written_stops_at_the_start(terminal: Terminal) -> None:
    result = terminal.run("scan", str(terminal.pictures), "--log-file", str(terminal.folder / "no" / "log"))
    assert result.exit_code == 8
    assert not (terminal.folder / "tigertag.db").exists()


@pytest.mark.parametrize(
    ("text", "last", "expected"),
    [
        ("2021-03-15", False, (2021, 3, 15)),
        ("2021-03-15", True, (2021, 3, 16)),
        ("2021-03", False, (2021, 3, 1)),
        ("2021-12", True, (2022, 1, 1)),
        ("2021", True, (2022, 1, 1)),
    ],
)
def test_a_date_is_local_and_until_includes_it(text: str, last: bool, expected: tuple[int, int, int]) -> None:
    assert moment_of(text, last=last) == datetime(*expected).astimezone(UTC)


def test_a_full_date_is_taken_as_it_is() -> None:
    assert moment_of("2021-03-15T18:30+02:00", last=True) == datetime(2021, 3, 15, 16, 30, tzinfo=UTC)

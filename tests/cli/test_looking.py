"""The commands that look: what people read, and what programs read."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from tests import databases
from tests.cli.terminal import Terminal

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_status_counts_what_is_done_waits_and_failed(terminal: Terminal) -> None:
    (terminal.pictures / "text.jpg").write_text("no picture")
    assert terminal.run("scan", str(terminal.pictures), "--limit", "2").exit_code in (0, 3)
    said = terminal.ok("status")
    assert "4 photos · 2 to be opened" in said
    assert "  metadata  " in said
    assert "  → console  " in said
    assert "Last run: 1, scan" in said


def test_status_before_the_first_scan_makes_no_database(terminal: Terminal) -> None:
    assert "Nothing has been scanned yet" in terminal.ok("status")
    assert not (terminal.folder / "tigertag.db").exists()


def test_status_as_json_is_an_array_with_ids(terminal: Terminal) -> None:
    terminal.scan()
    rows = {row["type"]: row for row in terminal.json("status")}
    assert rows["source"]["items"] == 3
    assert (rows["engine"]["id"], rows["engine"]["done"]) == ("metadata", 3)
    assert rows["target"]["done"] == 3


def test_status_says_that_the_last_run_came_to_nothing(terminal: Terminal) -> None:
    terminal.scan()
    assert terminal.run("scan", "nowhere").exit_code == 2
    assert "Last run: 2, scan, " in terminal.ok("status")
    assert "ended with exit code 2" in terminal.ok("status")


def test_runs_are_listed_newest_first_and_one_in_detail(terminal: Terminal) -> None:
    terminal.scan("--limit", "1")
    terminal.scan()
    first, second = terminal.json("runs")
    assert (first["id"], second["id"], second["exit_code"]) == (2, 1, 0)
    assert ISO.fullmatch(second["started"])
    assert datetime.fromisoformat(second["started"]).utcoffset() is not None
    [detail] = terminal.json("runs", "1")
    assert detail["edits"][0]["action"] == "add"
    assert "Run 1: scan" in terminal.ok("runs", "1")
    assert "sea/c.jpg" in terminal.ok("runs", "1")
    assert terminal.ok("runs", "--limit", "1").count("scan") == 1


def test_a_run_that_ended_with_failures_says_where_they_stand(terminal: Terminal) -> None:
    (terminal.pictures / "text.jpg").write_text("no picture")
    assert terminal.run("scan", str(terminal.pictures)).exit_code == 3
    assert ", 1 photo failed: tigertag status -v\n" in terminal.ok("runs", "1")
    terminal.scan()
    assert "failed" not in terminal.ok("runs", "2")


def test_an_unknown_run_is_refused(terminal: Terminal) -> None:
    terminal.scan()
    assert terminal.run("runs", "5").exit_code == 2


@pytest.mark.parametrize("name", ["sea/b.jpg", "pictures/sea/b.jpg"])
def test_a_photo_is_shown_with_answers_and_tags(terminal: Terminal, name: str) -> None:
    terminal.scan()
    said = terminal.ok("show", name)
    assert said.startswith("pictures/sea/b.jpg\n")
    assert "64 × 48" in said
    assert "100 %  beach" in said
    assert "beach (metadata)" in said


def test_what_was_measured_is_shown_last_rounded_and_without_a_percent(terminal: Terminal) -> None:
    terminal.draw("here.jpg", gps=(46.1234567, 14.5))
    terminal.scan()
    said = terminal.ok("show", "here.jpg").splitlines()
    measured = next(line for line in said if "latitude" in line)
    assert re.fullmatch(r" +latitude = 46\.12345\d? \(measure\)", measured)
    assert max(n for n, line in enumerate(said) if " %  " in line) < said.index(measured)


def test_show_as_json_is_lines_with_the_summary_last(terminal: Terminal) -> None:
    terminal.scan()
    photo, summary = terminal.lines("show", "sea/b.jpg")
    assert (photo["type"], photo["key"]) == ("photo", "sea/b.jpg")
    assert "beach" in [said["name"] for said in photo["answers"][0]["annotations"]]
    assert ISO.fullmatch(photo["answers"][0]["at"])
    assert summary == {"type": "summary", "photos": 1, "exit_code": 0}


def test_a_photo_nobody_knows_is_refused(terminal: Terminal) -> None:
    terminal.scan()
    result = terminal.run("show", "nothing.jpg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No photo is known as `nothing.jpg`" in result.stderr
    assert terminal.lines("show", "nothing.jpg")[-1]["exit_code"] == 2


def test_a_photo_goes_by_its_path_from_the_folder_where_a_person_is(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.scan()
    terminal.draw("sea/a.jpg")  # another is called so, too
    terminal.scan()
    (terminal.folder / "linked").symlink_to(terminal.pictures / "sea")
    monkeypatch.chdir(terminal.folder)
    for typed in ("pictures/sea/a.jpg", "./pictures/sea/../sea/a.jpg", "linked/a.jpg"):
        assert terminal.ok("show", typed).startswith("pictures/sea/a.jpg\n")
    monkeypatch.chdir(terminal.pictures / "sea")
    for command in ("show", "tags explain"):
        assert terminal.ok(*command.split(), "a.jpg").startswith("pictures/sea/a.jpg\n")
    assert terminal.run("retag", "./a.jpg", "--executor", "threads").exit_code == 0


def test_a_photo_that_was_scanned_by_itself_goes_by_its_path(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.ok("scan", str(terminal.pictures / "sea" / "b.jpg"))
    monkeypatch.chdir(terminal.pictures)
    assert terminal.ok("show", "sea/b.jpg").startswith("sea/b.jpg\n")


def test_tags_are_counted(terminal: Terminal) -> None:
    terminal.scan()
    counts = {row["name"]: row["photos"] for row in terminal.json("tags")}
    assert (counts["beach"], counts["landscape"]) == (1, 3)
    assert re.search(r"^landscape +tag +3 +3 +3 +metadata$", terminal.ok("tags"), re.MULTILINE)


def test_tags_are_explained(terminal: Terminal) -> None:
    terminal.scan()
    [row] = terminal.json("tags", "explain", "sea/b.jpg", "beach")
    assert (row["said"], row["outcome"]) == ("beach", "written")
    assert "beach  100 %  metadata  written" in terminal.ok("tags", "explain", "sea/b.jpg", "beach")
    assert "No engine in force has said so." in terminal.ok("tags", "explain", "sea/b.jpg", "zebra")


def test_engines_and_the_variables_of_one(terminal: Terminal) -> None:
    assert {"imagga", "compreface", "metadata"} <= {row["id"] for row in terminal.json("engines")}
    assert "metadata    in use as metadata" in terminal.ok("engines")
    said = terminal.ok("engines", "imagga")
    assert re.search(r"^ENGINE_IMAGGA_API_KEY +needed", said, re.MULTILINE)
    assert re.search(r"^ENGINE_IMAGGA_MAX_TAGS +8 ", said, re.MULTILINE)


def test_engines_are_listed_and_told_of_while_their_settings_are_unfinished(terminal: Terminal) -> None:
    terminal.settings["ENGINE_IMAGGA_API_KEY"] = "only half of what it needs"
    assert re.search(r"^imagga +in use as imagga", terminal.ok("engines"), re.MULTILINE)
    assert "ENGINE_IMAGGA_API_SECRET" in terminal.ok("engines", "imagga")


def test_an_engine_by_its_dotted_path_is_listed_and_told_of_by_its_id(terminal: Terminal) -> None:
    path = "tests.plugins_for_tests.Painter"
    terminal.settings |= {"ENGINE_MY_OWN_NAME": path, "ENGINE_MY_OWN_API_KEY": "key"}
    assert re.search(rf"^{path} +in use as my_own", terminal.ok("engines"), re.MULTILINE)
    for name in ("my_own", "MY_OWN", path):
        said = terminal.ok("engines", name)
        assert re.search(r"^ENGINE_MY_OWN_API_KEY +needed", said, re.MULTILINE)
        assert re.search(rf"^ENGINE_MY_OWN_NAME +needed +`{path}`$", said, re.MULTILINE)
    terminal.settings.clear()
    assert re.search(r"^ENGINE_<ID>_API_KEY +needed", terminal.ok("engines", path), re.MULTILINE)


def test_settings_are_shown_with_their_origin_and_without_secrets(terminal: Terminal) -> None:
    terminal.settings |= {"ENGINE_IMAGGA_API_KEY": "canary-1", "ENGINE_IMAGGA_API_SECRET": "canary-2"}
    said = terminal.ok("config") + terminal.ok("config", "--json")
    assert "canary" not in said
    assert re.search(r"^ENGINE_IMAGGA_API_KEY +.*test.env line 3 +\*\*\*$", said, re.MULTILINE)


def test_check_says_that_all_is_well(terminal: Terminal) -> None:
    said = terminal.ok("check")
    assert re.search(r"^ok  database +sqlite", said)
    assert "ok  engine metadata" in said
    assert [row["ok"] for row in terminal.json("check")] == [True] * len(said.splitlines())


def test_check_says_once_what_leaves_the_house(terminal: Terminal) -> None:
    assert terminal.ok("check").count("nothing leaves this computer") == 1


def test_check_goes_on_where_the_database_cannot_be_used(terminal: Terminal) -> None:
    (terminal.folder / "tigertag.db").write_bytes(b"no database at all" * 100)
    result = terminal.run("check")
    assert result.exit_code == 6
    assert "!!  database" in result.stdout
    assert "ok  engine metadata" in result.stdout


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_check_says_that_the_database_may_not_be_written(terminal: Terminal, kind: str, tmp_path: Path) -> None:
    with databases.empty_url(kind, tmp_path) as url, databases.server(kind).reader(url) as readers_url:
        terminal.settings["DB_URL"] = url
        terminal.scan()
        assert terminal.run("check").exit_code == 0
        terminal.settings["DB_URL"] = readers_url
        result = terminal.run("check")
    assert result.exit_code == 8
    assert re.search(r"^!!  database .*\n.*does not let its user do this", result.stdout, re.MULTILINE)


def test_check_names_all_mistakes_at_once(terminal: Terminal) -> None:
    terminal.settings = {
        "DB_URL": "oracle://db",
        "PLEX_TOKN": "canary-1",
        "PLEX_URL": "nas",
        "ENGINE_METADATA_PREFX": "x",
        "ENGINE_METADATA_MIN_CONFIDENCE": "much",
        "VOCABULARY": "nowhere.yaml",
    }
    result = terminal.run("check")
    assert (result.exit_code, result.stdout) == (2, "")
    for name in terminal.settings:
        assert f"`{name}`" in result.stderr
    assert all(line.startswith("tigertag: ") for line in result.stderr.splitlines())
    assert "canary" not in result.stderr
    assert {row["exit_code"] for row in terminal_rows(terminal)} == {2}


def terminal_rows(terminal: Terminal) -> list[dict[str, object]]:
    import json

    rows: list[dict[str, object]] = json.loads(terminal.run("check", "--json").stdout)
    return rows


def test_people_need_an_engine_that_knows_some(terminal: Terminal) -> None:
    result = terminal.run("people", "list")
    assert result.exit_code == 2
    assert "tigertag engines compreface" in result.stderr


def test_the_database_is_made_upgraded_and_checked(terminal: Terminal) -> None:
    assert "has no tables yet, needed is" in terminal.ok("db", "current")
    assert "now has schema" in terminal.ok("db", "upgrade")
    assert "is up to date" in terminal.ok("db", "upgrade")
    [row] = terminal.json("db", "current")
    assert row["current"] == row["needed"] != ""
    assert "is sound" in terminal.ok("db", "check")


def test_a_file_that_is_no_database_stops_with_its_name(terminal: Terminal) -> None:
    (terminal.folder / "tigertag.db").write_bytes(b"no database at all" * 100)
    result = terminal.run("status")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "tigertag.db" in result.stderr


def test_a_settings_file_that_all_can_read_is_warned_of(terminal: Terminal) -> None:
    terminal.settings |= {"ENGINE_IMAGGA_API_KEY": "canary-1", "ENGINE_IMAGGA_API_SECRET": "canary-2"}
    terminal.env_file().chmod(0o644)
    from click.testing import CliRunner

    from tigertag.cli.main import cli

    result = CliRunner().invoke(cli, ["--env-file", str(terminal.folder / "test.env"), "config"])
    assert result.exit_code == 0
    assert result.stderr.startswith("tigertag: warning: ")
    assert "canary" not in result.output

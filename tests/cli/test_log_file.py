"""A log file that cannot be written."""

from __future__ import annotations

from tests.cli.terminal import Terminal


def test_a_log_file_in_no_folder_is_named_once(terminal: Terminal) -> None:
    done = terminal.start("scan", str(terminal.pictures), "--log-file", "nowhere/a.log")
    _, said = done.communicate(timeout=60)
    assert done.returncode == 8
    assert said.decode().splitlines() == [
        "tigertag: The log file nowhere/a.log cannot be written (No such file or directory): name another"
    ]

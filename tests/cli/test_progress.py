"""How a run gets on, in a log."""

from __future__ import annotations

import pytest

from tigertag.cli.progress import Lines


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_every_five_hundred_photos(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(Clock())
    lines.begin(80214)
    for number in range(1200):
        lines.finished(f"{number}.jpg")
    assert capsys.readouterr().err == "500 of 80,214 …\n1,000 of 80,214 …\n"


def test_a_log_gets_a_line_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    lines.begin(9)
    for _ in range(3):
        clock.now += 20
        lines.finished("slow.jpg")
    assert capsys.readouterr().err == "2 of 9 …\n"


def test_what_is_said_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Lines(Clock()).say("imagga: \x1b[2J")
    assert capsys.readouterr().err == "tigertag: imagga: \\x1b[2J\n"

"""An exiftool that hangs, ends, talks nonsense or is too old (RELIABILITY M14)."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tigertag.errors import PhotoError, PluginDown, TigerTagError, TransientError
from tigertag.exiftool import ExifTool


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


FAKE = """
import os, signal, sys, time
VERSION, DEED = sys.argv[1:3]
arguments = []
for line in sys.stdin:
    line = line.rstrip("\\n")
    arguments.append(line)
    if not line.startswith("-execute"):
        continue
    number, text = line.removeprefix("-execute"), "said"
    if "-ver" in arguments:
        text = VERSION
    elif "x.jpg" in arguments:
        exec(DEED)
    print(text, flush=True)
    print("{ready%s}" % number, flush=True)
    print("Warning: [minor] odd - x.jpg\\nError: bad - x.jpg\\n{done%s}" % number, file=sys.stderr, flush=True)
    arguments = []
"""


def fake(tmp_path: Path, deed: str = "pass", *, version: str = "12.57", limit: float = 5) -> ExifTool:
    """An exiftool that does something when it is asked for x.jpg."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    return ExifTool((sys.executable, str(script), version, deed), limit=limit)


def fault(tool: ExifTool, *arguments: str) -> TigerTagError:
    with pytest.raises(TigerTagError) as caught:
        tool.ask(*arguments, "x.jpg", name="Summer/x.jpg")
    assert "\n" not in str(caught.value)
    return caught.value


def test_warnings_and_errors_are_told_apart(tmp_path: Path) -> None:
    with fake(tmp_path) as tool:
        answer = tool.ask("x.jpg", name="x.jpg")
    assert (answer.text, answer.warnings, answer.errors) == (
        b"said\n",
        ("[minor] odd - x.jpg",),
        ("bad - x.jpg",),
    )


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("sys.exit(3)", "exit code 3"),
        ("os.close(1); os.close(2); time.sleep(60)", "closed its output"),
    ],
)
def test_a_crash_is_the_fault_of_the_file_and_the_next_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: str, says: str
) -> None:
    monkeypatch.setattr("tigertag.exiftool.process._PATIENCE", 0.5)
    with fake(tmp_path, deed) as tool:
        error = fault(tool)
        assert isinstance(error, PhotoError)
        assert says in str(error) and "Summer/x.jpg" in str(error)
        assert tool.ask("y.jpg", name="y.jpg").text == b"said\n"


@pytest.mark.parametrize(
    "deed",
    [
        "time.sleep(60)",
        "print('{ready1}', flush=True); time.sleep(60)",  # another question's mark
        "print('x' * 100, flush=True); time.sleep(60)",
        "os.close(0); time.sleep(60)",
    ],
)
def test_one_that_hangs_is_ended_and_the_file_may_be_tried_again(tmp_path: Path, deed: str) -> None:
    with fake(tmp_path, deed) as tool:
        tool.ask("y.jpg", name="y.jpg")  # it has started
        pid = tool._running._process.pid  # type: ignore[union-attr]
        tool._limit = 0.3
        error = fault(tool)
        assert isinstance(error, TransientError)
        assert "Summer/x.jpg" in str(error)
        assert not lives(pid)
        tool._limit = 5
        assert tool.ask("y.jpg", name="y.jpg").text == b"said\n"


def test_one_that_does_not_even_listen_is_ended(tmp_path: Path) -> None:
    with fake(tmp_path, "time.sleep(60)") as tool:
        tool.ask("y.jpg", name="y.jpg")
        running = tool._running
        assert running is not None
        os.kill(running._process.pid, signal.SIGSTOP)
        with pytest.raises(TransientError):
            tool.ask("y" * (1 << 20), name="x.jpg", limit=0.3)
        assert not lives(running._process.pid)


def test_one_that_talks_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tigertag.exiftool.process._LONGEST", 1 << 20)
    with fake(tmp_path, "while True: print('x' * 100000)") as tool:
        assert "said more than 1 MiB" in str(fault(tool))


def test_breaking_down_again_and_again_is_not_the_files_fault(tmp_path: Path) -> None:
    with fake(tmp_path, "sys.exit(1)") as tool:
        kinds = [type(fault(tool)) for _ in range(3)]
    assert kinds == [PhotoError, PhotoError, PluginDown]


def test_a_question_that_was_broken_off_does_not_answer_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake(tmp_path) as tool:
        tool.ask("y.jpg", name="y.jpg")
        running = tool._running
        assert running is not None

        def broken_off(mark: str, until: float) -> bytes:
            raise KeyboardInterrupt

        monkeypatch.setattr(running._output, "up_to", broken_off)
        with pytest.raises(KeyboardInterrupt):
            tool.ask("y.jpg", name="y.jpg")
        assert not lives(running._process.pid)


@pytest.mark.parametrize("version", ["12.37", "9.99", "", "twelve", "<html>", "12.57 (warning)"])
def test_an_old_one_is_not_used(tmp_path: Path, version: str) -> None:
    with fake(tmp_path, version=version) as tool:
        error = fault(tool)
        assert isinstance(error, PluginDown)
        assert "12.38" in str(error)


@pytest.mark.parametrize("version", ["12.38", "13.05", "13.10"])
def test_a_new_one_is(tmp_path: Path, version: str) -> None:
    with fake(tmp_path, version=version) as tool:
        assert tool.ask("y.jpg", name="y.jpg").text == b"said\n"


def test_a_missing_one_is_named(tmp_path: Path) -> None:
    with ExifTool((str(tmp_path / "exiftool"),)) as tool:
        error = fault(tool)
    assert isinstance(error, PluginDown)
    assert "not installed" in str(error)


def test_one_that_does_not_start_is_named(tmp_path: Path) -> None:
    script = tmp_path / "exiftool"
    script.write_text("#!/bin/sh\necho broken Perl >&2; exit 2\n")
    script.chmod(0o755)
    with ExifTool((str(script),)) as tool:
        error = fault(tool)
    assert isinstance(error, PluginDown)
    assert "exit code 2" in str(error)


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    tool = fake(tmp_path)
    tool.ask("y.jpg", name="y.jpg")
    running = tool._running
    assert running is not None
    tool.close()
    tool.close()
    assert not lives(running._process.pid)

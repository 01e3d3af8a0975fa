"""The program as a process: signals, closed and broken streams, terminals that know ASCII only."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tigertag.cli.signals import after_this_step
from tigertag.errors import StoreError
from tigertag.store.database import Database
from tigertag.store.lock import RunLock

PLAIN = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, (out or b"").decode(), (err or b"").decode()


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture
def many(terminal: Terminal) -> Terminal:
    """With so many photos that a signal comes amid them."""
    terminal.draw(*(f"many/{number:03}.jpg" for number in range(150)))
    return terminal


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order_and_the_next_one_goes_on(many: Terminal, number: int, code: int) -> None:
    process = many.start("scan", str(many.pictures))
    first_line(process)
    process.send_signal(number)
    returned, out, err = ended(process)
    assert returned == code, err
    assert "Stopping: finishing what is under way…" in err
    assert "Stopped after" in out
    assert many.json("runs")[0]["state"] == "stopped"
    many.scan()
    assert "Nothing to do: all 153 photos are up to date." in many.scan()


def test_a_second_signal_ends_it_at_once(terminal: Terminal) -> None:
    script = (
        "import os, signal, threading, time\n"
        "from tigertag.cli.signals import after_this_step\n"
        "class Run:\n"
        "    stop, stopped_by = threading.Event(), None\n"
        "with after_this_step(Run()):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    assert done.returncode == 143
    assert done.stderr.count(b"Stopping") == 1


@pytest.mark.parametrize("context", ["after_this_step(Run())", "at_once()"])
def test_a_second_signal_ends_it_also_where_the_database_makes_it_wait(context: str, tmp_path: Path) -> None:
    """A lock of SQLite is waited for where Python handles no signal."""
    script = (
        "import os, signal, sqlite3, sys, threading\n"
        "from tigertag.cli.signals import after_this_step, at_once\n"
        "class Run:\n"
        "    stop, stopped_by = threading.Event(), None\n"
        "holder, waiter = (sqlite3.connect(sys.argv[1], timeout=60) for _ in range(2))\n"
        "holder.execute('BEGIN IMMEDIATE')\n"
        "def signals():\n"
        "    for _ in range(2):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        threading.Event().wait(0.2)\n"
        f"with {context}:\n"
        "    threading.Timer(0.2, signals).start()\n"
        "    waiter.execute('BEGIN IMMEDIATE')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.db")]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 130


def test_a_run_that_was_told_to_stop_says_so_whatever_else_it_met() -> None:
    class Run:
        stop = threading.Event()
        stopped_by: int | None = 15

    with pytest.raises(StoreError) as caught, after_this_step(Run()):
        raise StoreError("The database is away")
    assert caught.value.exit_code == 143


def test_a_signal_ends_the_wait_for_another_run(terminal: Terminal) -> None:
    terminal.scan()
    with holding_the_lock(terminal):
        refused = terminal.run("scan", str(terminal.pictures))
        assert (refused.exit_code, "Another run (pid" in refused.stderr) == (7, True)
        waiting = terminal.start("scan", str(terminal.pictures), "--wait", "--log-file", "log")
        wait_for(terminal.folder / "log")
        waiting.send_signal(signal.SIGTERM)
        returned, _, err = ended(waiting)
    assert returned == 143, err
    assert "Traceback" not in err


@contextmanager
def holding_the_lock(terminal: Terminal) -> Iterator[None]:
    with Database.open(f"sqlite:///{terminal.folder / 'tigertag.db'}") as database:
        held = RunLock().acquire(database, "scan")
        try:
            yield
        finally:
            held.release()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)


def test_a_terminal_that_knows_ascii_only_gets_plain_signs(terminal: Terminal) -> None:
    terminal.draw("größe 🐯.jpg", keywords=["Café"])
    returned, out, err = ended(terminal.start("scan", str(terminal.pictures), env=PLAIN))
    assert (returned, err) == (0, "")
    assert out.isascii()
    assert "Caf\\xe9" in out
    assert "4 photos - 4 new - 0 changed" in out


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_nothing(terminal: Terminal, closed: str) -> None:
    program = (
        f'"{sys.executable}" -m tigertag --env-file "{terminal.env_file()}" scan "{terminal.pictures}" {closed}'
    )
    done = subprocess.run(["sh", "-c", program], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert len(terminal.json("tags")) > 3


def test_a_reader_who_goes_early_is_no_fault(many: Terminal) -> None:
    many.scan()
    reader, writer = os.pipe()
    os.close(reader)
    returned, _, err = ended(many.start("runs", "1", stdout=writer))
    os.close(writer)
    assert (returned, err) == (0, "")


def test_tags_that_nobody_reads_are_said_once_and_printed_by_the_next_run(many: Terminal) -> None:
    many.scan("--no-write")
    reader, writer = os.pipe()
    os.close(reader)
    returned, _, err = ended(many.start("write", "--quiet", stdout=writer))
    os.close(writer)
    assert returned == 3
    assert err.count("nothing more can be printed") == len(err.splitlines()) == 1
    assert len([line for line in many.ok("write").splitlines() if ".jpg  " in line]) > 1


def test_a_full_disk_under_the_output_is_said(terminal: Terminal) -> None:
    terminal.scan()
    with Path("/dev/full").open("wb") as full:
        returned, _, err = ended(terminal.start("tags", stdout=full))
    assert (returned, err) == (
        8,
        "tigertag: The results cannot be written (No space left on device): where is the output sent?\n",
    )


def test_a_fault_in_the_program_is_one_line_and_code_1(terminal: Terminal) -> None:
    script = "import tigertag.app.context as c\ndef load(*a, **k): raise KeyError('lost')\nc.App.load = load\n"
    command = f"{script}from tigertag.__main__ import main\nmain()"
    done = subprocess.run([sys.executable, "-c", command, "runs"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tigertag: a fault in TigerTag (KeyError: 'lost'); run it with --debug")
    assert done.stderr.count("\n") == 1
    debug = subprocess.run([sys.executable, "-c", command, "runs", "--debug"], capture_output=True, text=True)
    assert "Traceback" in debug.stderr


def on_a_terminal(terminal: Terminal, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Runs it on a terminal of its own, and types."""
    ours, theirs = pty.openpty()
    process = terminal.start(*arguments, env={"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(60), shown.decode()


def test_a_person_is_asked_before_something_is_taken_back(terminal: Terminal) -> None:
    terminal.scan()
    code, shown = on_a_terminal(terminal, "undo", "--last", typed="n\n")
    assert code == 9
    assert "on 3 photos. Go on? [y/N]" in shown
    code, shown = on_a_terminal(terminal, "undo", "--last", typed="y\n")
    assert code == 0
    assert "Bring it back" in shown


def test_the_bar_leaves_the_results_whole(terminal: Terminal) -> None:
    code, shown = on_a_terminal(terminal, "scan", str(terminal.pictures))
    assert code == 0
    assert "sea/b.jpg  " in shown
    assert "Done in" in shown
    assert "tigertag: " not in shown

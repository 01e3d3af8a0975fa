"""exiftool held open: what it is told, and what can be no order to it (RELIABILITY M15)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pictures import jpeg_bytes
from tigertag.exiftool import ExifTool, assignment, file, output_beside
from tigertag.exiftool.arguments import UNESCAPE, lines

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


@pytest.fixture(scope="module")
def tool() -> Iterator[ExifTool]:
    with ExifTool() as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "x.jpg"
    path.write_bytes(jpeg_bytes(1, size=(32, 24)))
    return path


def written(tool: ExifTool, path: Path, *arguments: str) -> Path:
    made = path.with_name("made.tmp")
    made.unlink(missing_ok=True)
    answer = tool.ask(UNESCAPE, *arguments, *output_beside("made.tmp"), file(path), name="x.jpg")
    assert answer.errors == ()
    return made


def subjects(tool: ExifTool, path: Path) -> object:
    said = tool.ask("-j", "-api", "struct=1", "-XMP-dc:Subject", file(path), name="x.jpg")
    return json.loads(said.text)[0].get("Subject")


# The real one.


@needs_exiftool
def test_one_process_answers_many_questions(tool: ExifTool, photo: Path) -> None:
    first = tool.ask("-s3", "-FileType", file(photo), name="x.jpg")
    second = tool.ask("-s3", "-ImageWidth", file(photo), name="x.jpg")
    assert (first.text.strip(), second.text.strip()) == (b"JPEG", b"32")
    assert float(tool.version) > 12


@needs_exiftool
def test_what_it_says_of_a_file_belongs_to_the_answer(tool: ExifTool, tmp_path: Path) -> None:
    gone = tool.ask("-j", file(tmp_path / "gone.jpg"), name="gone.jpg")
    assert gone.errors == (f"File not found - {tmp_path / 'gone.jpg'}",)
    assert tool.ask("-ver", name="").errors == ()


NAMES = (
    "-execute",
    "-stay_open",
    "@file",
    "#comment",
    "<=/etc/passwd",
    "a|b",
    "a;b,c",
    "q\"uo'te",
    "$model ${self:x} %d%f",
    "&amp; &lt;b&gt; &#65;",
    " blank before and after ",
    "two\nlines",
    "tab\tbed",
    "tür 日本 😀 שלום",
    "\\n \\x41 \\",
    "{ready1}",
    "x" * 300,
)


@needs_exiftool
@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_only_a_value(tool: ExifTool, photo: Path, name: str) -> None:
    made = written(tool, photo, assignment("XMP-dc:Subject", "dog"), assignment("XMP-dc:Subject", name))
    assert subjects(tool, made) == ["dog", name]
    assert {each.name for each in photo.parent.iterdir()} == {"x.jpg", "made.tmp"}


@needs_exiftool
@pytest.mark.parametrize(
    "name",
    [
        "-execute",
        "@args",
        "#x.jpg",
        "touch pwned|",
        "%d%f %e.jpg",
        "a b  .jpg",
        "tür 😀.jpg",
        "$x;`y`.jpg",
        "*.jpg",
    ],
)
def test_a_file_name_is_only_a_name(tool: ExifTool, photo: Path, name: str) -> None:
    folder = photo.parent / ("%f " + name)
    folder.mkdir()
    path = photo.rename(folder / name)
    assert subjects(tool, written(tool, path, assignment("XMP-dc:Subject", "dog"))) == ["dog"]
    assert {each.name for each in folder.iterdir()} == {name, "made.tmp"}
    assert {each.name for each in folder.parent.iterdir()} == {folder.name}


@needs_exiftool
def test_a_name_that_is_no_text_is_a_name(tool: ExifTool, photo: Path) -> None:
    path = photo.with_name(os.fsdecode(b"caf\xe9.jpg"))
    try:
        photo.rename(path)
    except OSError:
        pytest.skip("file names are text here")
    assert subjects(tool, written(tool, path, assignment("XMP-dc:Subject", "dog"))) == ["dog"]


@needs_exiftool
def test_what_it_makes_is_for_us_alone(tool: ExifTool, photo: Path) -> None:
    made = written(tool, photo, assignment("XMP-dc:Subject", "dog"))
    assert made.stat().st_mode & 0o777 == 0o600


@needs_exiftool
def test_an_interrupt_from_the_terminal_does_not_reach_it(tool: ExifTool) -> None:
    tool.ask("-ver", name="")
    assert os.getpgid(tool._running._process.pid) != os.getpgid(0)  # type: ignore[union-attr]


@needs_exiftool
def test_the_configuration_of_the_user_is_not_read(
    photo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".ExifTool_config").write_text(f"open(F, '>', '{home}/read'); 1;")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("EXIFTOOL_HOME", str(home))
    with ExifTool() as tool:
        tool.ask("-j", file(photo), name="x.jpg")
    assert not (home / "read").exists()


@needs_exiftool
def test_it_ends_when_the_program_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from tigertag.exiftool import ExifTool\n"
        "tool = ExifTool(); tool.ask('-ver', name='')\n"
        "print(tool._running._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    assert until(lambda: not lives(int(done.stdout)))


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it comes to hold in time; looks every few milliseconds."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        if time.monotonic() > end:
            return False
        pause.wait(0.02)
    return True


# What cannot be an argument.


@pytest.mark.parametrize("value", ["a\0b", "a\x1bb", "a\ud800b", "a\uffffb"])
def test_a_value_that_no_metadata_can_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"it holds the character U\+"):
        assignment("XMP-dc:Subject", value)


@pytest.mark.parametrize("tag", ["XMP-dc:Subject=x\n-execute", "", "-x", "a b", "x<"])
def test_a_tag_is_a_plain_name(tag: str) -> None:
    with pytest.raises(ValueError, match="no assignment"):
        assignment(tag, "dog")


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\rb.jpg", "a\0b.jpg"])
def test_a_file_name_with_a_line_break_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        file(Path("/photos", name))


@pytest.mark.parametrize("name", ["%d.tmp", "a/b.tmp", "a\nb.tmp"])
def test_a_result_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        output_beside(name)


@pytest.mark.parametrize("argument", ["a\n-execute", "", " -a", "# a", "a\rb", "a\0b"])
def test_an_argument_is_one_line(argument: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        lines((argument,))

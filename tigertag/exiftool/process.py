"""The process: started once, asked many times, ended where it hangs, and never believed without its counter."""

from __future__ import annotations

import logging
import queue
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.exiftool.arguments import lines

log = logging.getLogger(__name__)

OLDEST = (12, 38)
"""Before this a file's name or contents could run commands (CVE-2021-22204, CVE-2022-23935)."""
LIMIT = 60.0
"""Seconds for one file."""
_LONGEST = 256 << 20
_PATIENCE = 2.0
"""Seconds in which it may end by itself."""
_FITS = 1 << 12
"""Bytes that a pipe takes though nobody reads (pipe(7)): waiting for more needs a watch."""
_BREAKDOWNS = 3
"""In a row; then it is not the files."""
_GUARD = Path(__file__).with_name("guard.config")
_COMMON = ("-charset", "filename=UTF8", "-charset", "UTF8")


@dataclass(frozen=True, slots=True)
class Answer:
    """What exiftool said to one question."""

    text: bytes
    """Its standard output."""
    warnings: tuple[str, ...] = ()
    """In its own words, without `Warning:`."""
    errors: tuple[str, ...] = ()


class ExifTool:
    """Starts at the first question. Safe to use from several threads, which take turns."""

    def __init__(self, command: Sequence[str] = ("exiftool",), *, limit: float = LIMIT) -> None:
        """`limit` is in seconds for each question."""
        self._command = tuple(command)
        self._limit = limit
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._breakdowns = 0
        self.version = ""
        """As it says itself (`12.57`), once it was started."""

    def ask(self, *arguments: str, name: str, limit: float | None = None) -> Answer:
        """One question, about what a person calls `name`. What exiftool says of the file is in the answer.

        Raises PluginDown where exiftool is missing, too old, or broke down several times in a row; PhotoError
        where it ended or talked nonsense over this file, TransientError where it took longer than the limit.
        It starts anew with the next question.
        """
        with self._lock:
            running = self._running or self._start()
            try:
                answer = running.ask((*_COMMON, *arguments), limit or self._limit)
            except _Broke as error:
                self._end(patience=0)
                raise self._given_up(name, error) from error
            except BaseException:  # its answer would be taken for that to the next question
                self._end(patience=0)
                raise
            self._breakdowns = 0
            return answer

    def _given_up(self, name: str, error: _Broke) -> PluginDown | PhotoError | TransientError:
        self._breakdowns += 1
        if self._breakdowns >= _BREAKDOWNS:
            times = f"{self._breakdowns} times in a row"
            return PluginDown(f"exiftool broke down {times}, last over {name} ({error})")
        if isinstance(error, _TooSlow):
            return TransientError(f"exiftool {error} for {name} and was ended")
        return PhotoError(f"exiftool {error} over {name}")

    def _start(self) -> _Running:
        path = shutil.which(self._command[0])
        if path is None:
            raise PluginDown(
                f"{self._command[0]} is not installed. Get it from exiftool.org or as libimage-exiftool-perl, "
                "or write sidecars."
            )
        try:
            running = _Running((path, *self._command[1:]))
        except OSError as error:
            raise PluginDown(f"{path} cannot be started ({error.strerror or error})") from error
        self._running = running
        try:
            said = running.ask(("-ver",), self._limit).text.decode("ascii", "replace").strip()
        except _Broke as error:
            self._end()
            raise PluginDown(f"{path} cannot be used: it {error} when asked for its version") from error
        if _number(said) < OLDEST:
            self._end()
            oldest = ".".join(map(str, OLDEST))
            raise PluginDown(
                f"{path} (version {said[:20]!r}) is too old: before {oldest} a photo could make it run commands"
            )
        self.version = said
        return running

    def close(self) -> None:
        """Twice is once."""
        with self._lock:
            self._end()

    def _end(self, patience: float = _PATIENCE) -> None:
        if self._running is not None:
            self._running.close(patience)
        self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _number(said: str) -> tuple[int, int]:
    """`12.38` as numbers; zeros for anything else."""
    major, _, minor = said.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


class _Broke(Exception):
    """What the process did, as the predicate of a sentence."""


class _TooSlow(_Broke):
    """It may be the disk."""


_End = None
"""In a queue: the stream is at its end."""


class _Running:
    """One process and the threads that read what it says."""

    def __init__(self, command: Sequence[str]) -> None:
        self._count = secrets.randbelow(10**9)  # no file can hold the mark of its own end
        self._process = subprocess.Popen(
            [*command, "-config", str(_GUARD), "-stay_open", "True", "-@", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            umask=0o077,  # what it makes is for us alone until it is done
            start_new_session=True,  # a Ctrl-C is our business: it finishes its file
        )
        process = self._process
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self._input = process.stdin
        self._output, self._remarks = _Stream(process.stdout), _Stream(process.stderr)

    def ask(self, arguments: tuple[str, ...], limit: float) -> Answer:
        """Raises _Broke."""
        self._count += 1
        until = time.monotonic() + limit
        order = (*arguments, "-echo4", f"{{done{self._count}}}", f"-execute{self._count}")
        self._send(lines(order), until)
        output = self._output.up_to(f"{{ready{self._count}}}", until)
        remarks = self._remarks.up_to(f"{{done{self._count}}}", until)
        if output is None or remarks is None:
            raise _Broke(self._ending())
        said = remarks.decode("utf-8", "replace").splitlines()
        return Answer(output, tuple(_starting("Warning: ", said)), tuple(_starting("Error: ", said)))

    def _send(self, order: bytes, until: float) -> None:
        watch = threading.Timer(until - time.monotonic(), self._process.kill)
        if len(order) > _FITS:
            watch.start()
        try:
            self._input.write(order)
            self._input.flush()
        except OSError as error:
            if time.monotonic() >= until:
                raise _TooSlow("needed too long") from error
            raise _Broke(self._ending()) from error
        finally:
            watch.cancel()

    def _ending(self) -> str:
        try:
            code = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"ended by itself (signal {-code})" if code < 0 else f"ended by itself (exit code {code})"

    def close(self, patience: float) -> None:
        """Asks it to end, and ends it where it has not after `patience` seconds; at once for 0."""
        try:
            if not patience:
                raise subprocess.TimeoutExpired((), 0)
            self._input.write(b"-stay_open\nFalse\n")
            self._input.close()
            self._process.wait(patience)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
            with suppress(OSError):  # what it did not take any more
                self._input.close()
        self._output.close()
        self._remarks.close()


def _starting(mark: str, said: Sequence[str]) -> list[str]:
    return [line.removeprefix(mark) for line in said if line.startswith(mark)]


class _Stream:
    """A stream that a thread reads, so that waiting for it can have an end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while chunk := self._stream.read1(1 << 16):  # type: ignore[attr-defined]
                self._chunks.put(chunk)
        except (OSError, ValueError):  # closed while it was read
            log.debug("exiftool's output was closed")
        self._chunks.put(_End)

    def up_to(self, mark: str, until: float) -> bytes | None:
        """What comes before a last line `mark`; None where the stream ends before. Raises _Broke."""
        end = mark.encode()
        said = bytearray()
        while not said.endswith((end + b"\n", end + b"\r\n")):
            try:
                chunk = self._chunks.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise _TooSlow("needed too long") from None
            if chunk is _End:
                return None
            said += chunk
            if len(said) > _LONGEST:
                raise _Broke(f"said more than {_LONGEST >> 20} MiB")
        return bytes(said.rstrip(b"\r\n")[: -len(end)])

    def close(self) -> None:
        """After the process has ended."""
        self._thread.join(1)
        self._stream.close()

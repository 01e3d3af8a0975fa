"""How a run gets on: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from tigertag.app.context import App
from tigertag.app.scanning import Tally
from tigertag.cli.screen import err, visible
from tigertag.cli.shared import Shared

_ITEMS, _SECONDS = 500, 30.0  # A log gets a line after so many items or seconds.


class Silent:
    """Says only what a person should read now."""

    def follow(self, tally: Tally) -> None: ...
    def begin(self, total: int) -> None: ...
    def finished(self, path: str) -> None: ...
    def say(self, line: str) -> None: ...


class Lines(Silent):
    """`1,200 of 80,214 …`, for logs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total = self._done = 0
        self._last = clock()

    def begin(self, total: int) -> None:
        self._total, self._done, self._last = total, 0, self._clock()

    def finished(self, path: str) -> None:
        self._done += 1
        if self._done % _ITEMS == 0 or self._clock() - self._last >= _SECONDS:
            self._last = self._clock()
            err(f"{self._done:,} of {self._total:,} …")

    def say(self, line: str) -> None:
        err(f"tigertag: {visible(line)}")


class Bar(Lines):
    """A bar with rate, failures and time left, below the lines that are printed meanwhile."""

    def __init__(self, first: str) -> None:
        super().__init__()
        self._tally: Tally | None = None
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            _Count(""),
            _Rate(""),
            TextColumn("{task.fields[failed]}", markup=False),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
            transient=True,
            # Lines on standard output go round the bar only where both are one terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._progress.add_task(first, total=None, failed="")

    def begin(self, total: int) -> None:
        self._progress.reset(self._task, description="Asking the engines", total=total)

    def follow(self, tally: Tally) -> None:
        self._tally = tally

    def finished(self, path: str) -> None:
        failed = len(self._tally.failures) if self._tally else 0
        self._progress.update(self._task, advance=1, failed=f"{failed:,} failed" if failed else "")
        if self._progress.tasks[0].finished:
            self._progress.update(self._task, description="Writing")

    @contextmanager
    def shown(self) -> Iterator[None]:
        self._progress.start()
        try:
            yield
        finally:
            self._progress.stop()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While a person is asked something."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


class _Count(TextColumn):
    """`1,200 of 80,214`; nothing while nobody knows how many there are."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f} of {task.total:,.0f}" if task.total else "")


class _Rate(TextColumn):
    """Photos a second, or a minute where that is below one."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:,.1f}/s" if speed >= 1 else f"{speed * 60:,.0f}/min")


@contextmanager
def watching(app: App, shared: Shared, first: str) -> Iterator[None]:
    """Shows how the run of `app` gets on, as suits where standard error goes. `first` is its first step."""
    if shared.quiet or not sys.stderr.isatty():
        app.watch = Silent() if shared.quiet else Lines()
        yield
        return
    bar = Bar(first)
    app.watch = bar
    asked = app.confirm

    def confirm(question: str) -> bool:
        with bar.hidden():
            return asked(question)

    app.confirm = confirm
    with bar.shown():
        yield
